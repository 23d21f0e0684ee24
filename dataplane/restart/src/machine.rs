//! The state machine: a pure function from what is recorded and what is seen to what comes next.
//!
//! ```text
//!   Accepted ─▶ Checked ─▶ Cordoned ─▶ Draining ─▶ IntentRecorded ─▶ Sent ─▶ Rebooting ─▶ Ready ─▶ Uncordoned ─▶ Succeeded
//!                               └────────────────────▶ ▲    ▲    │      │
//!                                                 refused┘    └ next step┘    from anywhere: take back ─▶ Failed, Cancelled, Unknown
//! ```
//!
//! Two rules hold it together. **What is done is written down first**: only [`Effect::Take`] changes anything that cannot
//! be done twice, and it comes only after the very worker that asks for it has written its intent by compare-and-write
//! ([`Intent::Armed`]). Who finds an intent that somebody else wrote ([`Intent::Foreign`]) takes the call for made.
//! **Every state has an end**: whatever is waited for has a time after which it is not.

mod ask;
mod finish;
mod follow;
mod prepare;
#[cfg(test)]
mod tests;

use proto::node::{Error, Instance, Take};

use crate::{
    cluster::{Node, Pod},
    drain::Sorted,
    node_restart::{Drained, Entered, Found, NodeRestart, Phase, Plan, Status},
    time::{Span, Time},
};

pub(crate) use ask::word;

/// How many pods a status names.
const NAMED: usize = 20;

/// How long a window is waited for: each opens once a week at least.
const WINDOW_PATIENCE: Span = Span::from_secs(8 * 24 * 3600);

/// How long things take that no request says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// How long a soft step may take before a hard one follows.
    pub soft: Span,
    /// How long it is tried to take a cordon back.
    pub cleanup: Span,
    /// The first and the longest time between two attempts at what was refused.
    pub backoff: (Span, Span),
}

/// What must be looked at before [`next`] can say anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Wants {
    /// Whether it may begin.
    pub gate: bool,
    /// The node.
    pub node: bool,
    /// The node's pods.
    pub pods: bool,
    /// The machine.
    pub instance: bool,
}

/// What is seen.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// What time it is.
    pub now: Time,
    /// Who looks.
    pub worker: String,
    /// Whether it may begin.
    pub gate: Option<Gate>,
    /// The node.
    pub node: Sight,
    /// What a drain does with the node's pods, and why some of them are still there.
    pub drain: Option<(Sorted, Drained)>,
    /// The machine.
    pub instance: Option<Instance>,
    /// The last intent.
    pub intent: Intent,
    /// Whether this worker has looked before and waited since. Until then nothing is too late: time has passed without it.
    pub waited: bool,
}

/// A look at the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sight {
    /// It could not be looked at, or nobody asked.
    Unseen,
    /// There is none of this name.
    Gone,
    /// It is there.
    There(Box<Node>),
}

/// Whether a restart may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Gate {
    /// It may.
    Open(Box<Opening>),
    /// It may not: why in a word, why for people, and whether waiting helps.
    Shut {
        /// In a word.
        reason: String,
        /// For people.
        message: String,
        /// Whether waiting helps.
        passing: bool,
    },
}

/// What a restart begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opening {
    /// Whose machine it is.
    pub provider: String,
    /// The node.
    pub node: Found,
    /// The machine.
    pub instance: Instance,
    /// What its provider will be asked.
    pub plan: Plan,
}

/// What is known of the last intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Intent {
    /// Another worker wrote it, or this one before it began anew: the provider may have been asked.
    Foreign,
    /// This worker wrote it and has not asked.
    Armed,
    /// This worker has asked, and this is the answer.
    Answered(Result<String, Error>),
}

/// What comes next.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Next {
    /// Nothing, until something else is seen.
    Wait,
    /// This is written, if nobody has written meanwhile.
    Write(Box<Status>),
    /// This is done, and then looked again.
    Do(Effect),
    /// Nothing any more.
    Stop,
}

/// What is done. All but [`Effect::Take`] can be done any number of times.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Cordon the node and sign it.
    Cordon,
    /// Take both back.
    Uncordon,
    /// Evict or delete these.
    Evict(Vec<Pod>),
    /// Ask the provider.
    Take(Box<Take>),
    /// Remove the object.
    Remove,
}

/// What must be looked at for [`next`].
pub(crate) fn wants(restart: &NodeRestart, now: Time) -> Wants {
    let status = &restart.status;
    let (phase, going) = (status.phase, status.ending.is_none() && !restart.deleted());
    Wants {
        gate: going && phase == Phase::Accepted && begins(restart, now) <= now,
        node: phase > Phase::Accepted && !phase.is_end(),
        pods: going && phase == Phase::Draining,
        instance: going && matches!(phase, Phase::Sent | Phase::Rebooting),
    }
}

/// When it may begin, guards aside.
pub(crate) fn begins(restart: &NodeRestart, now: Time) -> Time {
    let due = due(restart);
    restart.spec.window.as_ref().map_or(due, |window| window.opens(due.max(now)))
}

/// What comes next, from what is recorded and what is seen.
pub(crate) fn next(restart: &NodeRestart, seen: &Seen, pace: &Pace) -> Next {
    Machine { restart, status: &restart.status, seen, pace }.next()
}

fn due(restart: &NodeRestart) -> Time {
    restart.created().max(restart.spec.not_before.unwrap_or_default())
}

struct Machine<'a> {
    restart: &'a NodeRestart,
    status: &'a Status,
    seen: &'a Seen,
    pace: &'a Pace,
}

// === impl Machine ===

impl Machine<'_> {
    fn next(&self) -> Next {
        let Self { restart, status, .. } = self;
        match status.phase {
            phase if phase.is_end() && restart.deleted() => Next::Do(Effect::Remove),
            phase if phase.is_end() => Next::Stop,
            _ if status.ending.is_some() => self.take_back(),
            _ if restart.deleted() && status.cancellable() => self.cancelled(),
            Phase::Accepted => self.accepted(),
            Phase::Checked => self.checked(),
            Phase::Cordoned if restart.spec.drain.enabled => self.enter(Phase::Draining, ""),
            Phase::Cordoned => self.intend(0),
            Phase::Draining => self.draining(),
            Phase::IntentRecorded => self.intent_recorded(),
            Phase::Sent => self.sent(),
            Phase::Rebooting => self.rebooting(),
            _ => self.end(Phase::Succeeded, "", ""),
        }
    }

    fn past(&self, since: Time, span: Span) -> bool {
        self.seen.now >= since.after(span)
    }

    fn enter(&self, phase: Phase, reason: &str) -> Next {
        Next::Write(Box::new(self.entering(phase, reason)))
    }

    fn entering(&self, phase: Phase, reason: &str) -> Status {
        let mut status = self.status.clone();
        (status.reason, status.message) = (reason.to_owned(), String::new());
        if status.phase != phase {
            status.phase = phase;
            status.history.push(Entered { phase, time: self.seen.now });
        }
        if phase.is_end() {
            status.ending = None;
            status.ended_at = Some(self.seen.now);
        }
        status
    }
}

// === impl Instance ===

impl From<&Instance> for crate::node_restart::Instance {
    fn from(instance: &Instance) -> Self {
        Self {
            id: instance.id.clone(),
            region: instance.region.clone(),
            state: format!("{:?}", instance.state),
            provider_state: instance.provider_state.clone(),
        }
    }
}
