//! `nodes`.

use http::StatusCode;
use serde_json::{Value, json};

use super::{NODES, cluster, serve, usual};

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().expect("items");
    items.iter().map(|item| item["metadata"]["name"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn nodes_are_listed_as_any_kind_is() {
    let (server, _) = usual().await;
    let list = server.get(NODES).await.json();
    assert_eq!((&list["kind"], &list["apiVersion"]), (&json!("NodeList"), &json!("infraops.michael.io/v1")));
    assert_eq!(list["metadata"]["resourceVersion"], "41");
    assert_eq!(names(&list), ["a", "b", "c"]);
    let first = &list["items"][0];
    assert_eq!(first["spec"], json!({ "providerID": "aws:///eu-west-1a/i-1" }));
    assert_eq!(first["status"], json!({ "provider": "aws", "instance": "i-1", "region": "eu-west-1", "ready": true }));
    assert_eq!(first["metadata"].get("annotations"), None, "what does not concern the machine stays where it is");
    for (selector, expected) in [
        ("labelSelector=pool%3Dx", vec!["a"]),
        ("labelSelector=pool", vec!["a", "b"]),
        ("labelSelector=!pool", vec!["c"]),
        ("fieldSelector=metadata.name%3Db", vec!["b"]),
        ("fieldSelector=metadata.name!%3Db", vec!["a", "c"]),
    ] {
        assert_eq!(names(&server.get(&format!("{NODES}?{selector}")).await.json()), expected, "{selector}");
    }
    let refused = server.get(&format!("{NODES}?fieldSelector=spec.providerID%3Dx")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_cluster_without_nodes_has_an_empty_list() {
    let (server, _) = serve(cluster::of(Vec::new(), None)).await;
    assert_eq!(server.get(NODES).await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_table_shows_the_machines_and_their_last_restarts() {
    let (server, worker) = usual().await;
    let steps = json!([{ "step": "Reboot" }]);
    let status = json!({ "phase": "Succeeded", "steps": steps, "endedAt": "2023-11-14T22:11:00Z" });
    worker.put("b", status).await;
    let table = server.accepting("application/json;as=Table;v=v1;g=meta.k8s.io").get(NODES).await.json();
    let columns = table["columnDefinitions"].as_array().expect("columns").iter();
    let columns: Vec<(&str, i64)> = columns
        .map(|column| (column["name"].as_str().expect("a name"), column["priority"].as_i64().expect("a priority")))
        .collect();
    assert_eq!(
        columns,
        [
            ("Name", 0),
            ("Provider", 0),
            ("Instance", 0),
            ("Region", 0),
            ("Last Restart", 0),
            ("Age", 0),
            ("Phase", 1),
            ("ProviderID", 1),
        ]
    );
    let cells: Vec<&Value> = table["rows"].as_array().expect("rows").iter().map(|row| &row["cells"]).collect();
    assert_eq!(cells[0], &json!(["a", "aws", "i-1", "eu-west-1", null, "13m", null, "aws:///eu-west-1a/i-1"]));
    assert_eq!(
        cells[1],
        &json!(["b", "aws", "i-2", "us-east-1", "2m20s", "13m", "Succeeded", "aws:///us-east-1b/i-2"])
    );
    let last = &server.get(&format!("{NODES}/b")).await.json()["status"]["lastRestart"];
    assert_eq!(last, &json!({ "name": "b-1", "phase": "Succeeded", "time": "2023-11-14T22:11:00Z" }));
}

#[tokio::test]
async fn every_representation_is_served() {
    let (server, _) = usual().await;
    let yaml = server.accepting("application/yaml").get(&format!("{NODES}/a")).await.text();
    assert!(yaml.contains("providerID: aws:///eu-west-1a/i-1"), "{yaml}");
    let partial = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
    let partial = server.accepting(partial).get(NODES).await.json();
    assert_eq!((&partial["kind"], names(&partial)), (&json!("PartialObjectMetadataList"), vec!["a", "b", "c"]));
    assert_eq!(partial["items"][0].get("spec"), None);
    for path in [NODES.to_owned(), format!("{NODES}/a")] {
        assert_eq!(server.accepting("text/html").get(&path).await.status, StatusCode::NOT_ACCEPTABLE, "{path}");
    }
}

#[tokio::test]
async fn a_node_that_is_not_known_is_asked_for() {
    let (server, _) = usual().await;
    let late = server.get(&format!("{NODES}/late")).await.json();
    assert_eq!((&late["status"]["provider"], &late["status"]["instance"]), (&json!("redfish"), &json!("late")));
    let missing = server.get(&format!("{NODES}/nobody")).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(missing.json()["message"], "nodes.infraops.michael.io \"nobody\" not found");
}

#[tokio::test(start_paused = true)]
async fn unknown_nodes_are_not_no_nodes() {
    let (server, _) = serve(cluster::silent()).await;
    let refused = server.get(NODES).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers["retry-after"], "1");
}

#[tokio::test]
async fn nodes_are_only_read() {
    let (server, _) = usual().await;
    let node = server.get(&format!("{NODES}/a")).await.json();
    let path = format!("{NODES}/a");
    for (method, path) in [
        ("POST", NODES),
        ("PUT", &path),
        ("PATCH", &path),
        ("DELETE", &path),
        ("DELETE", NODES),
        ("GET", &format!("{NODES}?watch=1")),
        ("GET", &format!("{NODES}/a/restart")),
        ("PUT", &format!("{NODES}/a/restart")),
    ] {
        let answer = server.send(method, path, "application/json", node.to_string()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}: {}", answer.text());
        assert_eq!(answer.json()["kind"], "Status");
    }
    assert_eq!(server.get(&format!("{NODES}/a/status")).await.status, StatusCode::NOT_FOUND);
    let stub = "/apis/infraops.michael.io/v1/namespaces/default/virtualmachineinstances/a/restart";
    assert_eq!(server.send("POST", stub, "", String::new()).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn discovery_tells_what_can_be_done() {
    let (server, _) = usual().await;
    let document = server.get("/apis/infraops.michael.io/v1").await.json();
    let resources = document["resources"].as_array().expect("resources").iter();
    let resources: Vec<(&str, &str, &Value)> = resources
        .map(|one| (one["name"].as_str().expect("a name"), one["kind"].as_str().expect("a kind"), &one["verbs"]))
        .collect();
    assert_eq!(
        resources,
        [
            ("noderestarts", "NodeRestart", &json!(["delete", "get", "list", "watch"])),
            ("nodes", "Node", &json!(["get", "list"])),
            ("nodes/restart", "NodeRestart", &json!(["create"])),
        ]
    );
    let openapi = server.get("/openapi/v3/apis/infraops.michael.io/v1").await.json();
    let post = &openapi["paths"]["/apis/infraops.michael.io/v1/nodes/{name}/restart"]["post"];
    assert_eq!(post["x-kubernetes-action"], "post", "{openapi}");
    let sent = &post["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    assert_eq!(sent, "#/components/schemas/io.michael.infraops.v1.RestartOptions", "{post}");
    let options = &openapi["components"]["schemas"]["io.michael.infraops.v1.RestartOptions"];
    assert_eq!(options["properties"]["drain"]["properties"]["force"]["type"], "boolean", "{options}");
}
