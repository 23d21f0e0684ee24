//! Node pools: each belongs to a cluster.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cx::{Cx, id, path};
use crate::shape::keys;

cases![
    a_new_node_pool_is_answered_whole,
    the_kind_may_be_absent,
    a_node_pool_needs_its_cluster,
    a_name_is_taken_once_in_a_cluster,
    a_node_pool_is_found_below_its_cluster_alone,
    lists_are_of_one_cluster_or_of_all,
    there_is_no_path_to_a_node_pool_without_its_cluster,
];

async fn a_new_node_pool_is_answered_whole(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let body = json!({"kind": "NodePool", "name": "np1", "labels": {"run": cx.run}, "spec": {"replicas": 2}});
    let answer = cx.post(&format!("{}/nodepools", path(&cluster)), &body).await?;
    assert_eq!(answer.status, 201);
    let mut expected: Vec<&str> = super::clusters::KEYS[..12].to_vec();
    expected.insert(8, "owner_references");
    assert_eq!(keys(&answer.body, "")?, expected);
    assert_eq!(keys(&answer.body, "owner_references")?, ["href", "id", "kind"]);
    let pool = answer.json()?;
    assert_eq!(pool["owner_references"], json!({"href": cluster["href"], "id": cluster["id"], "kind": "Cluster"}));
    let href = format!("{}/nodepools/{}", cluster["href"].as_str().unwrap_or_default(), id(&pool));
    assert_eq!((&pool["href"], &pool["kind"], &pool["name"]), (&json!(href), &json!("NodePool"), &json!("np1")));
    assert_eq!((&pool["generation"], &pool["spec"]), (&json!(1), &json!({"replicas": 2})));
    assert_eq!(pool["status"]["phase"], "NotReady");
    assert_eq!(cx.read(&pool).await?, pool);
    Ok(())
}

async fn the_kind_may_be_absent(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let pools = format!("{}/nodepools", path(&cluster));
    let pool = cx.post(&pools, &json!({"name": "np1", "spec": {}})).await?.success()?;
    assert_eq!(pool["kind"], "NodePool");
    for (body, missing) in [(json!({"spec": {}}), "name"), (json!({"name": "np2"}), "spec")] {
        let answer = cx.post(&pools, &body).await?;
        let error = answer.json()?;
        assert_eq!(answer.status, 400);
        let wanted = format!("no value given for required property {missing}");
        assert!(error["reason"].as_str().is_some_and(|reason| reason.ends_with(&wanted)), "{error}");
    }
    Ok(())
}

async fn a_node_pool_needs_its_cluster(cx: &Cx) -> Result<()> {
    let answer = cx.post("/clusters/none/nodepools", &json!({"kind": "NodePool", "name": "np1", "spec": {}})).await?;
    let error = answer.json()?;
    assert_eq!((answer.status, &error["code"]), (404, &json!("hyperfleet-7")));
    assert_eq!(error["reason"], "Cluster with id='none' not found");
    Ok(())
}

async fn a_name_is_taken_once_in_a_cluster(cx: &Cx) -> Result<()> {
    let (one, two) = (cx.cluster("a").await?, cx.cluster("b").await?);
    cx.nodepool(&one, "np1").await?;
    cx.nodepool(&two, "np1").await?;
    let again = cx.post(&format!("{}/nodepools", path(&one)), &json!({"name": "np1", "spec": {}})).await?;
    assert_eq!((again.status, &again.json()?["code"]), (409, &json!("hyperfleet-6")));
    assert_eq!(again.json()?["reason"], "This NodePool already exists");
    Ok(())
}

async fn a_node_pool_is_found_below_its_cluster_alone(cx: &Cx) -> Result<()> {
    let (one, two) = (cx.cluster("a").await?, cx.cluster("b").await?);
    let pool = cx.nodepool(&one, "np1").await?;
    let elsewhere = cx.get(&format!("{}/nodepools/{}", path(&two), id(&pool))).await?;
    assert_eq!(elsewhere.status, 404);
    let reason = format!("NodePool '{}' not found for cluster '{}'", id(&pool), id(&two));
    assert_eq!(elsewhere.json()?["reason"], json!(reason));
    for missing in [format!("{}/nodepools/none", path(&one)), format!("/clusters/none/nodepools/{}", id(&pool))] {
        assert_eq!(cx.get(&missing).await?.status, 404, "{missing}");
    }
    Ok(())
}

async fn lists_are_of_one_cluster_or_of_all(cx: &Cx) -> Result<()> {
    let (one, two) = (cx.cluster("a").await?, cx.cluster("b").await?);
    for (cluster, name) in [(&one, "np1"), (&one, "np2"), (&two, "np3")] {
        cx.nodepool(cluster, name).await?;
    }
    let names = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().into_iter().flatten();
        items.filter_map(|item| item["name"].as_str()).map(str::to_owned).collect()
    };
    let of_one = cx.get(&format!("{}/nodepools?orderBy=name", path(&one))).await?;
    assert_eq!(keys(&of_one.body, "")?, ["kind", "page", "size", "total", "items"]);
    let of_one = of_one.success()?;
    assert_eq!((names(&of_one), &of_one["kind"], &of_one["total"]), (vec!["np1".into(), "np2".into()], &json!("NodePoolList"), &json!(2)));
    let all = cx.get(&format!("/nodepools?search=labels.run%3D'{}'&orderBy=name", cx.run)).await?.success()?;
    assert_eq!(names(&all), ["np1", "np2", "np3"]);
    assert_eq!(cx.get("/clusters/none/nodepools").await?.status, 404);
    Ok(())
}

async fn there_is_no_path_to_a_node_pool_without_its_cluster(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let pool = cx.nodepool(&cluster, "np1").await?;
    assert_eq!(cx.get(&format!("/nodepools/{}", id(&pool))).await?.status, 404);
    Ok(())
}
