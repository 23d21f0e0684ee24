//! Clusters: made and read.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cx::{Cx, id, path};
use crate::shape::keys;

cases![
    a_new_cluster_is_answered_whole,
    a_cluster_is_read_as_it_was_made,
    answers_carry_the_headers_of_the_first_version,
    a_name_is_taken_once,
    what_a_body_needs_is_named_in_order,
    keys_that_nobody_knows_are_refused,
    an_id_is_not_the_clients_to_choose,
    the_spec_is_an_object,
    a_body_that_is_no_json_is_refused,
    the_content_type_does_not_matter,
    labels_may_be_absent_or_null,
    a_spec_comes_back_as_it_was_sent,
    a_missing_cluster_is_not_found,
];

/// The keys of a cluster, in the order of the first version.
pub(super) const KEYS: [&str; 13] = [
    "created_by", "created_time", "generation", "href", "id", "kind", "labels", "name", "spec", "status", "updated_by",
    "updated_time", "",
];

async fn a_new_cluster_is_answered_whole(cx: &Cx) -> Result<()> {
    let body = json!({"kind": "Cluster", "name": cx.name("a"), "labels": {"run": cx.run}, "spec": {"region": "us-east1"}});
    let answer = cx.post("/clusters", &body).await?;
    assert_eq!(answer.status, 201);
    assert_eq!(keys(&answer.body, "")?, KEYS[..12]);
    let first = ["conditions", "last_transition_time", "last_updated_time", "observed_generation", "phase"];
    let status = keys(&answer.body, "status")?;
    assert!(status.is_sorted(), "{status:?}");
    assert_eq!(status, [["adapters"].as_slice(), &first].concat());
    let cluster = answer.json()?;
    let unknown = id(&cluster).to_owned();
    for (key, value) in [
        ("created_by", json!("system")),
        ("updated_by", json!("system")),
        ("generation", json!(1)),
        ("href", json!(format!("/api/hyperfleet/v1/clusters/{unknown}"))),
        ("kind", json!("Cluster")),
        ("labels", json!({"run": cx.run})),
        ("name", json!(cx.name("a"))),
        ("spec", json!({"region": "us-east1"})),
    ] {
        assert_eq!(cluster[key], value, "{key}");
    }
    let status = &cluster["status"];
    for (key, value) in [
        ("adapters", json!([])),
        ("last_transition_time", json!("0001-01-01T00:00:00Z")),
        ("last_updated_time", json!("0001-01-01T00:00:00Z")),
        ("observed_generation", json!(0)),
        ("phase", json!("NotReady")),
    ] {
        assert_eq!(status[key], value, "status.{key}");
    }
    let made: jiff::Timestamp = cluster["created_time"].as_str().unwrap_or_default().parse()?;
    assert_eq!(cluster["updated_time"].as_str().unwrap_or_default().parse::<jiff::Timestamp>()?, made);
    Ok(())
}

async fn a_cluster_is_read_as_it_was_made(cx: &Cx) -> Result<()> {
    let made = cx.post("/clusters", &cx.body("a")).await?;
    let read = cx.get(&path(&made.json()?)).await?;
    assert_eq!((made.status, read.status), (201, 200));
    assert_eq!(made.json()?, read.json()?);
    assert_eq!(keys(&read.body, "")?, KEYS[..12]);
    Ok(())
}

async fn answers_carry_the_headers_of_the_first_version(cx: &Cx) -> Result<()> {
    let made = cx.post("/clusters", &cx.body("a")).await?;
    let cluster = path(&made.json()?);
    let own = [("x-operation-id", "mine")];
    let refused = cx.post("/clusters", &json!({})).await?;
    let read = cx.send("GET", &cluster, &own, "").await?;
    for answer in [&made, &read, &refused] {
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let operation = answer.header("x-operation-id").unwrap_or_default();
        assert!(operation.len() > 20 && operation != "mine", "{operation}");
    }
    for answer in [&made, &read] {
        let vary = answer.headers.get_all("vary").iter().filter_map(|value| value.to_str().ok());
        assert!(vary.flat_map(|value| value.split(',')).any(|name| name.trim().eq_ignore_ascii_case("authorization")));
    }
    assert_eq!(refused.json()?["operation_id"].as_str(), refused.header("x-operation-id"));
    assert_ne!(made.header("x-operation-id"), read.header("x-operation-id"));
    Ok(())
}

async fn a_name_is_taken_once(cx: &Cx) -> Result<()> {
    cx.cluster("a").await?;
    let again = cx.post("/clusters", &cx.body("a")).await?;
    assert_eq!(again.status, 409);
    let error = again.json()?;
    assert_eq!(error["code"], "hyperfleet-6");
    assert_eq!(error["reason"], "This Cluster already exists");
    Ok(())
}

