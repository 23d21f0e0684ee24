//! What a status of a CSI driver means to whoever asked.

use proto::cbt::Error;
use tonic::{Code, Status};

/// What of a driver's words is passed on, in bytes.
const WORDS: usize = 1000;

/// The error of a query. `delta` says whether it had a base.
pub(crate) fn refusal(status: &Status, delta: bool) -> Error {
    let words = status.message();
    let words = &words[..words.floor_char_boundary(WORDS)];
    let what = format!("the CSI driver: {words} ({})", status.code().description());
    match status.code() {
        Code::NotFound => Error::NotFound(what),
        Code::InvalidArgument => Error::Invalid(what),
        Code::FailedPrecondition | Code::Unimplemented if delta => Error::NoDelta(what),
        Code::FailedPrecondition => Error::NotReady(what),
        Code::PermissionDenied | Code::Unauthenticated => Error::Forbidden(what),
        Code::ResourceExhausted => Error::Throttled { message: what, retry_after: 0 },
        // Nothing is asked that starts beyond the end of what the driver itself said; and a message that is too large to
        // be received has this code, too.
        Code::OutOfRange | Code::DataLoss => Error::Broken(what),
        // A deadline is none of ours: no request has one. With the rest, it is a stream that did not get to its end.
        _ => Error::Unavailable(what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_difference_can_be_had_by_taking_everything() {
        let refused = |code, delta| refusal(&Status::new(code, "x"), delta);
        assert!(matches!(refused(Code::FailedPrecondition, true), Error::NoDelta(_)));
        assert!(matches!(refused(Code::Unimplemented, true), Error::NoDelta(_)));
        assert!(matches!(refused(Code::FailedPrecondition, false), Error::NotReady(_)));
        assert!(matches!(refused(Code::Unimplemented, false), Error::Unavailable(_)));
    }

    #[test]
    fn what_did_not_get_to_its_end_can_be_tried_again() {
        for code in [Code::DeadlineExceeded, Code::Cancelled, Code::Unknown, Code::Internal, Code::Aborted] {
            assert!(matches!(refusal(&Status::new(code, "x"), true), Error::Unavailable(_)), "{code:?}");
        }
    }

    #[test]
    fn words_without_end_are_cut() {
        let refused = refusal(&Status::not_found("é".repeat(100_000)), false);
        assert!(refused.to_string().len() < WORDS + 100);
    }
}
