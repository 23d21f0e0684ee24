//! What is told of a restart as events on its node. Each fact is one event, however often it is told.

use crate::{
    cluster::Event,
    node_restart::{Cordon, NodeRestart, Outcome, Phase},
    parts::Parts,
    time::Time,
};

/// Tells of the phase that a restart has entered. What cannot be told is in the object.
pub(crate) async fn tell(parts: &Parts, restart: &NodeRestart, node_uid: &str) {
    let Some(event) = event(restart, node_uid, parts.now(), &parts.id) else { return };
    if let Err(error) = parts.cluster.tell(&event).await {
        tracing::warn!(k8s.name = restart.name(), "an event about {} cannot be written: {error}", restart.name());
    }
}

fn event(restart: &NodeRestart, node_uid: &str, now: Time, instance: &str) -> Option<Event> {
    let (name, spec, status) = (restart.name(), &restart.spec, &restart.status);
    let why = if spec.reason.is_empty() { String::new() } else { format!(": {}", spec.reason) };
    let how = if status.message.is_empty() { String::new() } else { format!(": {}", status.message) };
    let (reason, message) = match status.phase {
        Phase::Accepted => {
            ("RestartAccepted", format!("{name}: {:?}, asked for by {}{why}", spec.mode, spec.requested_by.username))
        }
        Phase::Cordoned if status.cordon == Some(Cordon::Made) => ("RestartCordoned", format!("{name}: cordoned")),
        Phase::Draining => ("RestartDraining", format!("{name}: evicting pods")),
        Phase::Sent => {
            let record = status.steps.last()?;
            let outcome = if record.outcome == Some(Outcome::Accepted) { "accepted" } else { "may have been asked" };
            ("RestartSent", format!("{name}: {:?}, provider {} {outcome}", record.step, status.provider))
        }
        Phase::Rebooting => ("RestartRebooted", format!("{name}: the node has a new bootID")),
        Phase::Succeeded => ("RestartSucceeded", format!("{name}: the node is Ready again")),
        Phase::Failed => ("RestartFailed", format!("{name}: {}{how}", status.reason)),
        Phase::Cancelled => ("RestartCancelled", format!("{name}{how}")),
        Phase::Unknown => ("RestartUnknown", format!("{name}: {}{how}", status.reason)),
        _ => return None,
    };
    let uid = restart.metadata.uid.get(..8).unwrap_or(&restart.metadata.uid);
    Some(Event {
        name: format!("{name}.{uid}.{}", status.history.len()),
        node: spec.node_name.clone(),
        uid: node_uid.to_owned(),
        warning: matches!(status.phase, Phase::Failed | Phase::Unknown),
        reason: reason.to_owned(),
        // What the API takes at most.
        message: message.chars().take(1024).collect(),
        time: now.0.as_unix(),
        instance: instance.to_owned(),
    })
}
