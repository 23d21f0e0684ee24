//! The options of requests: from a query, and for deletions a body, to values that are known to make sense.
//!
//! A value of the wrong form is 400, a value that is not allowed 422, each in the kube-apiserver's words. Parameters that
//! nobody knows are ignored, as everywhere in Kubernetes.

mod delete;
mod get;
mod list;
mod query;
mod write;

pub use self::{
    delete::{DeleteOptions, Propagation},
    get::GetOptions,
    list::{ListOptions, Match},
    write::{FieldValidation, WriteOptions},
};

use crate::{GroupKind, field::ErrorList, status::Status};

/// The refusal of options of `kind`, such as `ListOptions`, when there is anything to refuse.
fn valid(kind: &str, errors: ErrorList) -> Result<(), Status> {
    match errors.is_empty() {
        true => Ok(()),
        false => Err(Status::invalid(&GroupKind::new("meta.k8s.io", kind), "", errors)),
    }
}
