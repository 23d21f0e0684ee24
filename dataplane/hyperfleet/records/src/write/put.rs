//! `put` and `keep`: what the Kubernetes view writes.

use serde_json::value::to_raw_value;

use super::{
    Decided, create,
    delete::{begin, settle},
    deleting, exists,
};
use crate::{
    Changed, Error, Json, Key, Kind, Put, Resource, Status, check,
    transaction::{Failure, Transaction, cluster_not_found},
};

pub(super) async fn put(transaction: &mut Transaction<'_>, put: Put) -> Result<Decided, Failure> {
    check::labels(&put.labels)?;
    let put =
        Put { spec: check::object("spec", &put.spec)?, kubernetes: check::object("metadata", &put.kubernetes)?, ..put };
    match put.expected {
        None => make(transaction, put).await,
        Some(expected) => {
            let found = transaction.lock_object(put.kind, &put.object_name).await?;
            let before = found.ok_or_else(|| missing(put.kind, &put.object_name))?;
            at(&before, expected)?;
            change(transaction, before, put).await
        }
    }
}

async fn make(transaction: &mut Transaction<'_>, put: Put) -> Result<Decided, Failure> {
    check::name(put.kind, &put.name)?;
    let owner = match (put.kind, &put.owner) {
        (Kind::NodePool, Some(called)) => {
            Some(transaction.cluster_called(called).await?.ok_or_else(|| cluster_not_found(called))?)
        }
        _ => None,
    };
    let owner = create::owner(transaction, put.kind, owner.as_deref()).await?;
    let owner_id = owner.as_ref().map(|owner| owner.id.as_str());
    let (name_taken, object_taken) = transaction.taken(put.kind, owner_id, &put.name, &put.object_name).await?;
    if name_taken || object_taken {
        return Err(exists(put.kind).into());
    }
    let resource = Resource {
        kind: put.kind,
        id: put.id,
        name: put.name,
        object_name: put.object_name,
        owner,
        spec: put.spec,
        labels: put.labels,
        generation: 1,
        created: (transaction.now, put.by.clone()),
        updated: (transaction.now, put.by),
        deleted: None,
        status: to_raw_value(&Status::new()).expect("a status can be JSON"),
        kubernetes: put.kubernetes,
        revision: 0,
    };
    Ok(Decided::Change(transaction.change(Changed::Created, resource, true)))
}

async fn change(transaction: &mut Transaction<'_>, before: Resource, put: Put) -> Result<Decided, Failure> {
    let relabelled = before.labels != put.labels;
    let respecified = before.spec.get() != put.spec.get();
    let kept = before.kubernetes.get() == put.kubernetes.get();
    if before.deleted.is_some() && (relabelled || respecified) {
        return Err(deleting(&before).into());
    }
    let ends = put.deleting && before.deleted.is_none();
    if !relabelled && !respecified && kept && !ends {
        return Ok(Decided::Same(Box::new(before)));
    }
    let by = put.by;
    let mut after = Resource { spec: put.spec, labels: put.labels, kubernetes: put.kubernetes, ..before };
    after.updated.1.clone_from(&by);
    if ends {
        return Ok(Decided::Change(begin(transaction, after, &by, relabelled).await?));
    }
    after.generation += i64::from(relabelled || respecified);
    Ok(Decided::Change(settle(transaction, after, relabelled).await?))
}

pub(super) async fn keep(
    transaction: &mut Transaction<'_>,
    key: &Key,
    expected: u64,
    kubernetes: Json,
) -> Result<Decided, Failure> {
    let kubernetes = check::object("metadata", &kubernetes)?;
    let before = transaction.lock(key).await?;
    at(&before, expected)?;
    if before.kubernetes.get() == kubernetes.get() {
        return Ok(Decided::Same(Box::new(before)));
    }
    Ok(Decided::Change(settle(transaction, Resource { kubernetes, ..before }, false).await?))
}

fn at(resource: &Resource, expected: u64) -> Result<(), Error> {
    let found = resource.revision;
    match found == expected {
        true => Ok(()),
        false => Err(Error::Conflict(format!("it is at revision {found}, not {expected}"))),
    }
}

fn missing(kind: Kind, name: &str) -> Error {
    Error::NotFound(format!("{} '{name}' not found", kind.as_str()))
}
