//! How a process ends: it stops being ready, drains, and is aborted when that takes too long.
//!
//! ```text
//!   running ──▶ stopping ──────▶ draining ────────────────▶ aborted
//!     first signal  │ still serving,  │ no new connections,     second signal, or
//!                   │ readiness off   │ watches end, requests   the grace period is over
//!                   │ (--shutdown-    │ that run are finished   (--shutdown-grace-period)
//!                   │  delay)         │
//! ```
//!
//! The one rule: whoever must not be cut off holds a [`Guard`]; the process stays until the last one is dropped.

use std::{pin::pin, time::Duration};

use futures::{Stream, StreamExt};
use tokio_util::{
    sync::{CancellationToken, WaitForCancellationFutureOwned},
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

/// A handle on the end of the process. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    stopping: CancellationToken,
    draining: CancellationToken,
    aborted: CancellationToken,
    guards: TaskTracker,
}

/// Keeps the process until it is dropped, or until the grace period is over.
#[derive(Debug)]
pub struct Guard {
    _token: TaskTrackerToken,
}

/// How long the phases of the end take.
#[derive(Debug, Clone, Copy)]
pub struct Grace {
    /// Between readiness off and the drain.
    pub delay: Duration,
    /// Between the drain and the abort.
    pub period: Duration,
}

// === impl Shutdown ===

impl Shutdown {
    /// A process that runs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Readiness is off from here on; everything else goes on.
    pub fn stop(&self) {
        self.stopping.cancel();
    }

    /// Begins the drain: the process finishes what it has begun and takes nothing new.
    pub fn drain(&self) {
        self.stopping.cancel();
        self.draining.cancel();
    }

    /// Ends the process without waiting for anybody.
    pub fn abort(&self) {
        self.drain();
        self.aborted.cancel();
    }

    /// Whether readiness is off.
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// Whether the drain has begun.
    pub fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// Whether nobody is waited for any more.
    pub fn is_aborted(&self) -> bool {
        self.aborted.is_cancelled()
    }

    /// Waits for the drain to begin. The future owns what it needs, and may be polled again after it is done.
    pub fn draining(&self) -> WaitForCancellationFutureOwned {
        self.draining.clone().cancelled_owned()
    }

    /// Waits for the abort.
    pub fn aborted(&self) -> WaitForCancellationFutureOwned {
        self.aborted.clone().cancelled_owned()
    }

    /// Keeps the process until the guard is dropped.
    pub fn guard(&self) -> Guard {
        Guard { _token: self.guards.token() }
    }

    /// Waits until the drain has begun and every [`Guard`] is dropped.
    pub async fn drained(&self) {
        self.draining().await;
        self.guards.close();
        self.guards.wait().await;
    }

    /// Leads through the phases: the first of `signals` stops and, after the delay, drains; the second aborts, and so
    /// does the end of the grace period. Returns with the abort; drop it when the process has drained.
    pub async fn conduct(&self, signals: impl Stream<Item = &'static str>, grace: Grace) {
        let mut signals = pin!(signals);
        tokio::select! {
            Some(name) = signals.next() => {
                tracing::info!("received {name}: readiness is off, a second signal ends the process at once");
                self.stop();
                tokio::select! {
                    () = tokio::time::sleep(grace.delay) => {}
                    () = self.draining() => {}
                    Some(name) = signals.next() => return self.give_up(name),
                }
                self.drain();
            }
            () = self.draining() => {}
        }
        tokio::select! {
            () = self.aborted() => {}
            () = tokio::time::sleep(grace.period) => self.give_up("the end of the grace period"),
            Some(name) = signals.next() => self.give_up(name),
        }
    }

    fn give_up(&self, why: &str) {
        tracing::error!("ending without waiting any longer, because of {why}");
        self.abort();
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use tokio::time::{Instant, timeout};

    use super::*;

    const GRACE: Grace = Grace { delay: Duration::from_secs(2), period: Duration::from_secs(10) };

    /// Signals at these seconds from now, then none.
    fn at(seconds: &'static [u64]) -> impl Stream<Item = &'static str> {
        let begun = Instant::now();
        let signals = stream::iter(seconds).then(move |seconds| async move {
            tokio::time::sleep_until(begun + Duration::from_secs(*seconds)).await;
            "SIGTERM"
        });
        signals.chain(stream::pending())
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_signal_stops_then_drains_and_the_grace_period_aborts() {
        let shutdown = Shutdown::new();
        let begun = Instant::now();
        let (stopping, draining) = (shutdown.stopping.clone(), shutdown.draining());
        let watch = async {
            stopping.cancelled().await;
            assert_eq!(begun.elapsed().as_secs(), 1);
            assert!(!shutdown.is_draining());
            draining.await;
            assert_eq!(begun.elapsed().as_secs(), 3);
            assert!(!shutdown.is_aborted());
        };
        tokio::join!(watch, shutdown.conduct(at(&[1]), GRACE));
        assert!(shutdown.is_aborted());
        assert_eq!(begun.elapsed().as_secs(), 13);
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_signal_aborts_in_the_delay_and_in_the_drain() {
        for signals in [&[1, 2], &[1, 7]] {
            let (shutdown, begun) = (Shutdown::new(), Instant::now());
            shutdown.conduct(at(signals), GRACE).await;
            assert!(shutdown.is_aborted() && shutdown.is_draining());
            assert_eq!(begun.elapsed().as_secs(), signals[1]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_without_a_signal_has_the_grace_period_too() {
        let (shutdown, begun) = (Shutdown::new(), Instant::now());
        shutdown.drain();
        shutdown.conduct(at(&[]), GRACE).await;
        assert_eq!(begun.elapsed(), GRACE.period);
    }

    #[tokio::test(start_paused = true)]
    async fn guards_hold_the_drained_process() {
        let shutdown = Shutdown::new();
        let guard = shutdown.guard();
        assert!(timeout(Duration::from_secs(1), shutdown.drained()).await.is_err(), "it is not draining");
        shutdown.drain();
        assert!(timeout(Duration::from_secs(1), shutdown.drained()).await.is_err(), "a guard holds it");
        drop(guard);
        shutdown.drained().await;
    }
}
