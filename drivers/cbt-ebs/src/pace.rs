//! The account's quota: calls go through one by one, no closer to each other than it allows.

use std::time::Duration;

use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

/// Lets calls through at a rate, first come first served.
#[derive(Debug)]
pub(crate) struct Pace {
    interval: Duration,
    /// When the next may go. Who waits holds the lock, and who gives up waiting leaves no gap.
    next: Mutex<Option<Instant>>,
}

// === impl Pace ===

impl Pace {
    /// So many calls in a second.
    pub(crate) fn per_second(calls: u32) -> Self {
        Self { interval: Duration::from_secs(1) / calls.max(1), next: Mutex::default() }
    }

    /// Waits for the caller's turn.
    pub(crate) async fn turn(&self) {
        let mut next = self.next.lock().await;
        if let Some(at) = *next {
            sleep_until(at).await;
        }
        *next = Some(Instant::now() + self.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn calls_keep_their_distance_and_the_first_does_not_wait() {
        let pace = Pace::per_second(10);
        let begun = Instant::now();
        for turn in 0..5 {
            pace.turn().await;
            assert_eq!(begun.elapsed().as_millis() / 100, turn);
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
        let idle = Instant::now();
        pace.turn().await;
        assert_eq!(idle.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_takes_no_turn() {
        let pace = Pace::per_second(1);
        pace.turn().await;
        let begun = Instant::now();
        for _ in 0..100 {
            assert!(tokio::time::timeout(Duration::from_millis(1), pace.turn()).await.is_err());
        }
        pace.turn().await;
        assert_eq!(begun.elapsed().as_secs(), 1);
    }
}
