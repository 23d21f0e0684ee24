//! `delete`: asks for a record's end, and that of its node pools. `force`: makes it.

use super::Decided;
use crate::{
    Changed, Error, Key, Kind, Resource,
    transaction::{Failure, Transaction},
};

pub(super) async fn delete(transaction: &mut Transaction<'_>, key: &Key, by: String) -> Result<Decided, Failure> {
    let resource = transaction.lock(key).await?;
    if resource.deleted.is_some() {
        return Ok(Decided::Same(Box::new(resource)));
    }
    Ok(Decided::Change(begin(transaction, resource, &by, false).await?))
}

/// Marks a record and what it owns; what nothing holds goes at once.
pub(super) async fn begin(
    transaction: &mut Transaction<'_>,
    mut resource: Resource,
    by: &str,
    relabelled: bool,
) -> Result<usize, Failure> {
    if resource.kind == Kind::Cluster {
        for mut child in transaction.lock_children(&resource.id).await? {
            if child.deleted.is_none() {
                mark(transaction, &mut child, by);
                let reports = transaction.reports(child.kind, &child.id).await?;
                transaction.settle(child, &reports, false).await?;
            }
        }
    }
    mark(transaction, &mut resource, by);
    settle(transaction, resource, relabelled).await
}

fn mark(transaction: &Transaction<'_>, resource: &mut Resource, by: &str) {
    resource.deleted = Some((transaction.now, by.to_owned()));
    resource.updated = (transaction.now, by.to_owned());
    resource.generation += 1;
}

/// Aggregates a record, and, if it is a node pool that goes, the cluster that may have waited for that.
pub(super) async fn settle(
    transaction: &mut Transaction<'_>,
    resource: Resource,
    relabelled: bool,
) -> Result<usize, Failure> {
    let reports = transaction.reports(resource.kind, &resource.id).await?;
    let owner = resource.owner.as_ref().map(|owner| owner.id.clone());
    let place = transaction.settle(resource, &reports, relabelled).await?;
    if transaction.is_gone(place) {
        left(transaction, owner.as_deref()).await?;
    }
    Ok(place)
}

/// A node pool of this cluster is gone: if the cluster is to go too, it may be its turn.
pub(super) async fn left(transaction: &mut Transaction<'_>, cluster: Option<&str>) -> Result<(), Failure> {
    let Some(cluster) = cluster else { return Ok(()) };
    let Some(cluster) = transaction.lock_cluster(cluster).await? else { return Ok(()) };
    if cluster.deleted.is_some() {
        let reports = transaction.reports(cluster.kind, &cluster.id).await?;
        transaction.settle(cluster, &reports, false).await?;
    }
    Ok(())
}

pub(super) async fn force(transaction: &mut Transaction<'_>, key: &Key) -> Result<Decided, Failure> {
    let resource = transaction.lock(key).await?;
    if resource.deleted.is_none() {
        let (kind, id) = (resource.kind.as_str(), &resource.id);
        return Err(Error::Conflict(format!("{kind} '{id}' is not being deleted: DELETE it first")).into());
    }
    if resource.kind == Kind::Cluster {
        for child in transaction.lock_children(&resource.id).await? {
            transaction.change(Changed::Gone, child, false);
        }
    }
    let owner = resource.owner.as_ref().map(|owner| owner.id.clone());
    let place = transaction.change(Changed::Gone, resource, false);
    left(transaction, owner.as_deref()).await?;
    Ok(Decided::Change(place))
}
