//! The cases, one file per area. Each keeps to its own records, and panics or returns an error where an answer is wrong.

use std::pin::Pin;

use anyhow::Result;

use crate::cx::Cx;

/// The future of a case's run.
pub type Run<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// One case.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name: the behaviour it is about.
    pub name: &'static str,
    /// What it does.
    pub run: for<'a> fn(&'a Cx) -> Run<'a>,
}

/// The list of a file's cases.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        /// The cases of this area.
        pub const CASES: &[crate::cases::Case] =
            &[$(crate::cases::Case { name: stringify!($name), run: |cx| Box::pin($name(cx)) }),*];
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
    aggregation,
    bad_input,
    changes,
    clusters,
    deletion,
    documents,
    errors,
    lists,
    load,
    nodepools,
    search,
    statuses
];
