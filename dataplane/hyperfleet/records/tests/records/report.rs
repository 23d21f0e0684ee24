//! `report`, `statuses`, and what they make of a record.

use anyhow::Result;
use hyperfleet_records::{Error, Key, Kind, Options, Patch, Phase, Report, Reported, Status};
use serde_json::json;

use crate::world::{World, json, key, report, status};

fn condition<'a>(status: &'a Status, r#type: &str) -> Option<&'a str> {
    status.conditions.iter().find(|condition| condition.r#type == r#type).map(|condition| condition.status.as_str())
}

pub(crate) async fn a_report_is_read_as_it_was_stored(world: &World) -> Result<()> {
    let one = world.cluster("one").await?;
    let time = "2026-01-31T12:00:00.123456Z".parse()?;
    let mut sent = Report {
        observed_time: Some(time),
        metadata: Some(json!({"attempt": 1})),
        ..report("dns", 1, &[("Available", "False")])
    };
    sent.data.insert("zone".to_owned(), json!({"name": "x"}));
    sent.conditions[0].reason = Some("Why".to_owned());
    sent.conditions[0].others.insert("mine".to_owned(), json!([1]));
    let Reported::Stored(stored) = world.records.report(&key(&one), sent).await? else { panic!("stale") };
    let page = world.records.statuses(&key(&one), 0, 10).await?;
    assert_eq!((page.items.as_slice(), page.total), (&[stored.clone()][..], 1));
    assert_eq!((stored.created_time, stored.last_report_time), (time, time));
    let others = json!(stored.conditions[0].others);
    assert_eq!(others["mine"], json!([1]));
    assert_eq!((&others["adapter"], &others["observed_generation"]), (&json!("dns"), &json!(1)));
    assert_eq!(stored.conditions[0].last_transition_time, Some(time));

    world.reports(&one, "dns", 1, &[("Available", "False")]).await?;
    world.reports(&one, "api", 1, &[("Available", "True")]).await?;
    let page = world.records.statuses(&key(&one), 1, 10).await?;
    assert_eq!((page.items.len(), page.total), (1, 2));
    let second = &page.items[0];
    assert_eq!((second.adapter.as_str(), second.created_time), ("dns", time));
    assert!(second.last_report_time > time);
    assert_eq!(second.conditions[0].last_transition_time, Some(time), "its status is the same");
    assert_eq!(world.records.statuses(&key(&one), 5, 10).await?.total, 2);

    let none = Key { kind: Kind::Cluster, owner: None, id: "none".to_owned() };
    assert!(matches!(world.records.statuses(&none, 0, 10).await, Err(Error::NotFound(_))));
    assert!(matches!(world.records.report(&none, report("dns", 1, &[])).await, Err(Error::NotFound(_))));
    assert!(matches!(world.records.report(&key(&one), report("\0", 1, &[])).await, Err(Error::Invalid { .. })));
    Ok(())
}

pub(crate) async fn the_aggregate_follows_reports(world: &World) -> Result<()> {
    let one = world.cluster("one").await?;
    world.reports(&one, "gcp-dns", 1, &[("Available", "False"), ("Progressing", "True")]).await?;
    let first = world.status(&one).await?;
    assert_eq!((first.phase, first.observed_generation, first.adapters.len()), (Phase::NotReady, 1, 1));
    assert_eq!(condition(&first, "GcpDnsSuccessful"), Some("False"));
    assert_eq!(condition(&first, "Reconciled"), Some("False"));

    world.reports(&one, "gcp-dns", 1, &[("Available", "True")]).await?;
    let ready = world.status(&one).await?;
    assert_eq!(ready.phase, Phase::Ready);
    assert_eq!(
        (condition(&ready, "Reconciled"), condition(&ready, "LastKnownReconciled")),
        (Some("True"), Some("True"))
    );
    assert!(ready.last_transition_time > first.last_transition_time);

    world.reports(&one, "api", 1, &[("Ready", "False")]).await?;
    let failed = world.status(&one).await?;
    assert_eq!(failed.phase, Phase::Failed);
    assert_eq!(condition(&failed, "ApiSuccessful"), Some("False"));
    assert_eq!(world.found("status.phase = 'Failed' and status.conditions.Reconciled = 'False'").await?, ["one"]);
    assert!(world.read(&one).await?.updated.0 > one.updated.0);
    Ok(())
}

