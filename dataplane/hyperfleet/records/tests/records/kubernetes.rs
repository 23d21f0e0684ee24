//! `put`, `keep`: what the Kubernetes view writes.

use anyhow::Result;
use hyperfleet_records::{Error, Kind, Put, Resource};

use crate::world::{World, json, key, labels};

fn put(name: &str, expected: Option<u64>) -> Put {
    Put {
        kind: Kind::Cluster,
        object_name: name.to_owned(),
        id: format!("id-of-{name}"),
        owner: None,
        name: name.to_owned(),
        expected,
        spec: json("{}"),
        labels: labels(&[("k", "v")]),
        kubernetes: json(r#"{"annotations":{"a":"b"}}"#),
        deleting: false,
        by: "kubernetes".to_owned(),
    }
}

async fn find(world: &World, kind: Kind, name: &str) -> Result<Option<Resource>> {
    Ok(world.records.by_object_name(kind, name).await?)
}

pub(crate) async fn put_makes_changes_and_deletes(world: &World) -> Result<()> {
    let made = world.records.put(put("one", None)).await?;
    let one = find(world, Kind::Cluster, "one").await?.expect("one");
    assert_eq!(
        (one.id.as_str(), one.revision, one.generation, one.kubernetes.get()),
        ("id-of-one", made, 1, r#"{"annotations":{"a":"b"}}"#)
    );
    assert!(matches!(world.records.put(put("one", None)).await, Err(Error::Conflict(_))));

    assert_eq!(world.records.put(put("one", Some(made))).await?, made, "nothing is different");
    let annotated = world.records.put(Put { kubernetes: json("{}"), ..put("one", Some(made)) }).await?;
    assert_eq!(
        find(world, Kind::Cluster, "one").await?.map(|one| (one.generation, one.revision)),
        Some((1, annotated))
    );
    let changed = world
        .records
        .put(Put { spec: json(r#"{"a":1}"#), labels: labels(&[("k", "w")]), ..put("one", Some(annotated)) })
        .await?;
    assert_eq!(find(world, Kind::Cluster, "one").await?.map(|one| one.generation), Some(2));
    assert_eq!(world.found("labels.k = 'w' and spec.a = 1").await?, ["one"]);

    let pool =
        Put { kind: Kind::NodePool, owner: Some("one".to_owned()), name: "pool".to_owned(), ..put("one.pool", None) };
    world.records.put(pool.clone()).await?;
    assert_eq!(
        find(world, Kind::NodePool, "one.pool").await?.and_then(|pool| pool.owner).map(|owner| owner.id),
        Some(one.id.clone())
    );
    let orphan = Put { owner: Some("none".to_owned()), ..pool };
    assert!(matches!(world.records.put(orphan).await, Err(Error::NotFound(_))));

    world
        .records
        .put(Put {
            deleting: true,
            spec: json(r#"{"a":1}"#),
            labels: labels(&[("k", "w")]),
            ..put("one", Some(changed))
        })
        .await?;
    assert!(
        find(world, Kind::Cluster, "one").await?.is_none() && find(world, Kind::NodePool, "one.pool").await?.is_none()
    );
    Ok(())
}

pub(crate) async fn put_is_at_its_revision(world: &World) -> Result<()> {
    let made = world.records.put(put("one", None)).await?;
    let one = find(world, Kind::Cluster, "one").await?.expect("one");
    let next = world.records.keep(&key(&one), made, json(r#"{"x":1}"#)).await?;
    assert!(next > made);
    assert!(matches!(world.records.put(put("one", Some(made))).await, Err(Error::Conflict(_))));
    assert!(matches!(world.records.keep(&key(&one), made, json("{}")).await, Err(Error::Conflict(_))));
    assert!(matches!(world.records.put(put("none", Some(made))).await, Err(Error::NotFound(_))));
    assert_eq!(world.read(&one).await?.kubernetes.get(), r#"{"x":1}"#);
    Ok(())
}

pub(crate) async fn finalizers_hold(world: &World) -> Result<()> {
    let holding = json(r#"{"finalizers":["example.com/mine"]}"#);
    let made = world.records.put(Put { kubernetes: holding, ..put("one", None) }).await?;
    let one = find(world, Kind::Cluster, "one").await?.expect("one");
    assert_eq!(one.revision, made);
    let deleted = world.records.delete(&key(&one), "x").await?;
    assert!(world.read(&one).await?.deleted.is_some());
    let respecified = Put {
        spec: json(r#"{"a":1}"#),
        deleting: true,
        kubernetes: deleted.kubernetes.clone(),
        ..put("one", Some(deleted.revision))
    };
    assert!(matches!(world.records.put(respecified).await, Err(Error::Conflict(_))), "it is being deleted");
    world.records.keep(&key(&one), deleted.revision, json("{}")).await?;
    assert!(find(world, Kind::Cluster, "one").await?.is_none());
    Ok(())
}
