//! Works at one restart until it has ended: look, decide, do, and again.
//!
//! What is held in memory is lost with the worker, and may be: everything that must not happen twice is in the object.

use std::{collections::BTreeMap, time::Duration};

use futures::{StreamExt, stream};
use proto::{node, store};
use runtime::telemetry::set_parent;
use tokio::{sync::Notify, time::sleep};
use tracing::{Instrument, Span, info, info_span, warn};

use crate::{
    cluster::{self, Evicted, Pod},
    events,
    lease::Lease,
    look::look,
    machine::{self, Effect, Intent, Next, Seen, Sight, begins},
    node_restart::{NodeRestart, Phase, Record, Status, TRACEPARENT},
    parts::Parts,
    records::Kept,
};

/// How many pods are evicted at a time.
const EVICTIONS: usize = 10;

/// How long a restart that begins later is left alone.
const LATER: Duration = Duration::from_secs(60);

/// How many polls lie between two questions to the provider about its machine, and two looks at whether it may begin.
const SELDOM: u32 = 5;

/// What a worker knows of a restart beyond its object.
#[derive(Debug, Default)]
struct Memory {
    intent: Mine,
    /// Why pods were not evicted, by their uid.
    blocked: BTreeMap<String, String>,
    looks: u32,
    /// Whether it has looked and waited since.
    waited: bool,
}

/// An intent that this worker has written.
#[derive(Debug, Default)]
enum Mine {
    /// There is none, or the provider is being asked.
    #[default]
    None,
    /// It is being written, or is, and the provider has not been asked.
    Written(String, u32),
    /// The provider has been asked.
    Answered(String, u32, Result<String, node::Error>),
}

/// What a turn leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Again,
    Rest(Duration),
    Done,
}

/// Works until the restart has ended or the process drains; a turn that has begun is finished.
pub(crate) async fn work(parts: &Parts, lease: &Lease, name: &str, wake: &Notify, draining: impl Future + Unpin) {
    let mut draining = std::pin::pin!(draining);
    let mut memory = Memory::default();
    let span = span(parts, name).await;
    loop {
        let rest = match turn(parts, lease, name, &mut memory).instrument(span.clone()).await {
            Ok(Turn::Again) => Duration::ZERO,
            Ok(Turn::Rest(rest)) => rest,
            Ok(Turn::Done) => return,
            Err(error) => {
                warn!(k8s.name = name, "the restart {name} cannot be read or written: {error}");
                parts.config.restart_poll
            }
        };
        tokio::select! {
            biased;
            _ = &mut draining => return,
            () = sleep(rest) => {}
            () = wake.notified() => {}
        }
    }
}

/// One turn: at most one write or one effect.
async fn turn(parts: &Parts, lease: &Lease, name: &str, memory: &mut Memory) -> store::Result<Turn> {
    let Some(kept) = parts.records.get(name).await? else { return Ok(Turn::Done) };
    let restart = &kept.restart;
    let mut wants = machine::wants(restart, parts.now());
    let beginning = if wants.gate { Some(parts.beginning.lock().await) } else { None };
    wants.instance &= memory.looks.is_multiple_of(SELDOM);
    memory.looks = memory.looks.wrapping_add(1);
    let looked = look(parts, restart, wants, &memory.blocked).await;
    let seen = Seen { intent: memory.intent(restart, &parts.id), waited: memory.waited, ..looked };
    let turn = match machine::next(restart, &seen, &parts.pace()) {
        Next::Stop => Turn::Done,
        Next::Wait => Turn::Rest(pause(parts, restart)),
        Next::Write(status) => write(parts, &kept, *status, memory).await?,
        Next::Do(effect) => act(parts, lease, &kept, &seen.node, effect, memory).await?,
    };
    drop(beginning);
    memory.waited |= matches!(turn, Turn::Rest(_));
    Ok(turn)
}

/// The span of what is done for a restart. Its parent is the request that asked for it.
async fn span(parts: &Parts, name: &str) -> Span {
    let span = info_span!("restart", k8s.name = name);
    // A restart that cannot be read now has a trace of its own.
    let kept = parts.records.get(name).await.ok().flatten();
    let annotations = kept.map(|kept| kept.restart.metadata.annotations).unwrap_or_default();
    if let Some(parent) = annotations.get(TRACEPARENT).and_then(|parent| parent.parse().ok()) {
        set_parent(&span, &[(http::HeaderName::from_static("traceparent"), parent)].into_iter().collect());
    }
    span
}

/// How long to wait before the next look.
fn pause(parts: &Parts, restart: &NodeRestart) -> Duration {
    let (poll, now) = (parts.config.restart_poll, parts.now());
    match restart.status.phase {
        Phase::Accepted => begins(restart, now).since(now).min(LATER).max(poll * SELDOM),
        _ => poll,
    }
}