async fn what_a_body_needs_is_named_in_order(cx: &Cx) -> Result<()> {
    let mut body = json!({});
    for (key, value) in [("kind", json!("Cluster")), ("name", json!(cx.name("a"))), ("spec", json!({}))] {
        let answer = cx.post("/clusters", &body).await?;
        assert_eq!(answer.status, 400);
        let error = answer.json()?;
        let reason = error["reason"].as_str().unwrap_or_default();
        assert!(reason.ends_with(&format!("no value given for required property {key}")), "{reason}");
        body[key] = value;
    }
    assert_eq!(cx.post("/clusters", &body).await?.status, 201);
    Ok(())
}

async fn keys_that_nobody_knows_are_refused(cx: &Cx) -> Result<()> {
    let mut body = cx.body("a");
    body["x"] = json!(1);
    let answer = cx.post("/clusters", &body).await?;
    let error = answer.json()?;
    assert_eq!((answer.status, &error["code"]), (400, &json!("hyperfleet-17")));
    assert!(error["reason"].as_str().is_some_and(|reason| reason.contains("unknown field \"x\"")), "{error}");
    Ok(())
}

async fn an_id_is_not_the_clients_to_choose(cx: &Cx) -> Result<()> {
    let mut body = cx.body("a");
    body["id"] = json!("mine");
    let answer = cx.post("/clusters", &body).await?;
    let error = answer.json()?;
    assert_eq!((answer.status, &error["code"], &error["reason"]), (400, &json!("hyperfleet-8"), &json!("id must be empty")));
    body["id"] = json!("");
    body["href"] = json!("/anywhere");
    let cluster = cx.post("/clusters", &body).await?.success()?;
    assert_ne!(cluster["href"], "/anywhere");
    Ok(())
}

async fn the_spec_is_an_object(cx: &Cx) -> Result<()> {
    for spec in [json!("text"), json!(5), json!([]), json!(true), Value::Null] {
        let mut body = cx.body("a");
        body["spec"] = spec.clone();
        let answer = cx.post("/clusters", &body).await?;
        let error = answer.json()?;
        let expected = (400, &json!("hyperfleet-8"), &json!("spec field must be an object"));
        assert_eq!((answer.status, &error["code"], &error["reason"]), expected, "{spec}");
    }
    Ok(())
}

async fn a_body_that_is_no_json_is_refused(cx: &Cx) -> Result<()> {
    for body in ["", "{", "[]", "5", "\"text\"", "{}{}", "null"] {
        let answer = cx.send("POST", "/clusters", &[], body).await?;
        let error = answer.json()?;
        assert_eq!((answer.status, &error["code"]), (400, &json!("hyperfleet-17")), "{body}: {error}");
    }
    Ok(())
}

async fn the_content_type_does_not_matter(cx: &Cx) -> Result<()> {
    for (suffix, kind) in [("a", "text/plain"), ("b", "application/x-www-form-urlencoded"), ("c", "nonsense")] {
        let answer = cx.send("POST", "/clusters", &[("content-type", kind)], cx.body(suffix).to_string()).await?;
        assert_eq!(answer.status, 201, "{kind}");
    }
    Ok(())
}

async fn labels_may_be_absent_or_null(cx: &Cx) -> Result<()> {
    for (suffix, labels) in [("a", None), ("b", Some(Value::Null)), ("c", Some(json!({})))] {
        let mut body = json!({"kind": "Cluster", "name": cx.name(suffix), "spec": {}});
        if let Some(labels) = labels {
            body["labels"] = labels;
        }
        assert_eq!(cx.post("/clusters", &body).await?.success()?["labels"], json!({}), "{suffix}");
    }
    Ok(())
}

async fn a_spec_comes_back_as_it_was_sent(cx: &Cx) -> Result<()> {
    let spec = json!({
        "text": "a<b>&\u{2028}\u{e9}\u{1f600}\\\"", "empty": {}, "list": [1, -2.5, "x", null, {"a": [[]]}], "yes": true,
        "no": false, "nothing": null, "large": 9_007_199_254_740_991_i64, "key with spaces": 1, "": 2,
    });
    let mut body = cx.body("a");
    body["spec"] = spec.clone();
    let made = cx.post("/clusters", &body).await?.success()?;
    assert_eq!(made["spec"], spec);
    assert_eq!(cx.read(&made).await?["spec"], spec);
    Ok(())
}

async fn a_missing_cluster_is_not_found(cx: &Cx) -> Result<()> {
    for id in ["none", "2abcdefghijklmnopqrstuvwxyz", "00000000-0000-7000-8000-000000000000"] {
        let answer = cx.get(&format!("/clusters/{id}")).await?;
        let error = answer.json()?;
        assert_eq!((answer.status, &error["code"]), (404, &json!("hyperfleet-7")), "{id}");
        assert_eq!(error["reason"], json!(format!("Cluster with id='{id}' not found")));
    }
    Ok(())
}
