//! A kind that acts: asked first, and otherwise like any other.

use std::sync::Arc;

use api_testing::{Everybody, Server};
use apiserver::{Actor, Call, Extension, Verb};
use async_trait::async_trait;
use axum::body::Body;
use http::{Response, StatusCode};
use machinery::status::Status;
use openapi::{Subresource, SubresourceKind};
use serde_json::json;

const LAMPS: &str = "/apis/house.example.com/v1/lamps";

const DEFINITION: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: lamps.house.example.com}
spec:
  group: house.example.com
  scope: Cluster
  names: {plural: lamps, singular: lamp, kind: Lamp, listKind: LampList}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, properties: {watts: {type: integer}}}
"#;

/// Cannot be replaced; is switched by its subresource; lists one that is stored nowhere; tells its light as a number.
struct Lamp;

#[async_trait]
impl Actor for Lamp {
    fn verbs(&self) -> &[openapi::Verb] {
        const VERBS: [openapi::Verb; 3] = [openapi::Verb::Get, openapi::Verb::List, openapi::Verb::Create];
        &VERBS
    }

    fn subresources(&self) -> Vec<Subresource> {
        let verbs = vec![openapi::Verb::Create];
        ["switch", "drop"]
            .map(|name| Subresource {
                name: name.to_owned(),
                kind: SubresourceKind::Other("Switch"),
                verbs: verbs.clone(),
            })
            .into()
    }

    async fn act(&self, call: &mut Call<'_>) -> Result<Option<Response<Body>>, Status> {
        match (call.verb(), call.subresource()) {
            (Verb::Create, Some("drop")) => panic!("it breaks"),
            (Verb::Create, Some("switch")) => {
                let given = call.value().await?;
                let lamp = call.stored().await?;
                call.warn("it gets bright");
                let answer = json!({ "kind": "Switch", "lamp": lamp["metadata"]["name"], "given": given });
                Ok(Some(call.bytes(StatusCode::CREATED, "application/json", answer.to_string().into())))
            }
            (Verb::List, None) => {
                let lamp = json!({
                    "apiVersion": "house.example.com/v1", "kind": "Lamp",
                    "metadata": { "name": "sun", "resourceVersion": "7", "uid": "u" },
                });
                call.objects(9, &[lamp]).map(Some)
            }
            (Verb::Get, None) if call.accept() == "text/x-watts" => {
                let lamp = call.stored().await?;
                Ok(Some(call.bytes(StatusCode::OK, "text/x-watts", lamp["spec"]["watts"].to_string().into())))
            }
            _ => Ok(None),
        }
    }
}

async fn server() -> Server {
    let extension = Extension { origin: "lamp.yaml", definition: DEFINITION, actor: Arc::new(Lamp), store: None };
    let server = Server::with(&[extension], Arc::new(Everybody)).await;
    let lamp = json!({
        "apiVersion": "house.example.com/v1", "kind": "Lamp", "metadata": { "name": "a" }, "spec": { "watts": 60 },
    });
    assert_eq!(server.post(LAMPS, &lamp).await.status, StatusCode::CREATED, "what the actor leaves alone is done");
    server
}

#[tokio::test]
async fn an_actor_answers_its_subresources() {
    let server = server().await;
    let answer = server.post(&format!("{LAMPS}/a/switch"), &json!({ "on": true })).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    assert_eq!(answer.json(), json!({ "kind": "Switch", "lamp": "a", "given": { "on": true } }));
    assert_eq!(answer.headers["warning"], "299 - \"it gets bright\"");

    let missing = server.post(&format!("{LAMPS}/b/switch"), &json!({})).await;
    assert_eq!((missing.status, &missing.json()["reason"]), (StatusCode::NOT_FOUND, &json!("NotFound")));
    assert_eq!(server.post(&format!("{LAMPS}/a/dim"), &json!({})).await.status, StatusCode::NOT_FOUND);
    // It is there, and is not read.
    assert_eq!(server.get(&format!("{LAMPS}/a/switch")).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_verb_that_the_actor_has_not_is_not_allowed() {
    let server = server().await;
    for answer in [
        server.put(&format!("{LAMPS}/a"), &json!({})).await,
        server.merge(&format!("{LAMPS}/a"), &json!({})).await,
        server.delete(&format!("{LAMPS}/a")).await,
        server.get(&format!("{LAMPS}?watch=1")).await,
    ] {
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{}", answer.text());
    }
    assert_eq!(server.get(&format!("{LAMPS}/a")).await.json()["spec"]["watts"], 60);
}

#[tokio::test]
async fn an_actor_can_answer_in_media_types_of_its_own() {
    let server = server().await;
    assert_eq!(server.accepting("text/x-watts").get(&format!("{LAMPS}/a")).await.text(), "60");
    let other = server.accepting("text/x-lumen").get(&format!("{LAMPS}/a")).await;
    assert_eq!(other.status, StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn objects_that_are_stored_nowhere_look_like_all_others() {
    let server = server().await;
    let list = server.get(LAMPS).await.json();
    assert_eq!((&list["kind"], &list["metadata"]["resourceVersion"]), (&json!("LampList"), &json!("9")));
    assert_eq!(list["items"][0]["metadata"], json!({ "name": "sun", "resourceVersion": "7", "uid": "u" }));
    let table = server.accepting("application/json;as=Table;v=v1;g=meta.k8s.io").get(LAMPS).await.json();
    assert_eq!((&table["kind"], &table["rows"][0]["cells"][0]), (&json!("Table"), &json!("sun")));
}

#[tokio::test]
async fn discovery_says_what_an_actor_does() {
    let server = server().await;
    let resources = server.get("/apis/house.example.com/v1").await.json()["resources"].clone();
    assert_eq!(resources[0]["verbs"], json!(["get", "list", "create"]));
    assert_eq!(
        (&resources[1]["name"], &resources[1]["kind"], &resources[1]["verbs"]),
        (&json!("lamps/switch"), &json!("Switch"), &json!(["create"]))
    );
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_no_more() {
    let server = server().await;
    let broken = server.post(&format!("{LAMPS}/a/drop"), &json!({})).await;
    assert_eq!(broken.status, StatusCode::INTERNAL_SERVER_ERROR);
    let status = broken.json();
    assert_eq!(status["reason"], "InternalError", "{status}");
    assert!(!broken.text().contains("it breaks"), "nobody is told why: {status}");
    assert_eq!(server.get(&format!("{LAMPS}/a")).await.status, StatusCode::OK, "others are served");
}
