//! Trying again.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep};

use crate::{fault::Fault, pace::Pace};

/// The pause after the first failure, at most, and after many.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Makes a call, each time in its turn, until it succeeds, fails for good, or has failed for longer than `patience`.
pub(crate) async fn persist<T, F>(pace: &Pace, patience: Duration, mut call: impl FnMut() -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    let mut failing: Option<Instant> = None;
    let mut longest = PAUSES.0;
    loop {
        pace.turn().await;
        let fault = match call().await {
            Ok(value) => return Ok(value),
            Err(fault) => fault,
        };
        let pause = jitter(longest);
        let failing_for = failing.get_or_insert_with(Instant::now).elapsed();
        if !fault.passes() || failing_for + pause > patience {
            return Err(fault);
        }
        tracing::debug!(pause_ms = pause.as_millis() as u64, "trying again: {fault}");
        sleep(pause).await;
        longest = (longest * 2).min(PAUSES.1);
    }
}

/// Between half of `longest` and all of it, so that those who failed together do not come back together.
fn jitter(longest: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or_default();
    longest / 2 + (longest / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proto::cbt::Error;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn throttled() -> Fault {
        Fault::Throttled("slow down".to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_tried_again_until_it_succeeds() {
        let calls = Cell::new(0);
        let answer = persist(&Pace::per_second(1000), PATIENCE, || async {
            calls.set(calls.get() + 1);
            if calls.get() < 5 { Err(throttled()) } else { Ok(calls.get()) }
        })
        .await;
        assert!(matches!(answer, Ok(5)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_pass_is_not_tried_again() {
        let calls = Cell::new(0);
        let answer: Result<(), _> = persist(&Pace::per_second(1000), PATIENCE, || async {
            calls.set(calls.get() + 1);
            Err(Fault::Final(Error::NotFound("gone".to_owned())))
        })
        .await;
        assert_eq!((answer.map_err(Error::from), calls.get()), (Err(Error::NotFound("gone".to_owned())), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends() {
        let begun = Instant::now();
        let answer: Result<(), _> = persist(&Pace::per_second(1000), PATIENCE, || async { Err(throttled()) }).await;
        assert!(matches!(answer.map_err(Error::from), Err(Error::Throttled { .. })));
        assert!(begun.elapsed() <= PATIENCE && begun.elapsed() + PAUSES.1 * 2 > PATIENCE);
    }
}
