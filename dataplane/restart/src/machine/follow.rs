//! After the provider was asked: what the machine and its node do.

use proto::node::{State, Step};

use super::{Machine, Next, Sight};
use crate::{
    cluster::Node,
    node_restart::{Ending, Outcome, Phase, Record, Status},
    time::Time,
};

// === impl Machine ===

impl Machine<'_> {
    pub(super) fn sent(&self) -> Next {
        let Some(record) = self.status.steps.last() else {
            return self.end(Phase::Unknown, "NoIntent", "there is no record of what was sent");
        };
        let stopping = record.step == Step::Stop;
        if let Sight::There(node) = &self.seen.node {
            match self.is_machine(node) {
                true if self.rebooted(node) => {
                    let mut status = self.entering(Phase::Rebooting, "");
                    status.boot_id.clone_from(&node.boot_id);
                    return Next::Write(Box::new(status));
                }
                // Who stops a machine must start it, whatever becomes of its node.
                false if !stopping => return self.replaced(),
                _ => {}
            }
        }
        let timeout = self.restart.spec.timeout;
        let next = self.status.steps.len();
        match self.planned(next) {
            Some(_) if stopping => match self.seen.instance.as_ref().map(|instance| instance.state) {
                Some(State::Stopped) => self.intend(next),
                _ if self.overdue(record.time) => {
                    let message = "the instance was not seen to stop: see whether it is off, and start it";
                    self.end(Phase::Unknown, "NotStopped", message)
                }
                _ => self.watching(),
            },
            Some(_) if self.past(record.time, self.pace.soft.min(timeout)) => self.intend(next),
            None if self.overdue(record.time) => self.unseen(record),
            _ => self.watching(),
        }
    }

    /// Nothing was seen to happen in time.
    pub(super) fn unseen(&self, record: &Record) -> Next {
        let timeout = self.restart.spec.timeout;
        let (phase, reason, what) = match (&self.seen.node, record.outcome) {
            (_, Some(Outcome::Ambiguous)) => {
                let what = format!("nobody can tell whether the provider has acted ({})", record.message);
                (Phase::Unknown, "Ambiguous", what)
            }
            (Sight::There(node), _) if node.ready => {
                (Phase::Failed, "NotRestarted", "the provider accepted, and the node has its old bootID".to_owned())
            }
            (Sight::There(_) | Sight::Unseen, _) => {
                (Phase::Failed, "NotReturned", "the provider accepted, and the node has not come back".to_owned())
            }
            (Sight::Gone, _) => (Phase::Failed, "NodeGone", "the node is gone".to_owned()),
        };
        self.end(phase, reason, &format!("after {timeout} {what}{}", self.instance_says()))
    }

    pub(super) fn rebooting(&self) -> Next {
        let sent = self.status.steps.last().map_or(self.status.entered(), |record| record.time);
        match &self.seen.node {
            Sight::There(node) if !self.is_machine(node) => return self.replaced(),
            Sight::There(node) if node.ready && self.rebooted(node) => {
                let mut status = self.entering(Phase::Ready, "");
                status.boot_id.clone_from(&node.boot_id);
                status.ending = Some(Ending { phase: Phase::Succeeded, time: self.seen.now });
                return Next::Write(Box::new(status));
            }
            _ => {}
        }
        let timeout = self.restart.spec.timeout;
        if self.overdue(sent) {
            let message = format!("after {timeout} the node has restarted and is not Ready{}", self.instance_says());
            return self.end(Phase::Failed, "NotReady", &message);
        }
        self.watching()
    }

    pub(super) fn replaced(&self) -> Next {
        self.end(Phase::Failed, "NodeReplaced", "another node has its name by now, or it has another providerID")
    }

    /// Whether the node is on the machine that was asked for; a node that was deleted and registered again is.
    pub(super) fn is_machine(&self, node: &Node) -> bool {
        self.status.node.as_ref().is_some_and(|found| {
            node.uid == found.uid || (!found.provider_id.is_empty() && node.provider_id == found.provider_id)
        })
    }

    pub(super) fn rebooted(&self, node: &Node) -> bool {
        let before = self.status.node.as_ref().map(|found| found.boot_id.as_str());
        !node.boot_id.is_empty() && before != Some(node.boot_id.as_str())
    }

    /// Whether what was sent then should have been followed by now, by a look at the node.
    pub(super) fn overdue(&self, sent: Time) -> bool {
        let looked = self.seen.waited || self.seen.node != Sight::Unseen;
        looked && self.past(sent, self.restart.spec.timeout)
    }

    /// Waits, and tells what the machine does.
    pub(super) fn watching(&self) -> Next {
        let instance = self.seen.instance.as_ref().map(Into::into);
        if instance.is_none() || instance == self.status.instance {
            return Next::Wait;
        }
        Next::Write(Box::new(Status { instance, ..self.status.clone() }))
    }

    pub(super) fn instance_says(&self) -> String {
        let Some(instance) = &self.seen.instance else { return String::new() };
        format!("; its instance {} is {}", instance.id, instance.provider_state)
    }
}
