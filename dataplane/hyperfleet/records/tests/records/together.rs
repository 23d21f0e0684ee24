//! Many at once.

use std::collections::BTreeSet;

use anyhow::Result;
use futures::future::{join_all, try_join_all};
use hyperfleet_records::{Changed, Error, Kind, Patch, Phase, Query, Reported};

use crate::world::{World, cluster, json, key, node_pool, report};

pub(crate) async fn first_reports_race(world: &World) -> Result<()> {
    let one = world.cluster("one").await?;
    let at = key(&one);
    let adapters = (0..32).map(|number| format!("adapter-{}", number % 4));
    let reports = adapters.map(async |adapter| {
        let reported = world.records.report(&at, report(&adapter, 1, &[("Available", "True")])).await;
        (adapter, reported)
    });
    for (adapter, reported) in join_all(reports).await {
        // Of reports at once, a later one may have been observed earlier; none is refused.
        let (Reported::Stored(status) | Reported::Stale(_, status)) = reported?;
        assert_eq!(status.adapter, adapter);
    }
    let status = world.status(&one).await?;
    assert_eq!((status.adapters.len(), status.phase), (4, Phase::Ready));
    assert_eq!(world.records.statuses(&at, 0, 100).await?.total, 4);
    Ok(())
}

pub(crate) async fn creates_race(world: &World) -> Result<()> {
    let creates = join_all((0..32).map(|number| world.records.create(cluster(&format!("c{}", number % 8), &[])))).await;
    let made = creates.iter().filter(|made| made.is_ok()).count();
    assert_eq!(made, 8);
    assert!(creates.iter().all(|made| matches!(made, Ok(_) | Err(Error::Conflict(_)))), "{creates:?}");
    assert_eq!(world.list("1 = 1").await?.total, 8);
    let unsearched = world.records.list(Kind::Cluster, None, &Query { limit: 1, ..Query::default() }).await?;
    assert_eq!(unsearched.total, 8);
    Ok(())
}

pub(crate) async fn a_cluster_goes_while_node_pools_come(world: &World) -> Result<()> {
    let one = world.cluster("one").await?;
    let pools: Vec<_> = (0..16).map(|number| node_pool(&one, &format!("p{number}"))).collect();
    let creates = join_all(pools.into_iter().map(|pool| world.records.create(pool)));
    let at = key(&one);
    let (creates, deleted) = tokio::join!(creates, world.records.delete(&at, "x"));
    deleted?;
    assert!(
        creates.iter().all(|made| matches!(made, Ok(_) | Err(Error::Conflict(_) | Error::NotFound(_)))),
        "{creates:?}"
    );
    assert!(matches!(world.records.get(&at).await, Err(Error::NotFound(_))));
    let left = world.records.list(Kind::NodePool, None, &Query { limit: 1, ..Query::default() }).await?;
    assert_eq!(left.total, 0, "nobody is left without a cluster");
    Ok(())
}

/// Writers of all kinds, two of them in another process, and a reader that must see the log in order and whole.
pub(crate) async fn every_revision_is_there_once(world: &World) -> Result<()> {
    let (other, _process) = world.again(Default::default()).await?;
    let clusters = try_join_all((0..8).map(|number| world.records.create(cluster(&format!("c{number}"), &[])))).await?;
    let keys: Vec<_> = clusters.iter().map(key).collect();
    let writes = keys.iter().enumerate().map(async |(number, key)| {
        let records = if number % 2 == 0 { &world.records } else { &other };
        for round in 0..10 {
            let spec = json(&format!("{{\"n\":{round}}}"));
            records.patch(key, Patch { spec: Some(spec), ..Patch::default() }, "x").await?;
            records.report(key, report("dns", round + 2, &[("Available", "True")])).await?;
        }
        Ok::<_, Error>(())
    });
    let reader = async {
        let (mut after, mut seen) = (0, Vec::new());
        while seen.len() < 8 + 8 * 20 {
            world.records.changed(after).await?;
            let (changes, upto) = world.records.changes(Kind::Cluster, after).await?;
            seen.extend(changes.iter().map(|change| change.revision));
            after = upto;
        }
        Ok::<_, Error>(seen)
    };
    let (written, seen) = tokio::join!(join_all(writes), tokio::time::timeout(kit::PATIENCE, reader));
    written.into_iter().collect::<Result<Vec<_>, _>>()?;
    let seen = seen??;
    let expected: Vec<u64> = (1..=seen.len() as u64).collect();
    assert_eq!(seen, expected);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len());
    let (changes, _) = world.records.changes(Kind::Cluster, 0).await?;
    assert!(changes.iter().skip(8).all(|change| change.changed == Changed::Updated && change.previous.is_some()));
    Ok(())
}
