//! Many at once: everybody gets an answer.

use anyhow::Result;
use futures::future::{join_all, try_join_all};
use serde_json::json;

use crate::cx::{Cx, path, report};

cases![many_connections_at_once_make_progress, clusters_made_at_once_are_all_there];

/// More than any pool of connections to a database holds.
const CLIENTS: usize = 128;

async fn many_connections_at_once_make_progress(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let client = |number: usize| {
        let cluster = &cluster;
        async move {
            let mine = cx.cluster(&format!("c{number}")).await?;
            cx.report(&mine, &report("dns", 1, &[("Available", "True")])).await?.success()?;
            cx.report(cluster, &report(&format!("a{number}"), 1, &[("Available", "True")])).await?.success()?;
            cx.patch(&path(&mine), &json!({"spec": {"n": number}})).await?.success()?;
            cx.search("", "&pageSize=20").await?.success()?;
            cx.read(&mine).await
        }
    };
    let outcomes = join_all((0..CLIENTS).map(client)).await;
    for outcome in outcomes {
        assert_eq!(outcome?["generation"], json!(2));
    }
    let adapters = cx.read(&cluster).await?["status"]["adapters"].as_array().map(Vec::len);
    assert_eq!(adapters, Some(CLIENTS));
    Ok(())
}

async fn clusters_made_at_once_are_all_there(cx: &Cx) -> Result<()> {
    let names: Vec<String> = (0..CLIENTS).map(|number| format!("c{number}")).collect();
    try_join_all(names.iter().map(|name| cx.cluster(name))).await?;
    let list = cx.search("", "&pageSize=200").await?.success()?;
    assert_eq!(list["total"], json!(CLIENTS));
    // Of those that want one name, one gets it.
    let answers = join_all((0..16).map(|_| async { cx.post("/clusters", &cx.body("same")).await })).await;
    let statuses: Vec<u16> = answers.into_iter().map(|answer| answer.map(|answer| answer.status)).collect::<Result<_>>()?;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    Ok(())
}
