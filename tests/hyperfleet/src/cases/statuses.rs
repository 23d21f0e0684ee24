//! What adapters report.

use anyhow::Result;
use futures::future::try_join_all;
use serde_json::{Value, json};

use crate::cx::{Cx, id, path, report};
use crate::shape::keys;

cases![
    a_report_is_answered_whole,
    the_first_guides_own_report_is_taken,
    a_report_replaces_the_adapters_last,
    a_condition_that_stays_keeps_its_time,
    what_we_do_not_define_of_a_condition_is_echoed,
    data_and_metadata_are_kept,
    both_methods_report,
    a_report_needs_its_keys,
    keys_that_nobody_knows_are_refused,
    values_of_the_wrong_kind_are_refused,
    a_report_needs_its_record,
    a_stale_report_does_not_win,
    first_reports_that_race_all_count,
    node_pools_have_statuses_too,
];

async fn statuses(cx: &Cx, record: &Value) -> Result<Vec<Value>> {
    let list = cx.get(&format!("{}/statuses", path(record))).await?.success()?;
    Ok(list["items"].as_array().cloned().unwrap_or_default())
}

async fn a_report_is_answered_whole(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let body = json!({
        "adapter": "dns", "observed_generation": 1, "observed_time": "2026-01-02T03:04:05Z",
        "conditions": [{"type": "Available", "status": "True", "reason": "Done", "message": "all well"}],
    });
    let answer = cx.report(&cluster, &body).await?;
    assert_eq!((answer.status, answer.header("content-type")), (201, Some("application/json")));
    let expected = ["adapter", "conditions", "created_time", "data", "last_report_time", "observed_generation"];
    assert_eq!(keys(&answer.body, "")?, expected);
    let condition = keys(&answer.body, "conditions.0")?;
    for key in ["last_transition_time", "message", "reason", "status", "type"] {
        assert!(condition.iter().any(|known| known == key), "{key} is not in {condition:?}");
    }
    let status = answer.json()?;
    assert_eq!((&status["adapter"], &status["data"], &status["observed_generation"]), (&json!("dns"), &json!({}), &json!(1)));
    assert_eq!(status["created_time"], status["last_report_time"]);
    let condition = &status["conditions"][0];
    assert_eq!((&condition["type"], &condition["status"]), (&json!("Available"), &json!("True")));
    assert_eq!((&condition["reason"], &condition["message"]), (&json!("Done"), &json!("all well")));
    assert_eq!(statuses(cx, &cluster).await?, [status]);
    Ok(())
}

/// It has no time, and speaks of Ready.
async fn the_first_guides_own_report_is_taken(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let body = json!({
        "adapter": "validation", "observed_generation": 1,
        "conditions": [{
            "adapter": "validation", "type": "Ready", "status": "True", "observed_generation": 1,
            "reason": "AllValidationsPassed", "message": "All validations passed",
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
        }],
        "data": {"job": {"name": "validate"}},
    });
    let status = cx.report(&cluster, &body).await?;
    assert_eq!(status.status, 201, "{}", status.text());
    assert_eq!(cx.read(&cluster).await?["status"]["phase"], "Ready");
    Ok(())
}

async fn a_report_replaces_the_adapters_last(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let first = cx.report(&cluster, &report("dns", 1, &[("Available", "False"), ("Extra", "True")])).await?;
    let second = cx.report(&cluster, &report("dns", 1, &[("Available", "True")])).await?;
    assert_eq!((first.status, second.status), (201, 201));
    let (first, second) = (first.json()?, second.json()?);
    assert_eq!(first["created_time"], second["created_time"]);
    assert_eq!(statuses(cx, &cluster).await?, std::slice::from_ref(&second));
    assert_eq!(second["conditions"].as_array().map(Vec::len), Some(1));
    Ok(())
}

