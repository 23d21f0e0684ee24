//! The intent to ask the provider, the question, and its answer.

use proto::node::{Error as NodeError, Take};

use super::{Effect, Intent, Machine, Next, Sight};
use crate::{
    node_restart::{Outcome, Phase, Planned, Record, Status},
    time::Span,
};

// === impl Machine ===

impl Machine<'_> {
    /// Writes the intent to take a step of the plan.
    pub(super) fn intend(&self, index: usize) -> Next {
        self.intend_with(index, |_| {})
    }

    pub(super) fn intend_with(&self, index: usize, change: impl FnOnce(&mut Status)) -> Next {
        let Self { restart, seen, .. } = self;
        let Some(planned) = self.planned(index) else {
            return self.end(Phase::Failed, "NoSteps", "the provider has no steps for it");
        };
        let mut status = self.entering(Phase::IntentRecorded, "");
        if index == 0 {
            let node = match self.untouched_node() {
                Ok(node) => node,
                Err(next) => return next,
            };
            if restart.spec.window.as_ref().is_some_and(|window| !window.open(seen.now)) {
                return self.end(Phase::Failed, "WindowClosed", "the window closed before the provider was asked");
            }
            // The last boot before the provider is asked: one during the drain was not ours.
            status.node.get_or_insert_default().boot_id.clone_from(&node.boot_id);
        }
        change(&mut status);
        let attempt = status.steps.get(index).map_or(1, |record| record.attempt + 1);
        status.steps.truncate(index);
        status.steps.push(Record {
            step: planned.step,
            mode: planned.mode,
            token: format!("{}-{index}", restart.metadata.uid),
            attempt,
            by: seen.worker.clone(),
            time: seen.now,
            outcome: None,
            request_id: String::new(),
            message: String::new(),
            retry_at: None,
        });
        Next::Write(Box::new(status))
    }

    pub(super) fn intent_recorded(&self) -> Next {
        let Some(record) = self.status.steps.last() else { return self.intend(0) };
        match (record.outcome, &self.seen.intent) {
            (Some(Outcome::Refused), _) if self.past(self.status.entered(), self.restart.spec.timeout) => {
                let message = format!("the provider refuses still: {}", record.message);
                self.end(Phase::Failed, &self.status.reason, &message)
            }
            (Some(Outcome::Refused), _) if record.retry_at.is_some_and(|time| time > self.seen.now) => Next::Wait,
            (Some(Outcome::Refused), _) => self.intend(self.status.steps.len() - 1),
            (None, Intent::Armed) => Next::Do(Effect::Take(Box::new(self.take(record)))),
            (None, Intent::Answered(answer)) => self.answered(answer),
            (None, Intent::Foreign) => {
                let message = "the worker ended before it knew whether the provider was asked";
                self.sent_with(Outcome::Ambiguous, "", message)
            }
            (Some(outcome), _) => self.sent_with(outcome, &record.request_id, &record.message),
        }
    }

    pub(super) fn take(&self, record: &Record) -> Take {
        let spec = &self.restart.spec;
        let found = self.status.node.clone().unwrap_or_default();
        let hint = match &self.seen.node {
            Sight::There(node) => node.hint(),
            Sight::Gone | Sight::Unseen => Default::default(),
        };
        // Whatever the node says by now: the machine is the one that was checked.
        let node = proto::node::Node { name: spec.node_name.clone(), provider_id: found.provider_id, ..hint };
        let reason = match spec.reason.as_str() {
            "" => format!("NodeRestart {}", self.restart.name()),
            reason => format!("NodeRestart {}: {reason}", self.restart.name()),
        };
        Take { node, step: record.step, token: record.token.clone(), reason }
    }

    pub(super) fn answered(&self, answer: &Result<String, NodeError>) -> Next {
        match answer {
            Ok(request_id) => self.sent_with(Outcome::Accepted, request_id, ""),
            Err(NodeError::Ambiguous(message)) => self.sent_with(Outcome::Ambiguous, "", message),
            Err(NodeError::Throttled { message, retry_after }) => self.refused("Throttled", message, *retry_after),
            Err(NodeError::Unreachable(message)) => self.refused("Unreachable", message, 0),
            Err(error) => {
                let off = match self.status.steps.len() {
                    0 | 1 => String::new(),
                    _ => ", after earlier steps were taken: look after the instance".to_owned(),
                };
                let message = format!("the provider refuses: {error}{off}");
                let mut status = self.ending(Phase::Failed, word(error), &message);
                if let Some(record) = status.steps.last_mut() {
                    (record.outcome, record.message) = (Some(Outcome::Refused), error.to_string());
                }
                Next::Write(Box::new(status))
            }
        }
    }

    /// Surely refused: there will be another intent.
    pub(super) fn refused(&self, reason: &str, message: &str, retry_after: u32) -> Next {
        let (first, longest) = self.pace.backoff;
        let mut status = self.status.clone();
        (status.reason, status.message) = (reason.to_owned(), message.to_owned());
        if let Some(record) = status.steps.last_mut() {
            let doubled = first.0.saturating_mul(1 << record.attempt.saturating_sub(1).min(16));
            let pause = Span(doubled.min(longest.0)).max(Span::from_secs(u64::from(retry_after)));
            (record.outcome, record.message) = (Some(Outcome::Refused), message.to_owned());
            record.retry_at = Some(self.seen.now.after(pause));
        }
        Next::Write(Box::new(status))
    }

    pub(super) fn sent_with(&self, outcome: Outcome, request_id: &str, message: &str) -> Next {
        let mut status = self.entering(Phase::Sent, "");
        if let Some(record) = status.steps.last_mut() {
            record.outcome = Some(outcome);
            (record.request_id, record.message) = (request_id.to_owned(), message.to_owned());
        }
        if outcome == Outcome::Ambiguous {
            status.reason = "Ambiguous".to_owned();
            status.message = format!("{message}: waiting to see whether the node restarts");
        }
        Next::Write(Box::new(status))
    }

    pub(super) fn planned(&self, index: usize) -> Option<&Planned> {
        self.status.plan.as_ref()?.steps.get(index)
    }
}

/// A refusal in a word.
pub(crate) fn word(error: &NodeError) -> &'static str {
    match error {
        NodeError::Invalid(_) => "Invalid",
        NodeError::NotFound(_) => "InstanceNotFound",
        NodeError::Forbidden(_) => "Forbidden",
        NodeError::Conflict(_) => "InstanceState",
        NodeError::Unsupported(_) => "Unsupported",
        NodeError::Throttled { .. } => "Throttled",
        NodeError::Unreachable(_) => "Unreachable",
        NodeError::Ambiguous(_) => "Ambiguous",
    }
}
