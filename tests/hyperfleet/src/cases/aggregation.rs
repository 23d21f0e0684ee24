//! What many reports make of a record: its phase and its conditions. No adapters are required here, so those that reported are.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cx::{Cx, path, report};

cases![
    phases_follow_what_adapters_say,
    each_adapter_has_a_condition,
    the_conditions_tell_whether_it_is_reconciled,
    a_failure_is_over_when_its_adapter_says_so,
    a_new_generation_awaits_new_reports,
    the_oldest_generation_is_the_observed_one,
    no_adapter_with_available_is_no_large_number,
    adapters_are_listed_with_their_latest_report,
    the_phase_says_when_it_changed,
    a_node_pool_is_judged_by_its_own_generation,
];

/// What one adapter reports: its name, and types with statuses and reasons.
type Report = (&'static str, &'static [(&'static str, &'static str)]);

async fn after(cx: &Cx, suffix: &str, reports: &[Report]) -> Result<Value> {
    let cluster = cx.cluster(suffix).await?;
    for (adapter, conditions) in reports {
        cx.report(&cluster, &report(adapter, 1, conditions)).await?.success()?;
    }
    Ok(cx.read(&cluster).await?["status"].clone())
}

fn condition<'a>(status: &'a Value, kind: &str) -> &'a Value {
    let conditions = status["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().find(|condition| condition["type"] == kind).unwrap_or(&Value::Null)
}

async fn phases_follow_what_adapters_say(cx: &Cx) -> Result<()> {
    let table: &[(&[Report], &str)] = &[
        (&[], "NotReady"),
        (&[("dns", &[("Available", "True")])], "Ready"),
        (&[("dns", &[("Available", "Unknown")])], "NotReady"),
        (&[("dns", &[("Available", "True")]), ("validation", &[("Available", "True")])], "Ready"),
        (&[("dns", &[("Available", "True")]), ("validation", &[("Available", "Unknown")])], "NotReady"),
        // Without Available, Ready counts.
        (&[("dns", &[("Ready", "True")])], "Ready"),
        (&[("dns", &[("Ready", "Unknown")])], "NotReady"),
        (&[("dns", &[("Available", "Unknown"), ("Ready", "True")])], "NotReady"),
        // A report of failure is one unless its adapter is still at it.
        (&[("dns", &[("Available", "False")])], "Failed"),
        (&[("dns", &[("Ready", "False")])], "Failed"),
        (&[("dns", &[("Available", "False"), ("Progressing", "True")])], "NotReady"),
        (&[("dns", &[("Available", "False"), ("Progressing", "Unknown")])], "NotReady"),
        (&[("dns", &[("Available", "False"), ("Progressing", "False")])], "Failed"),
        (&[("dns", &[("Available", "False"), ("Applied", "Unknown")])], "NotReady"),
        (&[("dns", &[("Available", "False"), ("Applied", "True")])], "Failed"),
        (&[("dns", &[("Available", "True")]), ("validation", &[("Available", "False")])], "Failed"),
        (&[("dns", &[("Available", "Unknown")]), ("validation", &[("Available", "False")])], "Failed"),
        // Neither says anything about success.
        (&[("dns", &[("Applied", "True"), ("Health", "True")])], "NotReady"),
        (&[("dns", &[])], "NotReady"),
    ];
    for (number, (reports, phase)) in table.iter().enumerate() {
        let status = after(cx, &format!("c{number}"), reports).await?;
        assert_eq!(status["phase"], *phase, "{reports:?}: {status}");
    }
    Ok(())
}

async fn each_adapter_has_a_condition(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let mut body = report("gcp-provisioner", 1, &[("Health", "True"), ("Available", "False")]);
    body["conditions"][1]["reason"] = json!("Waiting");
    body["conditions"][1]["message"] = json!("for the network");
    body["observed_time"] = json!("2026-01-01T00:00:00Z");
    cx.report(&cluster, &body).await?.success()?;
    cx.report(&cluster, &report("silent", 1, &[("Health", "True")])).await?.success()?;
    let status = cx.read(&cluster).await?["status"].clone();
    let made = condition(&status, "GcpProvisionerSuccessful");
    for (key, value) in [
        ("status", "False"),
        ("reason", "Waiting"),
        ("message", "for the network"),
        ("last_transition_time", "2026-01-01T00:00:00Z"),
        ("created_time", "2026-01-01T00:00:00Z"),
    ] {
        assert_eq!(made[key], value, "{key}: {status}");
    }
    assert_eq!(made["observed_generation"], json!(1));
    assert!(made["last_updated_time"].is_string());
    assert!(condition(&status, "SilentSuccessful").is_null(), "{status}");
    Ok(())
}

async fn the_conditions_tell_whether_it_is_reconciled(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let reconciled = async || -> Result<[Value; 2]> {
        let status = cx.read(&cluster).await?["status"].clone();
        Ok(["Reconciled", "LastKnownReconciled"].map(|kind| condition(&status, kind)["status"].clone()))
    };
    let before = reconciled().await?;
    assert!(before.iter().all(|status| status != "True"), "{before:?}");
    cx.report(&cluster, &report("dns", 1, &[("Available", "True")])).await?.success()?;
    assert_eq!(reconciled().await?, ["True", "True"]);
    // The new generation is not reconciled; the one before was.
    cx.patch(&path(&cluster), &json!({"spec": {"x": 1}})).await?.success()?;
    assert_eq!(reconciled().await?, ["False", "True"]);
    cx.report(&cluster, &report("dns", 2, &[("Available", "True")])).await?.success()?;
    assert_eq!(reconciled().await?, ["True", "True"]);
    Ok(())
}

