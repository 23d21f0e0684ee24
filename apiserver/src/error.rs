//! The one table from a store's errors to `metav1.Status`.

use machinery::{GroupResource, status::Status};
use proto::store;

use crate::conversion;

/// A request that ends in a `Status` which is not a success.
#[derive(Debug)]
pub struct Failure(pub Box<Status>);

/// The result of a verb.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Seconds after which a client may try again what failed for want of a storage.
const RETRY_AFTER_SECONDS: u32 = 1;

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self(Box::new(status))
    }
}

/// The status that a store's error becomes for a request on `resource`.
pub(crate) fn status(error: &store::Error, resource: &GroupResource) -> Status {
    use store::Error::*;
    match error {
        NotFound { key } => Status::not_found(resource, &key.name),
        AlreadyExists { key, .. } => Status::already_exists(resource, &key.name),
        Conflict { key, .. } => Status::conflict(resource, &key.name, MODIFIED),
        Compacted { .. } => Status::expired("The resourceVersion for the provided list is too old."),
        Future { requested, current } => Status::resource_version_too_large(*requested, *current),
        Invalid { reason } => Status::bad_request(reason),
        OutOfSpace { .. } => Status::unavailable(
            &format!(
                "the storage is {error}: nothing that was acknowledged is lost, writes resume when there is space again"
            ),
            RETRY_AFTER_SECONDS,
        ),
        Unavailable { reason } => {
            Status::unavailable(&format!("the storage is unavailable: {reason}"), RETRY_AFTER_SECONDS)
        }
        // As it is, like the kube-apiserver's: it is written for who looks after the webhook.
        Internal { reason } if reason.starts_with(conversion::FAILED) => Status::new(500, None, reason.clone()),
        Internal { .. } => Status::internal(&format!("the storage failed: {error}")),
    }
}

/// The text of an optimistic lock that was lost.
pub(crate) const MODIFIED: &str =
    "the object has been modified; please apply your changes to the latest version and try again";
