//! The account's quota.

use tokio::time::Instant;

/// So many calls in a second, and so many at once after a pause.
#[derive(Debug)]
pub(crate) struct Quota {
    per_second: f64,
    burst: f64,
    left: f64,
    at: Instant,
}

// === impl Quota ===

impl Quota {
    pub(crate) fn new(per_second: f64, burst: f64) -> Self {
        Self { per_second, burst, left: burst, at: Instant::now() }
    }

    /// Whether a call is within it.
    pub(crate) fn take(&mut self) -> bool {
        let now = Instant::now();
        self.left = (self.left + (now - self.at).as_secs_f64() * self.per_second).min(self.burst);
        self.at = now;
        let within = self.left >= 1.0;
        self.left -= if within { 1.0 } else { 0.0 };
        within
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_beyond_it_is_refused_until_time_passes() {
        let mut quota = Quota::new(2.0, 3.0);
        assert_eq!([0; 4].map(|_| quota.take()), [true, true, true, false]);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!([0; 2].map(|_| quota.take()), [true, false]);
    }
}
