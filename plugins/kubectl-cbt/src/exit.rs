//! How it went, for scripts.

use std::{fmt, process::ExitCode};

/// The end of `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done
  1    failed, or refused by the server
  2    wrong usage
  3    apply: the target does not hold what the image holds
  4    pull: broke off; the same command goes on where it broke
  130  pull: interrupted; the same command goes on where it was";

/// An end that is told from other failures; it is found among the causes of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nobody reads what is printed any more.
    Unread = 0,
    /// The target differs from the image.
    Differs = 3,
    /// The image is not complete, and may be later.
    Incomplete = 4,
    /// By Ctrl-C.
    Interrupted = 130,
}

// === impl Exit ===

impl Exit {
    /// The exit code of an error.
    pub(crate) fn code(error: &anyhow::Error) -> ExitCode {
        match error.downcast_ref::<Self>() {
            Some(exit) => ExitCode::from(*exit as u8),
            None => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unread => "nobody reads what is printed",
            Self::Differs => "the target is not what the image says",
            Self::Incomplete => "the image is not complete: run the same command again, it goes on where it broke",
            Self::Interrupted => "interrupted: run the same command again, it goes on where it was",
        })
    }
}

impl std::error::Error for Exit {}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn an_end_is_found_among_the_causes() {
        let code = |error: anyhow::Error| format!("{:?}", Exit::code(&error));
        let expected = |code: u8| format!("{:?}", ExitCode::from(code));
        assert_eq!(code(anyhow!("no")), expected(1));
        assert_eq!(code(anyhow!("reset").context(Exit::Incomplete)), expected(4));
        assert_eq!(code(anyhow::Error::from(Exit::Differs).context("at byte 7")), expected(3));
    }
}
