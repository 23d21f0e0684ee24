//! Tasks: named, tracked to the end, and with a meaning to their death.
//!
//! A *critical* task lives as long as the process: when it returns early, fails or panics, the process drains and exits
//! with a failure. An *ordinary* task may end; its panic is logged and is nobody else's. All tasks should end when
//! [`Shutdown::draining`] says so; the process waits for them up to the grace period, and then names those that are left.

use std::{
    collections::BTreeMap,
    fmt::Display,
    future::Future,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use futures::FutureExt;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::Shutdown;

/// Spawns tasks. Clones share one set.
#[derive(Debug, Clone)]
pub struct Tasks {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shutdown: Shutdown,
    tracker: TaskTracker,
    running: Mutex<BTreeMap<u64, &'static str>>,
    next: AtomicU64,
    failed: AtomicBool,
}

/// Takes a task's name off the list, however the task ends.
struct Running {
    inner: Arc<Inner>,
    id: u64,
}

// === impl Tasks ===

impl Tasks {
    /// A set of tasks whose critical members end the process through `shutdown`.
    pub fn new(shutdown: Shutdown) -> Self {
        let inner = Inner {
            shutdown,
            tracker: TaskTracker::new(),
            running: Mutex::default(),
            next: AtomicU64::new(0),
            failed: AtomicBool::new(false),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The end of the process that these tasks belong to.
    pub fn shutdown(&self) -> &Shutdown {
        &self.inner.shutdown
    }

    /// Spawns a task that must live until the drain. Its earlier end, its error and its panic end the process.
    pub fn critical<F, E>(&self, name: &'static str, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        self.track(name, async move {
            match AssertUnwindSafe(task).catch_unwind().await {
                Ok(Ok(())) if inner.shutdown.is_draining() => {}
                Ok(Ok(())) => inner.dead(name, "it ended early"),
                Ok(Err(error)) => inner.dead(name, &format!("{error:#}")),
                Err(_) => inner.dead(name, "it panicked"),
            }
        });
    }

    /// Spawns a task whose end means nothing to the process; a panic is logged, and is an error to who joins.
    pub fn spawn<F>(&self, name: &'static str, task: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.track(name, async move {
            AssertUnwindSafe(task).catch_unwind().await.unwrap_or_else(|panic| {
                tracing::error!(task = name, "task {name} panicked");
                std::panic::resume_unwind(panic)
            })
        })
    }

    /// Waits until every task has ended.
    pub async fn ended(&self) {
        self.inner.tracker.close();
        self.inner.tracker.wait().await;
    }

    /// Whether a critical task has died.
    pub fn failed(&self) -> bool {
        self.inner.failed.load(Ordering::Acquire)
    }

    /// The names of the tasks that run.
    pub fn running(&self) -> Vec<&'static str> {
        self.inner.names().values().copied().collect()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that spawns")]
    fn track<F>(&self, name: &'static str, task: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let running = Running::enter(&self.inner, name);
        let task = async move {
            let _running = running;
            task.await
        };
        tokio::spawn(self.inner.tracker.track_future(task.in_current_span()))
    }
}

// === impl Inner ===

impl Inner {
    fn names(&self) -> MutexGuard<'_, BTreeMap<u64, &'static str>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dead(&self, name: &str, why: &str) {
        tracing::error!(task = name, "task {name} is dead and the process ends with it: {why}");
        self.failed.store(true, Ordering::Release);
        self.shutdown.drain();
    }
}

// === impl Running ===

impl Running {
    fn enter(inner: &Arc<Inner>, name: &'static str) -> Self {
        let id = inner.next.fetch_add(1, Ordering::Relaxed);
        inner.names().insert(id, name);
        Self { inner: Arc::clone(inner), id }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.inner.names().remove(&self.id);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::{convert::Infallible, future::pending};

    use super::*;

    fn tasks() -> Tasks {
        Tasks::new(Shutdown::new())
    }

    #[tokio::test]
    async fn an_early_end_an_error_or_a_panic_of_a_critical_task_ends_the_process() {
        let deaths: [fn(&Tasks); 3] = [
            |tasks| tasks.critical("early", async { Ok::<_, Infallible>(()) }),
            |tasks| tasks.critical("error", async { Err("disk on fire") }),
            |tasks| tasks.critical::<_, Infallible>("panic", async { panic!("on purpose") }),
        ];
        for die in deaths {
            let tasks = tasks();
            die(&tasks);
            tasks.shutdown().draining().await;
            tasks.ended().await;
            assert!(tasks.failed());
        }
    }

    #[tokio::test]
    async fn a_critical_task_may_end_once_the_process_drains() {
        let tasks = tasks();
        let draining = tasks.shutdown().draining();
        tasks.critical("server", async move {
            draining.await;
            Ok::<_, Infallible>(())
        });
        tasks.shutdown().drain();
        tasks.ended().await;
        assert!(!tasks.failed());
    }

    #[tokio::test]
    async fn an_ordinary_task_may_end_or_panic() {
        let tasks = tasks();
        assert_eq!(tasks.spawn("sum", async { 1 + 1 }).await.unwrap(), 2);
        assert!(tasks.spawn("panic", async { panic!("on purpose") }).await.unwrap_err().is_panic());
        assert!(!tasks.failed() && !tasks.shutdown().is_draining());
    }

    #[tokio::test]
    async fn running_tasks_are_named_until_they_end_or_are_aborted() {
        let tasks = tasks();
        let (one, two) = (tasks.spawn("one", pending::<()>()), tasks.spawn("two", pending::<()>()));
        assert_eq!(tasks.running(), ["one", "two"]);
        one.abort();
        two.abort();
        tasks.ended().await;
        assert!(tasks.running().is_empty());
    }
}
