//! The closed loop: each worker has one client and sends its next request when the last answer has been read whole.
//!
//! The one rule: what a worker prepares and what it learns from an answer is outside the time that is taken. A worker
//! that only meets errors stops, so that a dead server ends a run instead of filling it.

use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::client::{Call, Client};
use crate::outcome::{Errors, Outcome};

/// Errors in a row after which a worker gives up.
const HOPELESS: u32 = 10;

/// What one worker sends. To add a load: this for it, and a file in `measure/` that makes its workers.
pub(crate) trait Work: Send + 'static {
    /// The next request; none when all are sent.
    fn next(&mut self) -> Option<Call>;

    /// The answer to it.
    fn learn(&mut self, answer: &Bytes) -> Result<()> {
        let _ = answer;
        Ok(())
    }
}

/// A worker and its client.
pub(crate) type Worker<W> = (Client, W);

/// Runs all workers for a time, or until their work ends. Gives them back, with what came of it.
pub(crate) async fn drive<W: Work>(workers: Vec<Worker<W>>, time: Duration) -> (Vec<Worker<W>>, Outcome) {
    let start = Instant::now();
    let deadline = start + time;
    let mut tasks = JoinSet::new();
    for worker in workers {
        tasks.spawn(turn(worker, deadline));
    }
    let mut outcome = Outcome::default();
    let mut workers = Vec::with_capacity(tasks.len());
    for (worker, part) in tasks.join_all().await {
        outcome.absorb(part);
        workers.push(worker);
    }
    outcome.elapsed = start.elapsed();
    (workers, outcome)
}

async fn turn<W: Work>((client, mut work): Worker<W>, deadline: Instant) -> (Worker<W>, Outcome) {
    let mut outcome = Outcome::default();
    let mut in_a_row = 0;
    while in_a_row < HOPELESS && Instant::now() < deadline {
        let Some(call) = work.next() else { break };
        let sent = Instant::now();
        let answer = client.call(call).await;
        let took = sent.elapsed();
        match answer.and_then(|answer| work.learn(&answer)) {
            Ok(()) => {
                in_a_row = 0;
                outcome.requests += 1;
                outcome.observe("latency", took);
            }
            Err(error) => {
                in_a_row += 1;
                outcome.errors.absorb(Errors::one(&error));
            }
        }
    }
    ((client, work), outcome)
}
