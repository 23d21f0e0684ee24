//! `create`: a record that was not there.

use machinery::name::dns1123_subdomain;
use serde_json::value::to_raw_value;

use super::{Decided, deleting, exists};
use crate::{
    Changed, Error, Kind, New, Owner, Resource, Status, check,
    transaction::{Failure, Transaction, cluster_not_found},
};

pub(super) async fn create(transaction: &mut Transaction<'_>, new: New, id: String) -> Result<Decided, Failure> {
    check::name(new.kind, &new.name)?;
    check::labels(&new.labels)?;
    let spec = check::object("spec", &new.spec)?;
    let owner = owner(transaction, new.kind, new.owner.as_deref()).await?;
    let wanted = match &owner {
        Some(owner) => format!("{}.{}", owner.name, new.name),
        None => new.name.clone(),
    };
    let owner_id = owner.as_ref().map(|owner| owner.id.as_str());
    let (name_taken, object_taken) = transaction.taken(new.kind, owner_id, &new.name, &wanted).await?;
    if name_taken {
        return Err(exists(new.kind).into());
    }
    let usable = !object_taken && dns1123_subdomain(&wanted).is_empty();
    let resource = Resource {
        kind: new.kind,
        object_name: if usable { wanted } else { id.clone() },
        id,
        name: new.name,
        owner,
        spec,
        labels: new.labels,
        generation: 1,
        created: (transaction.now, new.by.clone()),
        updated: (transaction.now, new.by),
        deleted: None,
        status: to_raw_value(&Status::new()).expect("a status can be JSON"),
        kubernetes: to_raw_value(&serde_json::Map::new()).expect("an object can be JSON"),
        revision: 0,
    };
    Ok(Decided::Change(transaction.change(Changed::Created, resource, true)))
}

/// The cluster that a node pool is made in, locked so that it stays.
pub(super) async fn owner(
    transaction: &mut Transaction<'_>,
    kind: Kind,
    id: Option<&str>,
) -> Result<Option<Owner>, Failure> {
    if kind == Kind::Cluster {
        return Ok(None);
    }
    let id = id.ok_or_else(|| Error::Internal("a node pool without a cluster".to_owned()))?;
    let cluster = transaction.lock_cluster(id).await?.ok_or_else(|| cluster_not_found(id))?;
    if cluster.deleted.is_some() {
        return Err(deleting(&cluster).into());
    }
    Ok(Some(Owner { id: cluster.id, name: cluster.name, object_name: cluster.object_name }))
}
