//! `delete` and `force_delete`.

use anyhow::Result;
use hyperfleet_records::{Error, Kind, Patch, Resource};

use crate::world::{World, json, key, node_pool, report};

async fn is_gone(world: &World, resource: &Resource) -> bool {
    matches!(world.records.get(&key(resource)).await, Err(Error::NotFound(_)))
}

pub(crate) async fn what_nothing_holds_goes_at_once(world: &World) -> Result<()> {
    let one = world.cluster("one").await?;
    let pool = world.node_pool(&one, "pool").await?;
    let deleted = world.records.delete(&key(&one), "deleter").await?;
    assert_eq!((deleted.generation, deleted.deleted.map(|(_, by)| by)), (2, Some("deleter".to_owned())));
    assert!(is_gone(world, &one).await && is_gone(world, &pool).await);
    for kind in [Kind::Cluster, Kind::NodePool] {
        let query = hyperfleet_records::Query { limit: 10, ..Default::default() };
        assert_eq!(world.records.list(kind, None, &query).await?.total, 0);
    }
    let left = world.sql("SELECT (SELECT count(*) FROM labels) + (SELECT count(*) FROM adapter_statuses)")?;
    assert_eq!(left.trim(), "0");
    Ok(())
}

pub(crate) async fn adapters_finalize(world: &World) -> Result<()> {
    let one = world.cluster("one").await?;
    world.reports(&one, "dns", 1, &[("Available", "True"), ("Finalized", "True")]).await?;
    let deleted = world.records.delete(&key(&one), "deleter").await?;
    assert_eq!(deleted.generation, 2);
    let again = world.records.delete(&key(&one), "another").await?;
    assert_eq!((again.generation, again.revision), (2, deleted.revision));
    let status = world.status(&one).await?;
    let reconciled = status.conditions.iter().find(|condition| condition.r#type == "Reconciled").expect("Reconciled");
    assert_eq!(
        (reconciled.status.as_str(), reconciled.reason.as_deref()),
        ("False", Some("ReconciledMissingAdapters"))
    );
    assert_eq!(world.found("deleted_time is not null and deleted_by = 'deleter'").await?, ["one"]);
    world.reports(&one, "dns", 2, &[("Available", "True"), ("Finalized", "False")]).await?;
    assert!(!is_gone(world, &one).await);
    world.reports(&one, "dns", 2, &[("Finalized", "True")]).await?;
    assert!(is_gone(world, &one).await);
    Ok(())
}

pub(crate) async fn node_pools_go_first(world: &World) -> Result<()> {
    let one = world.cluster("one").await?;
    let (held, free) = (world.node_pool(&one, "held").await?, world.node_pool(&one, "free").await?);
    world.reports(&held, "dns", 1, &[("Available", "True")]).await?;
    world.records.delete(&key(&one), "deleter").await?;
    assert!(is_gone(world, &free).await && !is_gone(world, &held).await && !is_gone(world, &one).await);
    let status = world.status(&one).await?;
    let reason = status.conditions.first().and_then(|condition| condition.reason.clone());
    assert_eq!(reason.as_deref(), Some("ReconciledWaitingForChildren"));
    assert_eq!(world.read(&held).await?.deleted.map(|(_, by)| by).as_deref(), Some("deleter"));
    world.reports(&held, "dns", 2, &[("Finalized", "True")]).await?;
    assert!(is_gone(world, &held).await && is_gone(world, &one).await);
    Ok(())
}

pub(crate) async fn force_goes_at_once(world: &World) -> Result<()> {
    let one = world.cluster("one").await?;
    let pool = world.node_pool(&one, "pool").await?;
    for resource in [&one, &pool] {
        world.reports(resource, "dns", 1, &[("Available", "True")]).await?;
        assert!(matches!(world.records.force_delete(&key(resource), "why", "x").await, Err(Error::Conflict(_))));
    }
    world.records.delete(&key(&one), "deleter").await?;
    world.records.force_delete(&key(&one), "why", "x").await?;
    assert!(is_gone(world, &one).await && is_gone(world, &pool).await);

    let two = world.cluster("two").await?;
    let pool = world.node_pool(&two, "pool").await?;
    world.reports(&pool, "dns", 1, &[("Available", "True")]).await?;
    world.records.delete(&key(&two), "deleter").await?;
    world.records.force_delete(&key(&pool), "why", "x").await?;
    assert!(is_gone(world, &two).await, "its last node pool is gone");
    Ok(())
}

pub(crate) async fn what_is_being_deleted_takes_no_changes(world: &World) -> Result<()> {
    let one = world.cluster("one").await?;
    world.reports(&one, "dns", 1, &[("Available", "True")]).await?;
    world.records.delete(&key(&one), "deleter").await?;
    let patch = Patch { spec: Some(json(r#"{"a":1}"#)), ..Patch::default() };
    assert!(matches!(world.records.patch(&key(&one), patch, "x").await, Err(Error::Conflict(_))));
    assert!(matches!(world.records.create(node_pool(&one, "pool")).await, Err(Error::Conflict(_))));
    assert!(
        matches!(world.records.create(crate::world::cluster("one", &[])).await, Err(Error::Conflict(_))),
        "it is still there"
    );
    assert!(world.records.report(&key(&one), report("dns", 2, &[("Available", "False")])).await.is_ok());
    Ok(())
}
