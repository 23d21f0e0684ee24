//! How it went, for scripts.

use std::process::ExitCode;

use http::StatusCode;
use hyper_util::client::legacy;
use kube::client::AuthError;
use plugin::{LoginError, Refusal};

/// The end of `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done; without --wait: accepted
  1    failed, or could not be asked for
  2    wrong usage
  3    refused by a guard, which the message names; with --dry-run: a guard would refuse it
  4    --timeout has passed, and the restart goes on
  5    nobody can tell what became of it
  130  interrupted, and the restart goes on";

/// What a server says that cannot tell whether it is, or what became of it.
const UNDECIDED: [&str; 3] =
    ["the restart is accepted as ", "the restart worker did not answer", "the storage is unavailable"];

/// An exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or accepted.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// A guard refuses.
    Refused = 3,
    /// The restart takes longer than it is watched.
    TimedOut = 4,
    /// Nobody can tell.
    Unknown = 5,
    /// By Ctrl-C.
    Interrupted = 130,
}

/// The request may have arrived, and nobody can tell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ambiguous;

// === impl Exit ===

impl Exit {
    /// Of an error.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        if error.downcast_ref::<Ambiguous>().is_some() {
            return Self::Unknown;
        }
        match error.chain().find_map(|cause| cause.downcast_ref::<Refusal>()) {
            Some(refusal) if guarded(refusal) => Self::Refused,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

// === impl Ambiguous ===

impl std::fmt::Display for Ambiguous {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the request may have been accepted all the same")
    }
}

/// Whether a request that ended in this error may have been accepted.
pub(crate) fn ambiguous(error: &anyhow::Error) -> bool {
    error.chain().all(|cause| match cause.downcast_ref::<Refusal>() {
        Some(refusal) => undecided(refusal),
        None => !unsent(cause),
    })
}

/// Whether nothing was sent: there was no connection, or nobody to log in as.
fn unsent(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect)
        || cause.is::<LoginError>()
        || cause.is::<AuthError>()
}

/// Whether an answer leaves open what happened: a server gave up waiting, or lost the one behind it.
fn undecided(Refusal { code, message, .. }: &Refusal) -> bool {
    match *code {
        StatusCode::INTERNAL_SERVER_ERROR | StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => true,
        StatusCode::SERVICE_UNAVAILABLE => {
            let lost = message.contains("error trying to reach service") && !message.contains("dial tcp");
            lost || UNDECIDED.iter().any(|words| message.starts_with(words))
        }
        _ => false,
    }
}

/// A guard refuses with its name among the causes.
fn guarded(refusal: &Refusal) -> bool {
    let codes = [StatusCode::FORBIDDEN, StatusCode::CONFLICT, StatusCode::TOO_MANY_REQUESTS];
    codes.contains(&refusal.code) && !refusal.causes.is_empty()
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    fn refusal(code: u16, message: &str, causes: &[&str]) -> anyhow::Error {
        let causes = causes.iter().map(|&cause| cause.to_owned()).collect();
        let code = StatusCode::from_u16(code).expect("a code");
        Refusal { code, reason: String::new(), message: message.to_owned(), causes, retry_after: None }.into()
    }

    #[test]
    fn guards_are_told_from_other_refusals() {
        assert_eq!(Exit::of(&refusal(403, "it is a control-plane node", &["ControlPlane"])), Exit::Refused);
        assert_eq!(Exit::of(&refusal(409, "another restart", &["InFlight"]).context("node/a")), Exit::Refused);
        assert_eq!(Exit::of(&refusal(403, "User \"bob\" cannot create", &[])), Exit::Failed);
        assert_eq!(Exit::of(&refusal(422, "mode", &["FieldValueInvalid"])), Exit::Failed);
        assert_eq!(Exit::of(&anyhow!("x").context(Ambiguous)), Exit::Unknown);
    }

    #[test]
    fn only_what_may_have_happened_is_ambiguous() {
        let reset = "error trying to reach service: EOF";
        let refused = "error trying to reach service: dial tcp 10.0.0.1:443: connect: connection refused";
        for (code, message, expected) in [
            (403, "no", false),
            (404, "no", false),
            (429, "slowly", false),
            (500, "Internal error occurred: x", true),
            (502, "", true),
            (503, "service unavailable", false),
            (503, "there is no driver for it", false),
            (503, reset, true),
            (503, refused, false),
            (503, "the restart is accepted as noderestarts \"a-1\", but x", true),
            (503, "the restart worker did not answer: broken pipe", true),
            (503, "the storage is unavailable: x", true),
            (504, "Timeout: x", true),
        ] {
            assert_eq!(ambiguous(&refusal(code, message, &[])), expected, "{code} {message}");
        }
        assert!(ambiguous(&anyhow!("connection reset by peer")));
        assert!(!ambiguous(&kube::Error::Auth(AuthError::MissingCommand).into()));
    }
}