async fn write(parts: &Parts, kept: &Kept, status: Status, memory: &mut Memory) -> store::Result<Turn> {
    let restart = NodeRestart { status, ..kept.restart.clone() };
    if let Some(Record { token, attempt, outcome: None, .. }) = restart.status.steps.last() {
        // Before it is written: a write that is not acknowledged may have happened.
        memory.intent = Mine::Written(token.clone(), *attempt);
    }
    match parts.records.update(&restart, kept.revision).await {
        Ok(_) => {
            if restart.status.phase != kept.restart.status.phase {
                entered(parts, &kept.restart, &restart).await;
            }
            Ok(Turn::Again)
        }
        // Somebody was faster: look again.
        Err(store::Error::Conflict { .. } | store::Error::NotFound { .. }) => Ok(Turn::Again),
        Err(error) => Err(error),
    }
}

/// Tells of a phase that has been entered.
async fn entered(parts: &Parts, before: &NodeRestart, restart: &NodeRestart) {
    let (from, to, status) = (before.status.phase, restart.status.phase, &restart.status);
    parts.metrics.entered(from, status.entered().since(before.status.entered()), status);
    let (name, node, phase) = (restart.name(), &restart.spec.node_name, to.as_str());
    let (reason, message) = (&status.reason, &status.message);
    info!(k8s.name = name, k8s.node = node, phase, reason, "the restart {name} of node {node} is {phase}: {message}");
    let uid = status.node.as_ref().map(|found| found.uid.as_str()).unwrap_or_default();
    events::tell(parts, restart, uid).await;
}

async fn act(
    parts: &Parts,
    lease: &Lease,
    kept: &Kept,
    node: &Sight,
    effect: Effect,
    memory: &mut Memory,
) -> store::Result<Turn> {
    let restart = &kept.restart;
    let rest = Turn::Rest(parts.config.restart_poll);
    match (effect, node) {
        (Effect::Cordon, Sight::There(node)) => {
            Ok(done("cordoned", restart, parts.cluster.cordon(node, &restart.signature()).await, rest))
        }
        (Effect::Uncordon, Sight::There(node)) => {
            Ok(done("uncordoned", restart, parts.cluster.uncordon(node).await, rest))
        }
        (Effect::Cordon | Effect::Uncordon, _) => Ok(rest),
        (Effect::Evict(pods), _) => {
            memory.blocked = evict(parts, restart, pods).await;
            Ok(rest)
        }
        (Effect::Take(take), _) => {
            let Some(driver) = parts.drivers.get(&restart.status.provider) else { return Ok(rest) };
            // Another worker may hold it by now, and take the call for made.
            if !lease.valid() {
                return Ok(rest);
            }
            let Mine::Written(token, attempt) = std::mem::take(&mut memory.intent) else { return Ok(Turn::Again) };
            let answer = driver.take(*take).await;
            memory.intent = Mine::Answered(token, attempt, answer);
            Ok(Turn::Again)
        }
        (Effect::Remove, _) => {
            parts.records.remove(kept).await?;
            Ok(Turn::Done)
        }
    }
}

fn done(what: &str, restart: &NodeRestart, result: cluster::Result<()>, rest: Turn) -> Turn {
    match result {
        Ok(()) => Turn::Again,
        Err(cluster::Error::Conflict(_)) => Turn::Again,
        Err(error) => {
            let node = &restart.spec.node_name;
            warn!(k8s.name = restart.name(), k8s.node = node, "node {node} cannot be {what}: {error}");
            rest
        }
    }
}

/// Evicts or deletes pods; the reasons for which some of them stay, by their uid.
async fn evict(parts: &Parts, restart: &NodeRestart, pods: Vec<Pod>) -> BTreeMap<String, String> {
    let drain = &restart.spec.drain;
    let grace = drain.grace_period.map(|grace| i64::try_from(grace.0.as_secs()).unwrap_or(i64::MAX));
    let evictions = pods.into_iter().map(|pod| async move {
        let evicted = match drain.disable_eviction {
            true => parts.cluster.delete(&pod, grace).await.map(|()| Evicted::Going),
            false => parts.cluster.evict(&pod, grace).await,
        };
        match evicted {
            Ok(Evicted::Going) => None,
            Ok(Evicted::Blocked(reason)) => Some((pod.uid, reason)),
            Err(error) => Some((pod.uid, error.to_string())),
        }
    });
    stream::iter(evictions).buffer_unordered(EVICTIONS).filter_map(std::future::ready).collect().await
}

// === impl Memory ===

impl Memory {
    /// What this worker, `me`, knows of the last intent.
    fn intent(&self, restart: &NodeRestart, me: &str) -> Intent {
        let Some(record) = restart.status.steps.last().filter(|record| record.by == me) else { return Intent::Foreign };
        let is = |token: &String, attempt: &u32| (token, attempt) == (&record.token, &record.attempt);
        match &self.intent {
            Mine::Written(token, attempt) if is(token, attempt) => Intent::Armed,
            Mine::Answered(token, attempt, answer) if is(token, attempt) => Intent::Answered(answer.clone()),
            _ => Intent::Foreign,
        }
    }
}
