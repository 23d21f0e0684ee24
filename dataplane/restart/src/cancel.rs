//! Cancels a restart before the provider is asked, and removes one that has ended.

use machinery::status::Status;
use proto::{restart::Cancel, store};
use tracing::info;

use crate::{
    node_restart::{CANCELLED_BY, FINALIZER, NodeRestart},
    parts::Parts,
    refusal::{Refusal, no_restart, restart_conflict},
};

/// How often it is looked again when others are faster.
const ATTEMPTS: u32 = 20;

/// Cancels, as [`proto::restart::Restarts::cancel`] says. That and the intent to ask the provider are each written by
/// compare-and-write: one of them is first.
pub(crate) async fn cancel(parts: &Parts, cancel: Cancel) -> Result<(), Status> {
    let stored = |error: &store::Error| *Refusal::store(error).status;
    for _ in 0..ATTEMPTS {
        let Some(mut kept) = parts.records.get(&cancel.name).await.map_err(|error| stored(&error))? else {
            return Err(no_restart(&cancel.name));
        };
        check(&kept.restart, &cancel)?;
        let restart = &mut kept.restart;
        let written = if restart.ended() {
            parts.records.remove(&kept).await
        } else if restart.deleted() {
            return Ok(());
        } else {
            restart.metadata.deletion_timestamp = Some(parts.now());
            restart.metadata.deletion_grace_period_seconds = Some(0);
            restart.metadata.finalizers = vec![FINALIZER.to_owned()];
            restart.metadata.annotations.insert(CANCELLED_BY.to_owned(), cancel.user.name.clone());
            parts.records.update(&kept.restart, kept.revision).await.map(|_| ())
        };
        match written {
            Ok(()) => {
                info!(k8s.name = cancel.name, user = cancel.user.name, "cancelled the restart {}", cancel.name);
                return Ok(());
            }
            Err(store::Error::Conflict { .. } | store::Error::NotFound { .. }) => {}
            Err(error) => return Err(stored(&error)),
        }
    }
    Err(Status::unavailable("the restart changes too fast to be cancelled", 1))
}

fn check(restart: &NodeRestart, cancel: &Cancel) -> Result<(), Status> {
    if !cancel.uid.is_empty() && restart.metadata.uid != cancel.uid {
        let (precondition, uid) = (&cancel.uid, &restart.metadata.uid);
        let why = format!("Precondition failed: UID in precondition: {precondition}, UID in object meta: {uid}");
        return Err(restart_conflict(&cancel.name, &why));
    }
    let status = &restart.status;
    if restart.ended() || status.ending.is_some() || status.cancellable() {
        return Ok(());
    }
    let why =
        format!("the provider has been asked, so it cannot be cancelled any more (phase {})", status.phase.as_str());
    Err(restart_conflict(&cancel.name, &why))
}
