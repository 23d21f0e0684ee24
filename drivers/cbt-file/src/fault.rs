//! Errors of the operating system as errors of the seam.

use std::io;

use proto::cbt::Error;

/// What `error` means for a caller who wanted something of `subject`, a snapshot or a part of it.
///
/// The path is not said: whoever reads a snapshot need not know where it is kept.
pub(crate) fn io(subject: &str, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::NotFound(format!("{subject} is not there")),
        _ => Error::Unavailable(format!("{subject} cannot be read: {error}")),
    }
}

/// `subject` is not the file any more that the answer began with.
pub(crate) fn replaced(subject: &str) -> Error {
    Error::Broken(format!("{subject} was changed while it was read: snapshots must not be written to"))
}
