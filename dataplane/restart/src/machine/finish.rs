//! The end, and what is taken back before it.

use super::{Effect, Machine, Next, Sight};
use crate::node_restart::{CANCELLED_BY, Cordon, Ending, Phase, Status};

// === impl Machine ===

impl Machine<'_> {
    pub(super) fn cancelled(&self) -> Next {
        let by = self.restart.metadata.annotations.get(CANCELLED_BY).map_or("somebody", String::as_str);
        self.end(Phase::Cancelled, "Cancelled", &format!("{by} deleted it"))
    }

    /// Takes the cordon back, then ends.
    pub(super) fn take_back(&self) -> Next {
        let Some(ending) = &self.status.ending else { return Next::Stop };
        let late = self.seen.waited && self.past(ending.time, self.pace.cleanup);
        match &self.seen.node {
            Sight::There(node) if node.cordoned_by() != Some(&self.restart.signature()) => {
                self.taken_back(ending.phase)
            }
            Sight::Gone => self.taken_back(ending.phase),
            Sight::There(_) | Sight::Unseen if late => self.left_cordoned(ending.phase),
            Sight::There(_) => Next::Do(Effect::Uncordon),
            Sight::Unseen => Next::Wait,
        }
    }

    pub(super) fn taken_back(&self, end: Phase) -> Next {
        let phase = if self.status.phase == Phase::Ready { Phase::Uncordoned } else { end };
        let mut status = self.entering(phase, &self.status.reason);
        status.message.clone_from(&self.status.message);
        if status.cordon == Some(Cordon::Made) {
            status.cordon = Some(Cordon::Restored);
        }
        Next::Write(Box::new(status))
    }

    pub(super) fn left_cordoned(&self, end: Phase) -> Next {
        let (phase, reason) = match end {
            Phase::Succeeded => (Phase::Failed, "StillCordoned"),
            end => (end, self.status.reason.as_str()),
        };
        let mut status = self.entering(phase, reason);
        let hint = format!("the node may still be cordoned: kubectl uncordon {}", self.restart.spec.node_name);
        let said = &self.status.message;
        status.message = if said.is_empty() { hint } else { format!("{said}; {hint}") };
        Next::Write(Box::new(status))
    }

    pub(super) fn end(&self, phase: Phase, reason: &str, message: &str) -> Next {
        Next::Write(Box::new(self.ending(phase, reason, message)))
    }

    /// The end is decided; before it comes, what was done is taken back.
    pub(super) fn ending(&self, phase: Phase, reason: &str, message: &str) -> Status {
        let mut status = match self.status.phase {
            Phase::Accepted => self.entering(phase, reason),
            _ => Status { ending: Some(Ending { phase, time: self.seen.now }), ..self.status.clone() },
        };
        (status.reason, status.message) = (reason.to_owned(), message.to_owned());
        status
    }
}