/// What failed of an old spec has not failed of the new one, and who tries again is no failure any more.
async fn a_failure_is_over_when_its_adapter_says_so(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let phase = async || -> Result<Value> { Ok(cx.read(&cluster).await?["status"]["phase"].clone()) };
    cx.report(&cluster, &report("dns", 1, &[("Available", "False")])).await?.success()?;
    assert_eq!(phase().await?, "Failed");
    cx.report(&cluster, &report("dns", 1, &[("Available", "False"), ("Progressing", "True")])).await?.success()?;
    assert_eq!(phase().await?, "NotReady");
    cx.report(&cluster, &report("dns", 1, &[("Available", "False")])).await?.success()?;
    cx.patch(&path(&cluster), &json!({"spec": {"x": 1}})).await?.success()?;
    assert_eq!(phase().await?, "NotReady");
    Ok(())
}

async fn a_new_generation_awaits_new_reports(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    for adapter in ["dns", "validation"] {
        cx.report(&cluster, &report(adapter, 1, &[("Available", "True")])).await?.success()?;
    }
    let phase = async || -> Result<Value> { Ok(cx.read(&cluster).await?["status"]["phase"].clone()) };
    assert_eq!(phase().await?, "Ready");
    let patched = cx.patch(&path(&cluster), &json!({"spec": {"x": 1}})).await?.success()?;
    assert_eq!(patched["status"]["phase"], "NotReady");
    cx.report(&cluster, &report("dns", 2, &[("Available", "True")])).await?.success()?;
    assert_eq!(phase().await?, "NotReady");
    cx.report(&cluster, &report("validation", 2, &[("Available", "True")])).await?.success()?;
    assert_eq!(phase().await?, "Ready");
    Ok(())
}

async fn the_oldest_generation_is_the_observed_one(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let observed = async || -> Result<Value> { Ok(cx.read(&cluster).await?["status"]["observed_generation"].clone()) };
    for adapter in ["dns", "validation"] {
        cx.report(&cluster, &report(adapter, 1, &[("Available", "True")])).await?.success()?;
    }
    assert_eq!(observed().await?, json!(1));
    cx.patch(&path(&cluster), &json!({"spec": {"x": 1}})).await?.success()?;
    cx.report(&cluster, &report("dns", 2, &[("Available", "True")])).await?.success()?;
    assert_eq!(observed().await?, json!(1));
    cx.report(&cluster, &report("validation", 2, &[("Available", "True")])).await?.success()?;
    assert_eq!(observed().await?, json!(2));
    Ok(())
}

async fn no_adapter_with_available_is_no_large_number(cx: &Cx) -> Result<()> {
    let status = after(cx, "a", &[("dns", &[("Health", "True")])]).await?;
    assert!(status["observed_generation"].as_i64().is_some_and(|generation| generation <= 1), "{status}");
    Ok(())
}

async fn adapters_are_listed_with_their_latest_report(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    cx.report(&cluster, &report("validation", 1, &[("Available", "False")])).await?.success()?;
    let dns = cx.report(&cluster, &report("dns", 1, &[("Available", "True")])).await?.success()?;
    let validation = cx.report(&cluster, &report("validation", 1, &[("Available", "True")])).await?.success()?;
    assert_eq!(cx.read(&cluster).await?["status"]["adapters"], json!([dns, validation]));
    Ok(())
}

async fn the_phase_says_when_it_changed(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let changed = async || -> Result<Value> { Ok(cx.read(&cluster).await?["status"]["last_transition_time"].clone()) };
    let before = changed().await?;
    assert_eq!(before, "0001-01-01T00:00:00Z");
    cx.report(&cluster, &report("dns", 1, &[("Available", "True")])).await?.success()?;
    let ready = changed().await?;
    assert_ne!(ready, before);
    cx.report(&cluster, &report("dns", 1, &[("Available", "True"), ("Health", "True")])).await?.success()?;
    assert_eq!(changed().await?, ready, "it stays Ready");
    cx.report(&cluster, &report("dns", 1, &[("Available", "Unknown")])).await?.success()?;
    assert_ne!(changed().await?, ready);
    Ok(())
}

async fn a_node_pool_is_judged_by_its_own_generation(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let pool = cx.nodepool(&cluster, "np1").await?;
    cx.report(&pool, &report("hypershift", 1, &[("Available", "True")])).await?.success()?;
    assert_eq!(cx.read(&pool).await?["status"]["phase"], "Ready");
    let patched = cx.patch(&path(&pool), &json!({"spec": {"replicas": 3}})).await?.success()?;
    assert_eq!((&patched["generation"], &patched["status"]["phase"]), (&json!(2), &json!("NotReady")));
    assert_eq!(cx.read(&cluster).await?["generation"], json!(1));
    Ok(())
}
