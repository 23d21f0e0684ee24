//! `patch`: some of a record.

use super::{Decided, deleting, exists};
use crate::{
    Changed, Key, Patch, Resource, check,
    transaction::{Failure, Transaction},
};

pub(super) async fn patch(
    transaction: &mut Transaction<'_>,
    key: &Key,
    patch: Patch,
    by: String,
) -> Result<Decided, Failure> {
    let before = transaction.lock(key).await?;
    if before.deleted.is_some() {
        return Err(deleting(&before).into());
    }
    let mut after = before.clone();
    if let Some(name) = patch.name.filter(|name| *name != before.name) {
        rename(transaction, &mut after, name).await?;
    }
    if let Some(spec) = patch.spec {
        after.spec = check::object("spec", &spec)?;
    }
    if let Some(labels) = patch.labels {
        check::labels(&labels)?;
        after.labels = labels;
    }
    after.updated = (transaction.now, by);
    changed(transaction, before, after).await
}

async fn rename(transaction: &mut Transaction<'_>, resource: &mut Resource, name: String) -> Result<(), Failure> {
    check::name(resource.kind, &name)?;
    let owner = resource.owner.as_ref().map(|owner| owner.id.as_str());
    if transaction.taken(resource.kind, owner, &name, "").await?.0 {
        return Err(exists(resource.kind).into());
    }
    resource.name = name;
    Ok(())
}

/// Stores what is different, if anything is. Another spec or other labels are another generation, of which adapters
/// have yet to speak.
pub(super) async fn changed(
    transaction: &mut Transaction<'_>,
    before: Resource,
    mut after: Resource,
) -> Result<Decided, Failure> {
    let relabelled = before.labels != after.labels;
    if relabelled || before.spec.get() != after.spec.get() {
        after.generation += 1;
        let reports = transaction.reports(after.kind, &after.id).await?;
        return Ok(Decided::Change(transaction.settle(after, &reports, relabelled).await?));
    }
    match before.name != after.name {
        true => Ok(Decided::Change(transaction.change(Changed::Updated, after, false))),
        false => Ok(Decided::Same(Box::new(before))),
    }
}