async fn a_condition_that_stays_keeps_its_time(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let mut times = Vec::new();
    for (status, minute) in [("True", 1), ("True", 2), ("False", 3)] {
        let mut body = report("dns", 1, &[("Available", status)]);
        body["observed_time"] = json!(format!("2026-01-01T00:0{minute}:00Z"));
        let stored = cx.report(&cluster, &body).await?.success()?;
        times.push(stored["conditions"][0]["last_transition_time"].clone());
    }
    assert_eq!(times, [json!("2026-01-01T00:01:00Z"), json!("2026-01-01T00:01:00Z"), json!("2026-01-01T00:03:00Z")]);
    Ok(())
}

async fn what_we_do_not_define_of_a_condition_is_echoed(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let body = json!({"adapter": "dns", "observed_generation": 1, "conditions": [{
        "type": "Available", "status": "True", "adapter": "dns", "observed_generation": 1, "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-02T00:00:00Z",
    }]});
    let stored = cx.report(&cluster, &body).await?.success()?;
    for key in ["adapter", "observed_generation", "created_at", "updated_at"] {
        assert_eq!(stored["conditions"][0][key], body["conditions"][0][key], "{key}");
    }
    let plain = cx.report(&cluster, &report("validation", 1, &[("Available", "True")])).await?.success()?;
    for (key, value) in [("adapter", json!("validation")), ("observed_generation", json!(1))] {
        assert_eq!(plain["conditions"][0][key], value, "{key} is set when absent");
    }
    for key in ["created_at", "updated_at"] {
        let time = plain["conditions"][0][key].as_str().unwrap_or_default();
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{key} is set when absent: {plain}");
    }
    Ok(())
}

async fn data_and_metadata_are_kept(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let mut body = report("dns", 1, &[("Available", "True")]);
    body["data"] = json!({"zone": {"name": "example.org", "records": [1, 2]}, "empty": {}});
    body["metadata"] = json!({
        "job_name": "dns-1", "job_namespace": "jobs", "attempt": 2, "started_time": "2026-01-01T00:00:00Z",
        "completed_time": "2026-01-01T00:01:00Z", "duration": "60s",
    });
    let stored = cx.report(&cluster, &body).await?.success()?;
    assert_eq!((&stored["data"], &stored["metadata"]), (&body["data"], &body["metadata"]));
    assert_eq!(statuses(cx, &cluster).await?, [stored]);
    Ok(())
}

async fn both_methods_report(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let place = format!("{}/statuses", path(&cluster));
    for (method, adapter) in [("POST", "dns"), ("PUT", "validation")] {
        let answer = cx.write(method, &place, &report(adapter, 1, &[("Available", "True")])).await?;
        assert!([200, 201].contains(&answer.status), "{method}: {}", answer.status);
        assert_eq!(answer.json()?["adapter"], adapter);
    }
    assert_eq!(statuses(cx, &cluster).await?.len(), 2);
    Ok(())
}

async fn a_report_needs_its_keys(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    for key in ["adapter", "observed_generation", "conditions"] {
        let mut body = report("dns", 1, &[("Available", "True")]);
        body.as_object_mut().and_then(|body| body.remove(key));
        let answer = cx.report(&cluster, &body).await?;
        let error = answer.json()?;
        assert_eq!(answer.status, 400, "{key}");
        assert!(error["reason"].as_str().is_some_and(|reason| reason.contains(key)), "{error}");
    }
    for key in ["type", "status"] {
        let mut body = report("dns", 1, &[("Available", "True")]);
        body["conditions"][0].as_object_mut().and_then(|condition| condition.remove(key));
        let answer = cx.report(&cluster, &body).await?;
        assert_eq!(answer.status, 400, "{key}: {}", answer.text());
    }
    assert!(statuses(cx, &cluster).await?.is_empty());
    Ok(())
}

async fn keys_that_nobody_knows_are_refused(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let mut body = report("dns", 1, &[("Available", "True")]);
    body["x"] = json!(1);
    let answer = cx.report(&cluster, &body).await?;
    assert_eq!((answer.status, &answer.json()?["code"]), (400, &json!("hyperfleet-17")));
    Ok(())
}

