//! The log: `changes`, `as_of`, `changed`, `bounds`, and what is forgotten.

use std::time::Duration;

use anyhow::Result;
use hyperfleet_records::{Changed, Error, Kind, Options, Patch, Records, Resource};

use crate::world::{World, json, key};

fn spec(text: &str) -> Patch {
    Patch { spec: Some(json(text)), ..Patch::default() }
}

fn names(resources: &[Resource]) -> Vec<&str> {
    resources.iter().map(|resource| resource.name.as_str()).collect()
}

pub(crate) async fn every_change_is_in_the_log(world: &World) -> Result<()> {
    let one = world.cluster("one").await?;
    let pool = world.node_pool(&one, "pool").await?;
    world.records.patch(&key(&one), spec(r#"{"a":1}"#), "x").await?;
    world.reports(&one, "dns", 2, &[("Available", "True"), ("Finalized", "True")]).await?;
    world.records.delete(&key(&one), "x").await?;
    world.reports(&one, "dns", 3, &[("Finalized", "True")]).await?;

    let (changes, upto) = world.records.changes(Kind::Cluster, 0).await?;
    assert_eq!(upto, world.records.bounds().await?.head);
    let kinds: Vec<_> = changes.iter().map(|change| change.changed).collect();
    assert_eq!(kinds, [Changed::Created, Changed::Updated, Changed::Updated, Changed::Updated, Changed::Gone]);
    for pair in changes.windows(2) {
        assert!(pair[0].revision < pair[1].revision);
        if let Some(previous) = &pair[1].previous {
            assert_eq!((previous.revision, previous.generation), (pair[0].revision, pair[0].resource.generation));
            assert_eq!(previous.status.get(), pair[0].resource.status.get());
        }
    }
    assert!(changes[0].previous.is_none() && changes[1].previous.is_some() && changes[4].previous.is_none());
    assert_eq!((changes[1].resource.spec.get(), changes[1].resource.revision), (r#"{"a":1}"#, changes[1].revision));
    assert!(changes[4].resource.deleted.is_some());

    let (of_pools, _) = world.records.changes(Kind::NodePool, 0).await?;
    assert_eq!(of_pools.iter().map(|change| change.changed).collect::<Vec<_>>(), [Changed::Created, Changed::Gone]);
    assert_eq!(of_pools[0].resource.owner, pool.owner);
    let (later, _) = world.records.changes(Kind::Cluster, changes[2].revision).await?;
    assert_eq!(later.len(), 2);
    assert_eq!(world.records.changes(Kind::Cluster, upto).await?.0.len(), 0);
    Ok(())
}

pub(crate) async fn a_list_is_as_of_a_revision(world: &World) -> Result<()> {
    let (b, a) = (world.cluster("b").await?, world.cluster("a").await?);
    let before = a.revision;
    world.records.patch(&key(&a), spec(r#"{"a":1}"#), "x").await?;
    world.cluster("c").await?;
    world.records.delete(&key(&b), "x").await?;
    world.cluster("b").await?;

    let as_of = async |at, after: Option<&'static str>, rows| world.records.as_of(Kind::Cluster, at, after, rows).await;
    let then = as_of(before, None, 10).await?;
    assert_eq!(names(&then), ["a", "b"]);
    assert_eq!((then[0].spec.get(), then[0].revision, then[1].id.as_str()), ("{}", a.revision, b.id.as_str()));
    assert_eq!(names(&as_of(b.revision, None, 10).await?), ["b"]);
    let head = world.records.bounds().await?.head;
    assert_eq!(names(&as_of(head, None, 10).await?), ["a", "b", "c"]);
    assert_eq!(names(&as_of(head - 1, None, 10).await?), ["a", "c"]);
    assert_eq!(names(&as_of(head, None, 2).await?), ["a", "b"]);
    assert_eq!(names(&as_of(head, Some("b"), 2).await?), ["c"]);
    assert_eq!(names(&as_of(0, None, 2).await?), [""; 0]);
    assert_eq!(names(&world.records.as_of(Kind::NodePool, head, None, 2).await?), [""; 0]);
    Ok(())
}

pub(crate) async fn old_changes_are_forgotten(world: &World) -> Result<()> {
    let (old, gone, changed) =
        (world.cluster("old").await?, world.cluster("gone").await?, world.cluster("changed").await?);
    for number in 0..20 {
        world.records.patch(&key(&changed), spec(&format!("{{\"n\":{number}}}")), "x").await?;
    }
    world.records.delete(&key(&gone), "x").await?;
    let head = world.records.bounds().await?.head;
    let (records, _process) =
        world.again(Options { retention: Some(Duration::from_millis(1)), ..Options::default() }).await?;
    kit::eventually!(records.bounds().await?.compacted == head, "all is forgotten");

    assert_eq!(
        records.changes(Kind::Cluster, old.revision).await.expect_err("it is refused"),
        Error::Compacted { oldest: head }
    );
    assert_eq!(
        records.as_of(Kind::Cluster, old.revision, None, 9).await.expect_err("it is refused"),
        Error::Compacted { oldest: head }
    );
    assert_eq!(records.changes(Kind::Cluster, head).await?.0.len(), 0);
    // What is there is known, however old; what is not takes no room.
    let now = records.as_of(Kind::Cluster, head, None, 9).await?;
    assert_eq!(names(&now), ["changed", "old"]);
    assert_eq!(now[0].spec.get(), r#"{"n":19}"#);
    assert_eq!(world.sql("SELECT count(*) FROM log")?.trim(), "2");

    // A change of it still has what was before.
    let last = records.patch(&key(&old), spec(r#"{"x":1}"#), "x").await?;
    if let Ok((changes, _)) = records.changes(Kind::Cluster, head).await {
        assert_eq!(
            (changes[0].revision, changes[0].previous.as_ref().map(|before| before.revision)),
            (last.revision, Some(old.revision))
        );
    }
    Ok(())
}

async fn is_woken(waiting: &Records, writing: &World) -> Result<()> {
    let head = waiting.bounds().await?.head;
    let (woken, made) = tokio::join!(tokio::time::timeout(kit::PATIENCE, waiting.changed(head)), writing.cluster("x"));
    woken??;
    assert!(made?.revision > head && waiting.bounds().await?.head > head);
    Ok(())
}

pub(crate) async fn who_waits_is_woken(world: &World) -> Result<()> {
    is_woken(&world.records, world).await?;
    // What is there already need not be waited for.
    tokio::time::timeout(kit::PATIENCE, world.records.changed(0)).await??;
    Ok(())
}

pub(crate) async fn another_process_wakes_too(world: &World) -> Result<()> {
    let (other, _process) = world.again(Options::default()).await?;
    is_woken(&other, world).await
}
