//! The cases, one file per area. A case asserts nothing: it asks, and the oracle's answers are the expectation.

use std::pin::Pin;

use anyhow::Result;

use crate::cx::Cx;
use crate::subject::Subject;

/// For which kinds a case makes sense.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// Every kind.
    Any,
    /// Kinds with the status subresource.
    WithStatus,
    /// Kinds whose objects live in namespaces.
    Namespaced,
    /// Kinds whose objects do not.
    Cluster,
    /// The kind that has a field of each sort.
    Widgets,
    /// The kind that has rules.
    Ledgers,
    /// The kind that has a scale and selectable fields.
    Racks,
}

/// The future of a case's run.
pub type Run<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// One case.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name: the behaviour it is about.
    pub name: &'static str,
    /// The kinds it is for.
    pub scope: Scope,
    /// The requests.
    pub run: for<'a> fn(&'a mut Cx) -> Run<'a>,
}

// === impl Case ===

impl Case {
    /// Whether it makes sense for a kind.
    #[must_use]
    pub fn suits(&self, area: &str, subject: &Subject) -> bool {
        if !subject.areas.is_empty() && !subject.areas.contains(&area) {
            return false;
        }
        match self.scope {
            Scope::Any => true,
            Scope::WithStatus => subject.status,
            Scope::Namespaced => subject.namespaced,
            Scope::Cluster => !subject.namespaced,
            Scope::Widgets => subject.plural == "widgets",
            Scope::Ledgers => subject.plural == "ledgers",
            Scope::Racks => subject.plural == "racks",
        }
    }
}

/// The list of a file's cases, by scope.
macro_rules! cases {
    ($($scope:ident: [$($name:ident),* $(,)?]),* $(,)?) => {
        /// The cases of this area.
        pub const CASES: &[crate::cases::Case] = &[$($(crate::cases::Case {
            name: stringify!($name),
            scope: crate::cases::Scope::$scope,
            run: |cx| Box::pin($name(cx)),
        }),*),*];
    };
}

macro_rules! areas {
    ($($area:ident),* $(,)?) => {
        $(pub mod $area;)*
        /// Every area with its cases.
        pub const AREAS: &[(&str, &[Case])] = &[$((stringify!($area), $area::CASES)),*];
    };
}

areas![
    access,
    admission,
    admission_failures,
    admission_rules,
    apply,
    bad_input,
    crud,
    delete,
    discovery,
    documents,
    dry_run,
    expressions,
    limits,
    list,
    media,
    metadata,
    openapi,
    pages,
    patch,
    policies,
    process,
    rules,
    scale,
    scale_admission,
    selectable,
    status,
    table,
    validation,
    watch,
    watch_list,
];