pub(crate) async fn stale_reports_do_not_win(world: &World) -> Result<()> {
    let one = world.cluster("one").await?;
    let patch = Patch { spec: Some(json(r#"{"a":1}"#)), ..Patch::default() };
    world.records.patch(&key(&one), patch, "patcher").await?;
    let at = |generation, time: &str, status| Report {
        observed_time: Some(time.parse().expect("a time")),
        ..report("dns", generation, &[("Available", status)])
    };
    let stored = |reported: &Reported| matches!(reported, Reported::Stored(_));
    for (sent, expected) in [
        (at(3, "2026-01-01T00:00:05Z", "True"), false),
        (at(1, "2026-01-01T00:00:05Z", "True"), true),
        (at(2, "2026-01-01T00:00:03Z", "False"), true),
        (at(1, "2026-01-01T00:00:09Z", "True"), false),
        (at(2, "2026-01-01T00:00:02Z", "True"), false),
        (at(2, "2026-01-01T00:00:03Z", "Unknown"), true),
    ] {
        let head = world.records.bounds().await?.head;
        let reported = world.records.report(&key(&one), sent.clone()).await?;
        assert_eq!(stored(&reported), expected, "{sent:?}");
        assert_eq!(world.records.bounds().await?.head > head, expected, "{sent:?}");
    }
    let counting = world.records.statuses(&key(&one), 0, 1).await?.items.remove(0);
    assert_eq!((counting.observed_generation, counting.conditions[0].status.as_str()), (2, "Unknown"));
    let Reported::Stale(_, answer) = world.records.report(&key(&one), at(1, "2026-01-01T00:00:09Z", "True")).await?
    else {
        panic!("an old report counts")
    };
    assert_eq!(answer, counting);
    Ok(())
}

pub(crate) async fn required_adapters_decide(world: &World) -> Result<()> {
    let required = vec!["dns".to_owned(), "validation".to_owned()];
    let (records, _process) = world.again(Options { cluster_adapters: required, ..Options::default() }).await?;
    let one = world.cluster("one").await?;
    for (adapter, verdict, expected) in [
        ("dns", "True", Phase::NotReady),
        ("other", "False", Phase::NotReady),
        ("validation", "False", Phase::Failed),
        ("validation", "True", Phase::Ready),
    ] {
        records.report(&key(&one), report(adapter, 1, &[("Available", verdict)])).await?;
        assert_eq!(world.phase(&one).await?, expected, "{adapter} {verdict}");
    }
    Ok(())
}

pub(crate) async fn node_pools_are_aggregated_too(world: &World) -> Result<()> {
    let one = world.cluster("one").await?;
    let pool = world.node_pool(&one, "pool").await?;
    world.reports(&pool, "dns", 1, &[("Available", "True")]).await?;
    assert_eq!((world.phase(&pool).await?, world.phase(&one).await?), (Phase::Ready, Phase::NotReady));
    let patch = Patch { spec: Some(json(r#"{"replicas":3}"#)), ..Patch::default() };
    world.records.patch(&key(&pool), patch, "patcher").await?;
    assert_eq!(world.phase(&pool).await?, Phase::NotReady, "the report is of another generation");
    Ok(())
}

pub(crate) async fn a_changed_spec_is_not_ready(world: &World) -> Result<()> {
    let one = world.cluster("one").await?;
    world.reports(&one, "dns", 1, &[("Available", "True")]).await?;
    let patch = Patch { spec: Some(json(r#"{"a":1}"#)), ..Patch::default() };
    let patched = status(&world.records.patch(&key(&one), patch, "patcher").await?)?;
    assert_eq!(patched.phase, Phase::NotReady);
    assert_eq!(
        (condition(&patched, "Reconciled"), condition(&patched, "LastKnownReconciled")),
        (Some("False"), Some("True"))
    );
    assert_eq!(patched, world.status(&one).await?);
    world.reports(&one, "dns", 2, &[("Available", "True")]).await?;
    assert_eq!(world.phase(&one).await?, Phase::Ready);
    Ok(())
}
