//! Before the provider is asked: whether it may begin, the cordon, the drain.

use super::{Effect, Gate, Machine, NAMED, Next, Opening, Sight, WINDOW_PATIENCE, begins, due};
use crate::{
    cluster::Node,
    node_restart::{Blocking, Cordon, Drained, Phase, Status},
    time::{Span, Time},
};

// === impl Machine ===

impl Machine<'_> {
    pub(super) fn accepted(&self) -> Next {
        let begins = begins(self.restart, self.seen.now);
        if begins > self.seen.now {
            let reason = if due(self.restart) > self.seen.now { "NotBefore" } else { "Window" };
            return self.waiting(reason, &format!("it begins at {begins}"));
        }
        match &self.seen.gate {
            Some(Gate::Open(opening)) => {
                let Opening { provider, node, instance, plan } = &**opening;
                let mut status = self.entering(Phase::Checked, "");
                status.provider.clone_from(provider);
                status.node = Some(node.clone());
                status.instance = Some(instance.into());
                status.plan = Some(plan.clone());
                status.began_at = Some(self.seen.now);
                Next::Write(Box::new(status))
            }
            Some(Gate::Shut { reason, message, passing: true }) if !self.past(self.patience(), Span::default()) => {
                self.waiting(reason, message)
            }
            Some(Gate::Shut { reason, message, .. }) => self.end(Phase::Failed, reason, message),
            None if self.past(self.patience(), Span::default()) => {
                self.end(Phase::Failed, "NotBegun", "nobody could tell whether it may begin")
            }
            None => Next::Wait,
        }
    }

    pub(super) fn checked(&self) -> Next {
        let node = match self.untouched_node() {
            Ok(node) => node,
            Err(next) => return next,
        };
        let cordon = match node.cordoned_by() {
            Some(by) if by == self.restart.signature() => Cordon::Made,
            _ if node.unschedulable => Cordon::Found,
            _ if self.past(self.status.entered(), self.restart.spec.timeout) => {
                return self.end(Phase::Failed, "NotCordoned", "the node could not be cordoned");
            }
            _ => return Next::Do(Effect::Cordon),
        };
        let mut status = self.entering(Phase::Cordoned, "");
        status.cordon = Some(cordon);
        Next::Write(Box::new(status))
    }

    pub(super) fn draining(&self) -> Next {
        if let Err(next) = self.untouched_node() {
            return next;
        }
        let overtime = self.past(self.status.entered(), self.restart.spec.drain.timeout);
        let Some((sorted, drained)) = &self.seen.drain else {
            return if overtime { self.undrained(&Drained::default()) } else { Next::Wait };
        };
        let drained = Drained { total: drained.total, left: drained.left, blocking: first(&drained.blocking) };
        if !sorted.blocked.is_empty() {
            let drained = Drained { blocking: first(&sorted.blocked), ..drained };
            let message = format!("pods that may not be evicted: {}", named(&drained));
            return self.undrained_as("DrainRefused", &message, drained);
        }
        if drained.left == 0 {
            return self.intend_with(0, |status| status.drain = Some(drained));
        }
        if overtime {
            return self.undrained(&drained);
        }
        if self.status.drain.as_ref() != Some(&drained) {
            let mut status = self.status.clone();
            status.message = format!("{} of {} pods are left", drained.left, drained.total);
            status.drain = Some(drained);
            return Next::Write(Box::new(status));
        }
        match sorted.to_go.is_empty() {
            true => Next::Wait,
            false => Next::Do(Effect::Evict(sorted.to_go.clone())),
        }
    }

    pub(super) fn undrained(&self, drained: &Drained) -> Next {
        let timeout = self.restart.spec.drain.timeout;
        let message = format!("after {timeout} {} pods are left: {}", drained.left, named(drained));
        self.undrained_as("DrainTimeout", &message, drained.clone())
    }

    pub(super) fn undrained_as(&self, reason: &str, message: &str, drained: Drained) -> Next {
        let mut status = self.ending(Phase::Failed, reason, message);
        status.drain = Some(drained);
        Next::Write(Box::new(status))
    }

    /// The node as it was found, or what to do instead. For before the provider is asked.
    pub(super) fn untouched_node(&self) -> Result<&Node, Next> {
        match &self.seen.node {
            Sight::Unseen if self.past(self.status.entered(), self.restart.spec.timeout) => {
                Err(self.end(Phase::Failed, "NodeUnseen", "the node could not be looked at"))
            }
            Sight::Unseen => Err(Next::Wait),
            Sight::Gone => Err(self.end(Phase::Failed, "NodeGone", "the node is gone")),
            Sight::There(node) => {
                let found = self.status.node.as_ref();
                match found.is_some_and(|found| found.uid == node.uid && found.provider_id == node.provider_id) {
                    true => Ok(node),
                    false => Err(self.replaced()),
                }
            }
        }
    }

    /// Until when it is waited for a begin.
    pub(super) fn patience(&self) -> Time {
        let spec = &self.restart.spec;
        let until = due(self.restart).after(spec.timeout);
        if spec.window.is_some() { until.after(WINDOW_PATIENCE) } else { until }
    }

    pub(super) fn waiting(&self, reason: &str, message: &str) -> Next {
        if self.status.reason == reason && self.status.message == message {
            return Next::Wait;
        }
        let (reason, message) = (reason.to_owned(), message.to_owned());
        Next::Write(Box::new(Status { reason, message, ..self.status.clone() }))
    }
}

fn first(blocking: &[Blocking]) -> Vec<Blocking> {
    blocking.iter().take(NAMED).cloned().collect()
}

fn named(drained: &Drained) -> String {
    let names = drained.blocking.iter().map(|pod| format!("{}/{}: {}", pod.namespace, pod.name, pod.reason));
    let names: Vec<_> = names.collect();
    if names.is_empty() { "they could not be listed".to_owned() } else { names.join("; ") }
}
