//! `create` and `get`.

use anyhow::Result;
use hyperfleet_records::{Error, Key, Kind, New, Phase, ZERO_TIME};

use crate::world::{World, cluster, json, key, labels, node_pool, status};

pub(crate) async fn a_record_is_read_as_it_was_made(world: &World) -> Result<()> {
    let new = New {
        spec: json(r#"{ "region": "Zürich", "n": 1.50, "a": [1, null] }"#),
        ..cluster("First", &[("b", "2"), ("a", "1")])
    };
    let made = world.records.create(new).await?;
    let read = world.read(&made).await?;
    for resource in [&made, &read] {
        assert_eq!((resource.name.as_str(), resource.kind, resource.generation), ("First", Kind::Cluster, 1));
        assert_eq!(resource.spec.get(), r#"{"a":[1,null],"n":1.5,"region":"Zürich"}"#);
        assert_eq!(resource.labels, labels(&[("a", "1"), ("b", "2")]));
        assert_eq!(resource.created.1, "tester");
        assert_eq!(resource.deleted, None);
        let status = status(resource)?;
        assert_eq!((status.phase, status.observed_generation), (Phase::NotReady, 0));
        assert_eq!((status.last_transition_time, status.last_updated_time), (ZERO_TIME, ZERO_TIME));
        assert!(status.conditions.is_empty() && status.adapters.is_empty());
    }
    assert_eq!((&made.created, &made.updated, made.revision), (&read.created, &read.updated, read.revision));
    assert_eq!(made.id, made.id.to_lowercase());
    assert_eq!(made.id.as_bytes()[14], b'7', "{}", made.id);

    let pool = world.node_pool(&made, "pool").await?;
    let read = world.read(&pool).await?;
    assert_eq!(read.owner.map(|owner| (owner.id, owner.name)), Some((made.id, "First".to_owned())));
    Ok(())
}

pub(crate) async fn a_name_is_taken_once(world: &World) -> Result<()> {
    let (one, two) = (world.cluster("one").await?, world.cluster("two").await?);
    assert_eq!(
        world.records.create(cluster("one", &[])).await.expect_err("it is refused"),
        Error::Conflict("This Cluster already exists".to_owned())
    );
    world.node_pool(&one, "pool").await?;
    world.node_pool(&two, "pool").await?;
    assert!(matches!(world.records.create(node_pool(&one, "pool")).await, Err(Error::Conflict(_))));
    // A name is free again once its record is gone.
    world.records.delete(&key(&one), "tester").await?;
    world.cluster("one").await?;
    Ok(())
}

pub(crate) async fn a_node_pool_needs_its_cluster(world: &World) -> Result<()> {
    let (one, other) = (world.cluster("one").await?, world.cluster("other").await?);
    let pool = world.node_pool(&one, "pool").await?;
    let orphan = New { owner: Some("none".to_owned()), ..node_pool(&one, "x") };
    let missing = Error::NotFound("Cluster with id='none' not found".to_owned());
    assert_eq!(world.records.create(orphan).await.expect_err("it is refused"), missing);
    let of = |owner: Option<&str>| Key { kind: Kind::NodePool, owner: owner.map(str::to_owned), id: pool.id.clone() };
    assert!(world.records.get(&of(None)).await.is_ok());
    assert_eq!(world.records.get(&of(Some("none"))).await.expect_err("it is refused"), missing);
    let elsewhere = Error::NotFound(format!("NodePool '{}' not found for cluster '{}'", pool.id, other.id));
    assert_eq!(world.records.get(&of(Some(&other.id))).await.expect_err("it is refused"), elsewhere);
    assert_eq!(
        world.records.patch(&of(Some(&other.id)), Default::default(), "x").await.expect_err("it is refused"),
        elsewhere
    );
    assert_eq!(world.records.statuses(&of(Some(&other.id)), 0, 10).await.expect_err("it is refused"), elsewhere);
    Ok(())
}

pub(crate) async fn what_cannot_be_kept_is_refused(world: &World) -> Result<()> {
    let one = world.cluster("one").await?;
    let long = "n".repeat(64);
    for (new, expected) in [
        (cluster(&long, &[]), "name"),
        (cluster("a\0", &[]), "name"),
        (node_pool(&one, &"n".repeat(256)), "name"),
        (cluster("x", &[("k", "\0")]), "labels.k"),
        (New { spec: json("[]"), ..cluster("x", &[]) }, "spec"),
        (New { spec: json(r#"{"a":{"b":"\u0000"}}"#), ..cluster("x", &[]) }, "spec.a.b"),
        (New { spec: json(r#"{"a":"\ud800"}"#), ..cluster("x", &[]) }, "spec"),
    ] {
        match world.records.create(new).await {
            Err(Error::Invalid { field, .. }) => assert_eq!(field, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
    // And what can be kept is, however strange.
    for name in ["", "ä".repeat(63).as_str(), "'; DROP TABLE clusters; --", "%_\\"] {
        assert_eq!(world.cluster(name).await?.name, name);
    }
    world.node_pool(&one, &"ä".repeat(255)).await?;
    Ok(())
}

pub(crate) async fn an_object_name_is_the_name_where_it_can_be(world: &World) -> Result<()> {
    let plain = world.cluster("a.b").await?;
    assert_eq!(plain.object_name, "a.b");
    let strange = world.cluster("Strange").await?;
    assert_eq!(strange.object_name, strange.id);
    let short = world.cluster("a").await?;
    assert_eq!(world.node_pool(&short, "b.c").await?.object_name, "a.b.c");
    let second = world.node_pool(&plain, "c").await?;
    assert_eq!(second.object_name, second.id, "a.b.c is taken");
    let found = world.records.by_object_name(Kind::NodePool, "a.b.c").await?.map(|pool| pool.name);
    assert_eq!(found.as_deref(), Some("b.c"));
    assert!(world.records.by_object_name(Kind::Cluster, "none").await?.is_none());
    Ok(())
}

pub(crate) async fn nothing_is_found_by_what_is_no_id(world: &World) -> Result<()> {
    for id in ["", "none", "\0", "'", "%", "x".repeat(100_000).as_str()] {
        for kind in [Kind::Cluster, Kind::NodePool] {
            let key = Key { kind, owner: None, id: id.to_owned() };
            assert!(matches!(world.records.get(&key).await, Err(Error::NotFound(_))), "{id:?}");
            assert!(matches!(world.records.delete(&key, "x").await, Err(Error::NotFound(_))), "{id:?}");
        }
        assert!(world.records.by_object_name(Kind::Cluster, id).await?.is_none());
        assert!(matches!(
            world.records.list(Kind::NodePool, Some(id), &Default::default()).await,
            Err(Error::NotFound(_))
        ));
    }
    Ok(())
}

pub(crate) async fn what_is_asked_is_counted(world: &World) -> Result<()> {
    let one = world.cluster("one").await?;
    world.read(&one).await?;
    let text = world.metrics();
    for line in [
        "hyperfleet_db_query_duration_seconds_count{operation=\"create\"} 1",
        "hyperfleet_db_query_duration_seconds_count{operation=\"get\"} 1",
        "hyperfleet_db_connections_max ",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    Ok(())
}
