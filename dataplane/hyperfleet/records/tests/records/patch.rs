//! `patch`.

use anyhow::Result;
use hyperfleet_records::{Error, Patch};

use crate::world::{World, cluster, json, key, labels};

pub(crate) async fn another_spec_is_another_generation(world: &World) -> Result<()> {
    let made = world.cluster("one").await?;
    let patch = Patch { spec: Some(json(r#"{"a": 1}"#)), ..Patch::default() };
    let patched = world.records.patch(&key(&made), patch, "patcher").await?;
    assert_eq!((patched.generation, patched.spec.get()), (2, r#"{"a":1}"#));
    assert_eq!(patched.updated.1, "patcher");
    assert!(patched.revision > made.revision);
    let relabelled = Patch { labels: Some(labels(&[("k", "v")])), ..Patch::default() };
    assert_eq!(world.records.patch(&key(&made), relabelled, "patcher").await?.generation, 3);
    let read = world.read(&made).await?;
    assert_eq!((read.generation, read.spec.get(), read.created), (3, r#"{"a":1}"#, made.created));
    Ok(())
}

pub(crate) async fn nothing_different_changes_nothing(world: &World) -> Result<()> {
    let made = world.records.create(cluster("one", &[("k", "v")])).await?;
    let same = Patch { name: Some("one".to_owned()), spec: Some(json(" { } ")), labels: Some(labels(&[("k", "v")])) };
    for patch in [same, Patch::default()] {
        let patched = world.records.patch(&key(&made), patch, "patcher").await?;
        assert_eq!((patched.generation, patched.revision, patched.updated), (1, made.revision, made.updated.clone()));
    }
    assert_eq!(world.records.bounds().await?.head, made.revision);
    Ok(())
}

pub(crate) async fn labels_are_found_as_they_are_now(world: &World) -> Result<()> {
    let made = world.records.create(cluster("one", &[("old", "1"), ("both", "1")])).await?;
    let patch = Patch { labels: Some(labels(&[("both", "2"), ("new", "2")])), ..Patch::default() };
    world.records.patch(&key(&made), patch, "patcher").await?;
    for (search, expected) in
        [("labels.old is not null", 0), ("labels.both = '1'", 0), ("labels.both = '2' and labels.new = '2'", 1)]
    {
        assert_eq!(world.found(search).await?.len(), expected, "{search}");
    }
    Ok(())
}

pub(crate) async fn a_name_can_change(world: &World) -> Result<()> {
    let (one, two) = (world.cluster("one").await?, world.cluster("two").await?);
    let to = |name: &str| Patch { name: Some(name.to_owned()), ..Patch::default() };
    let renamed = world.records.patch(&key(&one), to("three"), "patcher").await?;
    assert_eq!((renamed.name.as_str(), renamed.object_name.as_str(), renamed.generation), ("three", "one", 1));
    assert!(matches!(world.records.patch(&key(&two), to("three"), "patcher").await, Err(Error::Conflict(_))));
    assert!(matches!(
        world.records.patch(&key(&two), to(&"x".repeat(64)), "patcher").await,
        Err(Error::Invalid { .. })
    ));
    // The name is free, its object's name is not.
    let second = world.cluster("one").await?;
    assert_eq!(second.object_name, second.id);
    Ok(())
}
