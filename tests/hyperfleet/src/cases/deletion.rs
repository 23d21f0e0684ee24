//! Records that go: asked to, finalized by their adapters, or by force.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cx::{Cx, path, report};

cases![
    what_no_adapter_knows_is_gone_at_once,
    what_adapters_know_waits_for_them,
    a_record_on_its_way_out_does_not_change,
    finalized_is_of_the_current_generation,
    a_cluster_waits_for_its_node_pools,
    a_node_pool_goes_alone,
    deletion_may_be_asked_for_again,
    force_is_for_what_is_on_its_way_out,
    the_name_is_free_again_when_it_is_gone,
    nothing_there_is_not_found,
];

const AVAILABLE: &[(&str, &str)] = &[("Available", "True")];
const FINALIZED: &[(&str, &str)] = &[("Available", "False"), ("Finalized", "True")];

/// A cluster that an adapter knows, whose deletion was asked for.
async fn deleting(cx: &Cx, suffix: &str) -> Result<Value> {
    let cluster = cx.cluster(suffix).await?;
    cx.report(&cluster, &report("dns", 1, AVAILABLE)).await?.success()?;
    let answer = cx.delete(&path(&cluster)).await?;
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()
}

async fn gone(cx: &Cx, record: &Value) -> Result<bool> {
    Ok(cx.get(&path(record)).await?.status == 404)
}

async fn what_no_adapter_knows_is_gone_at_once(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    assert_eq!(cx.delete(&path(&cluster)).await?.status, 202);
    assert!(gone(cx, &cluster).await?);
    assert_eq!(cx.matching("").await?, "");
    Ok(())
}

async fn what_adapters_know_waits_for_them(cx: &Cx) -> Result<()> {
    let cluster = deleting(cx, "a").await?;
    assert_eq!((&cluster["generation"], &cluster["deleted_by"]), (&json!(2), &json!("system")));
    assert!(cluster["deleted_time"].as_str().is_some_and(|time| time.parse::<jiff::Timestamp>().is_ok()), "{cluster}");
    let read = cx.read(&cluster).await?;
    assert_eq!(read["deleted_time"], cluster["deleted_time"]);
    assert_ne!(read["status"]["phase"], "Ready");
    assert_eq!(cx.matching("").await?, "a");
    cx.report(&cluster, &report("dns", 2, FINALIZED)).await?;
    assert!(gone(cx, &cluster).await?);
    Ok(())
}

async fn a_record_on_its_way_out_does_not_change(cx: &Cx) -> Result<()> {
    let cluster = deleting(cx, "a").await?;
    let patch = cx.patch(&path(&cluster), &json!({"spec": {"x": 1}})).await?;
    let child = cx.post(&format!("{}/nodepools", path(&cluster)), &json!({"name": "np1", "spec": {}})).await?;
    for answer in [patch, child] {
        assert_eq!((answer.status, &answer.json()?["code"]), (409, &json!("hyperfleet-6")));
    }
    assert_eq!(cx.read(&cluster).await?, cluster);
    Ok(())
}

async fn finalized_is_of_the_current_generation(cx: &Cx) -> Result<()> {
    let cluster = deleting(cx, "a").await?;
    cx.report(&cluster, &report("dns", 1, FINALIZED)).await?;
    assert!(!gone(cx, &cluster).await?);
    cx.report(&cluster, &report("dns", 2, AVAILABLE)).await?;
    assert!(!gone(cx, &cluster).await?);
    cx.report(&cluster, &report("dns", 2, FINALIZED)).await?;
    assert!(gone(cx, &cluster).await?);
    Ok(())
}

async fn a_cluster_waits_for_its_node_pools(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let (known, unknown) = (cx.nodepool(&cluster, "np1").await?, cx.nodepool(&cluster, "np2").await?);
    cx.report(&known, &report("hypershift", 1, AVAILABLE)).await?.success()?;
    cx.report(&cluster, &report("dns", 1, AVAILABLE)).await?.success()?;
    assert_eq!(cx.delete(&path(&cluster)).await?.status, 202);
    assert!(gone(cx, &unknown).await?, "no adapter knew it");
    let pool = cx.read(&known).await?;
    assert!(pool["deleted_time"].is_string(), "{pool}");
    cx.report(&cluster, &report("dns", 2, FINALIZED)).await?;
    assert!(!gone(cx, &cluster).await?, "a node pool is left");
    cx.report(&known, &report("hypershift", 2, FINALIZED)).await?;
    assert!(gone(cx, &known).await? && gone(cx, &cluster).await?);
    Ok(())
}

async fn a_node_pool_goes_alone(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let (one, two) = (cx.nodepool(&cluster, "np1").await?, cx.nodepool(&cluster, "np2").await?);
    assert_eq!(cx.delete(&path(&one)).await?.status, 202);
    assert!(gone(cx, &one).await? && !gone(cx, &two).await? && !gone(cx, &cluster).await?);
    Ok(())
}

async fn deletion_may_be_asked_for_again(cx: &Cx) -> Result<()> {
    let cluster = deleting(cx, "a").await?;
    let again = cx.delete(&path(&cluster)).await?;
    assert_eq!(again.status, 202, "{}", again.text());
    assert_eq!((&again.json()?["generation"], &again.json()?["deleted_time"]), (&json!(2), &cluster["deleted_time"]));
    Ok(())
}

async fn force_is_for_what_is_on_its_way_out(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    cx.report(&cluster, &report("dns", 1, AVAILABLE)).await?.success()?;
    let force = format!("{}/force-delete", path(&cluster));
    let reason = json!({"reason": "its cloud account is closed"});
    assert_eq!(cx.post(&force, &reason).await?.status, 409);
    assert_eq!(cx.delete(&path(&cluster)).await?.status, 202);
    for bad in [json!({}), json!({"reason": 5}), json!({"reason": "x".repeat(1025)}), json!([])] {
        assert_eq!(cx.post(&force, &bad).await?.status, 400, "{bad}");
    }
    let forced = cx.post(&force, &reason).await?;
    assert_eq!((forced.status, forced.text().as_str()), (204, ""));
    assert!(gone(cx, &cluster).await?);
    assert_eq!(cx.post(&force, &reason).await?.status, 404);
    Ok(())
}

async fn the_name_is_free_again_when_it_is_gone(cx: &Cx) -> Result<()> {
    let cluster = deleting(cx, "a").await?;
    assert_eq!(cx.post("/clusters", &cx.body("a")).await?.status, 409);
    cx.report(&cluster, &report("dns", 2, FINALIZED)).await?;
    let again = cx.cluster("a").await?;
    assert_ne!(again["id"], cluster["id"]);
    assert_eq!(cx.get(&format!("{}/statuses", path(&again))).await?.success()?["total"], json!(0));
    Ok(())
}

async fn nothing_there_is_not_found(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    for place in ["/clusters/none".to_owned(), format!("{}/nodepools/none", path(&cluster))] {
        assert_eq!(cx.delete(&place).await?.status, 404, "{place}");
        assert_eq!(cx.post(&format!("{place}/force-delete"), &json!({"reason": "x"})).await?.status, 404, "{place}");
    }
    Ok(())
}