async fn values_of_the_wrong_kind_are_refused(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    for (key, value) in [
        ("adapter", json!(5)),
        ("adapter", json!("")),
        ("observed_generation", json!("1")),
        ("observed_generation", json!(1.5)),
        ("observed_generation", json!(1_u64 << 63)),
        ("observed_time", json!("yesterday")),
        ("observed_time", json!(5)),
        ("conditions", json!({})),
        ("conditions", json!(["Available"])),
        ("conditions", json!([{"type": "Available", "status": "Perhaps"}])),
        ("data", json!([])),
        ("data", json!({"k": "v"})),
        ("metadata", json!("text")),
    ] {
        let mut body = report("dns", 1, &[("Available", "True")]);
        body[key] = value.clone();
        let answer = cx.report(&cluster, &body).await?;
        assert_eq!(answer.status, 400, "{key} {value}: {}", answer.text());
    }
    assert!(statuses(cx, &cluster).await?.is_empty());
    Ok(())
}

async fn a_report_needs_its_record(cx: &Cx) -> Result<()> {
    let (one, two) = (cx.cluster("a").await?, cx.cluster("b").await?);
    let pool = cx.nodepool(&one, "np1").await?;
    let body = report("dns", 1, &[("Available", "True")]);
    for place in [
        "/clusters/none/statuses".to_owned(),
        format!("{}/nodepools/none/statuses", path(&one)),
        format!("{}/nodepools/{}/statuses", path(&two), id(&pool)),
    ] {
        assert_eq!(cx.post(&place, &body).await?.status, 404, "POST {place}");
        assert_eq!(cx.get(&place).await?.status, 404, "GET {place}");
    }
    Ok(())
}

async fn a_stale_report_does_not_win(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let patched = cx.patch(&path(&cluster), &json!({"spec": {"x": 1}})).await?.success()?;
    assert_eq!(patched["generation"], json!(2));
    let at = |generation: i64, time: &str, status: &str| {
        let mut body = report("dns", generation, &[("Available", status)]);
        body["observed_time"] = json!(time);
        body
    };
    let newest = cx.report(&cluster, &at(2, "2026-01-01T00:05:00Z", "True")).await?.success()?;
    let before = cx.read(&cluster).await?;
    for (stale, why) in [
        (at(1, "2026-01-01T00:09:00Z", "False"), "an older generation"),
        (at(2, "2026-01-01T00:04:00Z", "False"), "an older time"),
    ] {
        let answer = cx.report(&cluster, &stale).await?;
        assert!([200, 201, 204].contains(&answer.status), "{why}: {}", answer.status);
        assert_eq!(statuses(cx, &cluster).await?, std::slice::from_ref(&newest), "{why}");
        assert_eq!(cx.read(&cluster).await?, before, "{why}");
    }
    Ok(())
}

async fn first_reports_that_race_all_count(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let body = report("dns", 1, &[("Available", "True")]);
    let answers = try_join_all((0..32).map(|_| cx.report(&cluster, &body))).await?;
    for answer in answers {
        assert!([200, 201, 204].contains(&answer.status), "{}: {}", answer.status, answer.text());
    }
    assert_eq!(statuses(cx, &cluster).await?.len(), 1);
    // And those of many adapters: each is in the aggregate.
    let names: Vec<String> = (0..16).map(|number| format!("adapter-{number}")).collect();
    let reports = names.iter().map(|name| async { cx.report(&cluster, &report(name, 1, &[("Available", "True")])).await?.success() });
    try_join_all(reports).await?;
    assert_eq!(statuses(cx, &cluster).await?.len(), 17);
    let status = cx.read(&cluster).await?["status"].clone();
    assert_eq!(status["adapters"].as_array().map(Vec::len), Some(17));
    assert_eq!(status["phase"], "Ready");
    Ok(())
}

async fn node_pools_have_statuses_too(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let pool = cx.nodepool(&cluster, "np1").await?;
    let answer = cx.report(&pool, &report("hypershift", 1, &[("Available", "True")])).await?;
    assert_eq!(answer.status, 201);
    assert_eq!(statuses(cx, &pool).await?, [answer.json()?]);
    assert!(statuses(cx, &cluster).await?.is_empty());
    assert_eq!(cx.read(&pool).await?["status"]["phase"], "Ready");
    assert_eq!(cx.read(&cluster).await?["status"]["phase"], "NotReady");
    Ok(())
}
