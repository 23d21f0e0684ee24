//! Records that change: PATCH.

use anyhow::Result;
use futures::future::try_join_all;
use serde_json::{Value, json};

use crate::cx::{Cx, id, path};

cases![
    a_spec_is_replaced_and_makes_a_generation,
    labels_are_replaced_and_make_a_generation,
    nothing_new_makes_no_generation,
    a_change_says_when,
    what_is_not_the_clients_to_change_stays,
    changes_that_make_no_sense_are_refused,
    a_change_of_nothing_there_is_not_found,
    node_pools_change_below_their_cluster_alone,
    changes_that_race_each_make_a_generation,
    a_new_label_is_found_and_an_old_one_is_not,
];

async fn a_spec_is_replaced_and_makes_a_generation(cx: &Cx) -> Result<()> {
    let mut body = cx.body("a");
    body["spec"] = json!({"a": 1, "b": 2});
    let cluster = cx.post("/clusters", &body).await?.success()?;
    let patched = cx.patch(&path(&cluster), &json!({"spec": {"b": 3}})).await?;
    assert_eq!(patched.status, 200);
    let patched = patched.json()?;
    assert_eq!((&patched["spec"], &patched["generation"]), (&json!({"b": 3}), &json!(2)));
    assert_eq!(patched["labels"], cluster["labels"]);
    assert_eq!(cx.read(&cluster).await?, patched);
    Ok(())
}

async fn labels_are_replaced_and_make_a_generation(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let labels = json!({"run": cx.run, "env": "test"});
    let patched = cx.patch(&path(&cluster), &json!({"labels": labels})).await?.success()?;
    assert_eq!((&patched["labels"], &patched["generation"]), (&labels, &json!(2)));
    assert_eq!(cx.read(&cluster).await?, patched);
    Ok(())
}

async fn nothing_new_makes_no_generation(cx: &Cx) -> Result<()> {
    let mut body = cx.body("a");
    body["spec"] = json!({"b": 1, "a": {"y": 1, "x": 2}});
    let cluster = cx.post("/clusters", &body).await?.success()?;
    for same in [
        json!({}),
        json!({"spec": body["spec"]}),
        json!({"labels": {"run": cx.run}}),
        json!({"spec": {"a": {"x": 2, "y": 1}, "b": 1}, "labels": {"run": cx.run}}),
    ] {
        let patched = cx.patch(&path(&cluster), &same).await?.success()?;
        assert_eq!(patched["generation"], json!(1), "{same}");
    }
    Ok(())
}

async fn a_change_says_when(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let time = |record: &Value| record["updated_time"].as_str().unwrap_or_default().parse::<jiff::Timestamp>();
    let patched = cx.patch(&path(&cluster), &json!({"spec": {"x": 1}})).await?.success()?;
    assert!(time(&patched)? > time(&cluster)?);
    assert_eq!((&patched["created_time"], &patched["updated_by"]), (&cluster["created_time"], &json!("system")));
    Ok(())
}

async fn what_is_not_the_clients_to_change_stays(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    for (key, value) in [("generation", json!(99)), ("id", json!("mine")), ("status", json!({"phase": "Ready"})), ("created_by", json!("me"))] {
        let answer = cx.patch(&path(&cluster), &json!({"spec": {}, key: value})).await?;
        assert!([200, 400].contains(&answer.status), "{key}: {}", answer.text());
        assert_eq!(cx.read(&cluster).await?[key], cluster[key], "{key}");
    }
    Ok(())
}

async fn changes_that_make_no_sense_are_refused(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    for body in [
        json!({"spec": "text"}),
        json!({"spec": []}),
        json!({"labels": "text"}),
        json!({"labels": {"a": 1}}),
        json!([]),
        json!("text"),
    ] {
        let answer = cx.patch(&path(&cluster), &body).await?;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
    }
    assert_eq!(cx.send("PATCH", &path(&cluster), &[], "{").await?.status, 400);
    assert_eq!(cx.read(&cluster).await?, cluster);
    Ok(())
}

async fn a_change_of_nothing_there_is_not_found(cx: &Cx) -> Result<()> {
    let answer = cx.patch("/clusters/none", &json!({"spec": {}})).await?;
    assert_eq!((answer.status, &answer.json()?["code"]), (404, &json!("hyperfleet-7")));
    Ok(())
}

async fn node_pools_change_below_their_cluster_alone(cx: &Cx) -> Result<()> {
    let (one, two) = (cx.cluster("a").await?, cx.cluster("b").await?);
    let pool = cx.nodepool(&one, "np1").await?;
    let body = json!({"spec": {"replicas": 5}});
    let elsewhere = cx.patch(&format!("{}/nodepools/{}", path(&two), id(&pool)), &body).await?;
    assert_eq!(elsewhere.status, 404);
    let patched = cx.patch(&path(&pool), &body).await?.success()?;
    assert_eq!((&patched["spec"], &patched["generation"]), (&body["spec"], &json!(2)));
    assert_eq!(patched["owner_references"], pool["owner_references"]);
    Ok(())
}

async fn changes_that_race_each_make_a_generation(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let place = path(&cluster);
    let changes = (0..16).map(|number| {
        let body = json!({"spec": {"number": number}});
        let place = &place;
        async move { cx.patch(place, &body).await?.success() }
    });
    let mut generations: Vec<i64> =
        try_join_all(changes).await?.iter().filter_map(|cluster| cluster["generation"].as_i64()).collect();
    generations.sort_unstable();
    assert_eq!(generations, (2..18).collect::<Vec<i64>>());
    Ok(())
}

async fn a_new_label_is_found_and_an_old_one_is_not(cx: &Cx) -> Result<()> {
    let mut body = cx.body("a");
    body["labels"]["env"] = json!("old");
    let cluster = cx.post("/clusters", &body).await?.success()?;
    assert_eq!(cx.matching("labels.env = 'old'").await?, "a");
    cx.patch(&path(&cluster), &json!({"labels": {"run": cx.run, "env": "new"}})).await?.success()?;
    assert_eq!(cx.matching("labels.env = 'old'").await?, "");
    assert_eq!(cx.matching("labels.env = 'new'").await?, "a");
    Ok(())
}
