//! Whether anything goes on on a connection.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

/// Counts the requests of one connection that run, their bodies included.
#[derive(Debug, Clone)]
pub(super) struct Activity {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    begun: Instant,
    running: AtomicUsize,
    /// Milliseconds after `begun` at which the last request ended; 0 before the first one.
    ended_ms: AtomicU64,
}

/// A request that runs.
#[derive(Debug)]
pub(super) struct Running {
    inner: Arc<Inner>,
}

/// A response body that counts as activity of its connection until it is dropped.
#[derive(Debug)]
pub(super) struct Tracked<B> {
    inner: B,
    _running: Running,
}

// === impl Activity ===

impl Activity {
    pub(super) fn begin() -> Self {
        let inner = Inner { begun: Instant::now(), running: AtomicUsize::new(0), ended_ms: AtomicU64::new(0) };
        Self { inner: Arc::new(inner) }
    }

    /// Counts one more request until the result is dropped.
    pub(super) fn enter(&self) -> Running {
        self.inner.running.fetch_add(1, Ordering::AcqRel);
        Running { inner: Arc::clone(&self.inner) }
    }

    /// When the connection will have been idle for `idle`, or for `first` before its first request; `None` while
    /// requests run.
    pub(super) fn idle_at(&self, first: Duration, idle: Duration) -> Option<Instant> {
        if self.inner.running.load(Ordering::Acquire) > 0 {
            return None;
        }
        Some(match self.inner.ended_ms.load(Ordering::Acquire) {
            0 => self.inner.begun + first,
            ended => self.inner.begun + Duration::from_millis(ended) + idle,
        })
    }
}

// === impl Running ===

impl Running {
    pub(super) fn track<B>(self, inner: B) -> Tracked<B> {
        Tracked { inner, _running: self }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let ended = self.inner.begun.elapsed().as_millis().max(1);
        self.inner.ended_ms.fetch_max(u64::try_from(ended).unwrap_or(u64::MAX), Ordering::AcqRel);
        self.inner.running.fetch_sub(1, Ordering::AcqRel);
    }
}

// === impl Tracked ===

impl<B: Body + Unpin> Body for Tracked<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(32);
    const IDLE: Duration = Duration::from_secs(90);

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_after_its_last_request() {
        let activity = Activity::begin();
        let begun = Instant::now();
        assert_eq!(activity.idle_at(FIRST, IDLE), Some(begun + FIRST));
        let (one, two) = (activity.enter(), activity.enter());
        tokio::time::advance(IDLE).await;
        drop(one);
        assert_eq!(activity.idle_at(FIRST, IDLE), None);
        tokio::time::advance(IDLE).await;
        drop(two);
        assert_eq!(activity.idle_at(FIRST, IDLE).unwrap() - begun, IDLE * 3);
    }
}
