//! What stands in the way of an apply: fields that others have, and want otherwise.

use std::fmt;

use super::{
    entries::{Entries, Identity},
    path_element::PathElement,
    set::FieldSet,
};
use crate::{
    go,
    status::{Cause, Details, Reason, Status},
};

/// The fields that others have, by manager.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conflicts(Vec<Conflict>);

/// One field that one other manager has.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Conflict {
    manager: String,
    path: Vec<PathElement>,
}

// === impl Conflicts ===

impl Conflicts {
    /// Those of `changed` that somebody has.
    pub(super) fn of(entries: &Entries, changed: &FieldSet) -> Self {
        let mut conflicts: Vec<Conflict> = Vec::new();
        for (identity, entry) in entries.iter() {
            let manager = shown(identity, &entry.api_version);
            let paths = entry.fields.intersection(changed).paths();
            conflicts.extend(paths.into_iter().map(|path| Conflict { manager: manager.clone(), path }));
        }
        conflicts.sort_by(|a, b| a.manager.cmp(&b.manager));
        Self(conflicts)
    }

    /// Those that are about other fields.
    pub(super) fn without(self, fields: &FieldSet) -> Self {
        Self(self.0.into_iter().filter(|conflict| !fields.contains(&conflict.path)).collect())
    }

    /// Whether nothing stands in the way.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As the API says it: 409, with a cause for each field, which kubectl prints.
    pub fn status(&self) -> Status {
        let causes = self.0.iter().map(|Conflict { manager, path }| Cause {
            reason: "FieldManagerConflict".to_owned(),
            message: format!("conflict with {manager}"),
            field: text(path),
        });
        let details = Details { causes: causes.collect(), ..Details::default() };
        let mut status = Status::new(409, Some(Reason::Conflict), self.to_string());
        status.details = Some(Box::new(details));
        status
    }
}

impl fmt::Display for Conflicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [Conflict { manager, path }] = self.0.as_slice() {
            return write!(f, "Apply failed with 1 conflict: conflict with {manager}: {}", text(path));
        }
        write!(f, "Apply failed with {} conflicts: ", self.0.len())?;
        let mut before = None;
        for Conflict { manager, path } in &self.0 {
            if before != Some(manager) {
                let line = if before.is_some() { "\n" } else { "" };
                write!(f, "{line}conflicts with {manager}:")?;
            }
            before = Some(manager);
            write!(f, "\n- {}", text(path))?;
        }
        Ok(())
    }
}

/// `"kubectl-edit" using example.com/v1`: what a manager that did not apply wrote is named with its version.
fn shown(identity: &Identity, api_version: &str) -> String {
    let mut shown = go::Quoted(identity.manager()).to_string();
    if !identity.subresource().is_empty() {
        shown = format!("{shown} with subresource {}", go::Quoted(identity.subresource()));
    }
    match identity.is_apply() {
        true => shown,
        false => format!("{shown} using {api_version}"),
    }
}

fn text(path: &[PathElement]) -> String {
    path.iter().map(PathElement::step).collect()
}
