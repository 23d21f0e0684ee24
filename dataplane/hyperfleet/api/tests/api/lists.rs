//! Lists: pages, orders, parts.

use crate::server::{V1, start};

#[tokio::test]
async fn pages_are_echoed_and_totals_kept() {
    let server = start(&[]).await;
    for name in ["a", "b", "c"] {
        server.cluster(name).await;
    }
    let list = async |query: &str| {
        let list = server.get(&format!("{V1}/clusters?{query}")).await.json();
        let names: Vec<_> = list["items"].as_array().expect("items").iter().map(|item| item["name"].clone()).collect();
        (names, list["page"].clone(), list["size"].clone(), list["total"].clone())
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).into()).collect::<Vec<serde_json::Value>>();
    assert_eq!(list("orderBy=name").await, (names(&["a", "b", "c"]), 1.into(), 3.into(), 3.into()));
    assert_eq!(list("").await.0, names(&["c", "b", "a"]), "the newest come first");
    assert_eq!(list("orderBy=name&page=2&pageSize=2").await, (names(&["c"]), 2.into(), 1.into(), 3.into()));
    assert_eq!(list("orderBy=name&order=desc&size=1").await.0, names(&["c"]));
    assert_eq!(list("pageSize=0").await, (names(&[]), 1.into(), 0.into(), 3.into()));
    assert_eq!(list("page=-7").await.1, -7);
    assert_eq!(list("page=5").await, (names(&[]), 5.into(), 0.into(), 3.into()));
    assert_eq!(list("search=labels.env='test'+and+name+in+('a','b')&orderBy=name").await.0, names(&["a", "b"]));
    server.stop().await;
}

#[tokio::test]
async fn fields_show_parts_of_items_and_of_single_records() {
    let server = start(&[]).await;
    let id = server.cluster("a").await;
    let part = r#"{"name":"a","spec":{"region":"r"},"status":{"phase":"NotReady"}}"#;
    let query = "fields=name,spec.region,status.phase";
    assert_eq!(server.get(&format!("{V1}/clusters/{id}?{query}")).await.text(), part);
    assert_eq!(
        server.get(&format!("{V1}/clusters?{query}")).await.text(),
        format!(r#"{{"items":[{part}],"kind":"ClusterList","page":1,"size":1,"total":1}}"#)
    );
    let empty = server.get(&format!("{V1}/nodepools?fields=id")).await.text();
    assert_eq!(empty, r#"{"kind":"NodePoolList","page":1,"size":0,"total":0,"items":[]}"#);
    server.stop().await;
}

#[tokio::test]
async fn strict_lists_refuse_what_is_out_of_bounds() {
    let server = start(&["--strict-lists"]).await;
    let refused = server.get(&format!("{V1}/clusters?page=0&size=101")).await;
    assert_eq!((refused.status.as_u16(), refused.json()["details"].as_array().map(Vec::len)), (400, Some(2)));
    assert_eq!(server.get(&format!("{V1}/clusters?size=10&page=1&order=name")).await.status, 200);
    assert_eq!(server.get(&format!("{V1}/clusters?pageSize=-1&orderBy=nope")).await.status, 200, "these are not known");
    server.stop().await;
}
