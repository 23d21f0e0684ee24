//! Trying again what failed for now, after a while; what is refused for good fails at once.

use std::time::Duration;

use anyhow::Result;
use plugin::{LoginError, Refusal};

use crate::progress::Speaker;

/// How often the same is tried in vain.
const ATTEMPTS: u32 = 6;

/// Before the second attempt; longer each time.
const PAUSE: Duration = Duration::from_millis(200);

/// A server that wants to be left alone for longer is not waited for.
const LONGEST: Duration = Duration::from_secs(300);

/// Waiting for longer is said.
const SILENT: Duration = Duration::from_secs(1);

/// Of one thing that is tried.
pub(crate) struct Patience {
    attempts: u32,
    speaker: Speaker,
}

// === impl Patience ===

impl Patience {
    /// For something that has not been tried.
    pub(crate) fn new(speaker: Speaker) -> Self {
        Self { attempts: 0, speaker }
    }

    /// It went on: what fails now is something else.
    pub(crate) fn restore(&mut self) {
        self.attempts = 0;
    }

    /// Waits until it may be tried again; the error if it may not.
    pub(crate) async fn wait(&mut self, error: anyhow::Error) -> Result<()> {
        self.attempts += 1;
        if self.attempts == ATTEMPTS || !passes(&error) {
            return Err(error);
        }
        let pause = pause(self.attempts, &error);
        if pause > SILENT {
            self.speaker.say(&format!("{}; trying again in {} s", plugin::shown(&error), pause.as_secs_f32().ceil()));
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// Whether the same may succeed later.
pub(crate) fn passes(error: &anyhow::Error) -> bool {
    error.chain().all(|cause| match cause.downcast_ref::<Refusal>() {
        Some(refusal) => {
            let soon = refusal.retry_after.is_none_or(|wait| wait <= LONGEST);
            matches!(refusal.code.as_u16(), 429 | 500 | 502..=504) && soon
        }
        // Who breaks the contract will do so again, and nobody logs in by trying often.
        None => !cause.is::<proto::cbt::Error>() && !cause.is::<LoginError>(),
    })
}

/// At least what the server wants.
fn pause(attempts: u32, error: &anyhow::Error) -> Duration {
    let wanted = error.chain().find_map(|cause| cause.downcast_ref::<Refusal>()?.retry_after);
    wanted.unwrap_or_default().max(PAUSE * attempts * attempts)
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;
    use http::StatusCode;

    use super::*;

    fn refusal(code: u16, retry_after: Option<u64>) -> anyhow::Error {
        let code = StatusCode::from_u16(code).expect("a code");
        let retry_after = retry_after.map(Duration::from_secs);
        Refusal { code, reason: String::new(), message: "why".to_owned(), causes: Vec::new(), retry_after }.into()
    }

    #[test]
    fn what_is_refused_for_good_is_not_tried_again() {
        for (code, expected) in [(400, false), (401, false), (403, false), (404, false), (409, false), (410, false)]
            .into_iter()
            .chain([(429, true), (500, true), (501, false), (502, true), (503, true), (504, true)])
        {
            assert_eq!(passes(&refusal(code, None)), expected, "{code}");
            assert_eq!(passes(&refusal(code, Some(5)).context("reading")), expected, "{code}");
        }
        assert!(passes(&anyhow!("connection reset by peer")));
        assert!(!passes(&proto::cbt::Error::Broken("sent nonsense".to_owned()).into()));
        assert!(!passes(&refusal(503, Some(86_400))), "nobody waits for a day");
    }

    #[test]
    fn the_server_says_how_long() {
        let milliseconds = |attempts, error| pause(attempts, &error).as_millis();
        assert_eq!(milliseconds(1, refusal(503, Some(7))), 7000);
        assert_eq!(milliseconds(5, refusal(429, Some(1))), 5000);
        assert_eq!([1, 2, 3].map(|attempts| milliseconds(attempts, anyhow!("reset"))), [200, 800, 1800]);
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends_and_is_restored() {
        let mut patience = Patience::new(Speaker::without_bar());
        for round in 0..3 {
            for _ in 1..ATTEMPTS {
                patience.wait(anyhow!("reset")).await.expect("another attempt");
            }
            if round < 2 {
                patience.restore();
            }
        }
        assert!(patience.wait(anyhow!("reset")).await.is_err());
    }
}
