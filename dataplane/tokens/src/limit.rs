//! How many reviews are answered in a second.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// A bucket that fills by `rate` a second and holds as much as fills it in one.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: f64,
    level: Mutex<(f64, Instant)>,
}

// === impl Bucket ===

impl Bucket {
    pub(crate) fn new(rate: u32) -> Self {
        let rate = f64::from(rate);
        Self { rate, level: Mutex::new((rate, Instant::now())) }
    }

    /// Takes one, if there is one.
    pub(crate) fn take(&self) -> bool {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let filled = (level.0 + (now - level.1).as_secs_f64() * self.rate).min(self.rate);
        let taken = filled >= 1.0;
        *level = (if taken { filled - 1.0 } else { filled }, now);
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_more_are_let_through_than_the_rate() {
        let bucket = Bucket::new(10);
        let taken = |tries: usize| (0..tries).filter(|_| bucket.take()).count();
        assert_eq!(taken(25), 10, "one second's worth at once");
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(taken(25), 5);
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(taken(25), 10, "what is not taken is not kept");
    }
}
