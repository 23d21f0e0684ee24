//! Stages of admission, in the process: when they are asked, and what comes of their answers.

use std::sync::{Arc, Mutex};

use admission::{Attributes, Chain, Notes, Operation, Plugin, Refusal};
use api_testing::Server;
use async_trait::async_trait;
use http::StatusCode;
use machinery::status::Status;
use serde_json::{Value, json};

use crate::{WIDGETS, created, widget};

/// A stage that writes down what it is asked and does what `change` does.
struct Stage {
    seen: Arc<Mutex<Vec<String>>>,
    handles: fn(&Attributes) -> bool,
    change: fn(&mut Value),
    refuse: fn(&Attributes) -> bool,
}

impl Default for Stage {
    fn default() -> Self {
        Self { seen: Arc::default(), handles: |_| true, change: |_| {}, refuse: |_| false }
    }
}

impl Stage {
    fn note(&self, what: &str, attributes: &Attributes) {
        let objects = format!("{}{}", u8::from(attributes.object.is_some()), u8::from(attributes.old_object.is_some()));
        let (operation, name) = (attributes.operation.as_str(), &attributes.name);
        self.seen.lock().expect("a lock").push(format!("{what} {operation} {name:?} {objects}"));
    }
}

#[async_trait]
impl Plugin for Stage {
    fn handles(&self, attributes: &Attributes) -> bool {
        (self.handles)(attributes)
    }

    async fn mutate(&self, attributes: &mut Attributes, again: bool, notes: &mut Notes) -> Result<bool, Refusal> {
        self.note(if again { "again" } else { "mutate" }, attributes);
        let Some(object) = &mut attributes.object else { return Ok(false) };
        let before = object.clone();
        (self.change)(object);
        notes.warnings.push("a stage was here".to_owned());
        Ok(*object != before)
    }

    async fn validate(&self, attributes: &Attributes, _: &mut Notes) -> Result<(), Refusal> {
        self.note("validate", attributes);
        match (self.refuse)(attributes) {
            true => Err(Box::new(Status::bad_request("not like this"))),
            false => Ok(()),
        }
    }
}

async fn server(stage: Stage) -> (Server, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::clone(&stage.seen);
    let stage: Arc<dyn Plugin> = Arc::new(stage);
    (Server::admitting(Chain::new([stage])).await, seen)
}

fn taken(seen: &Mutex<Vec<String>>) -> Vec<String> {
    std::mem::take(&mut *seen.lock().expect("a lock"))
}

#[tokio::test]
async fn each_write_is_asked_about_before_it_is_stored() {
    let (server, seen) = server(Stage::default()).await;
    created(&server, "a").await;
    assert_eq!(taken(&seen), ["mutate CREATE \"a\" 10", "validate CREATE \"a\" 10"]);
    let path = format!("{WIDGETS}/a");
    server.merge(&path, &json!({ "spec": { "size": 2 } })).await;
    assert_eq!(taken(&seen), ["mutate UPDATE \"a\" 11", "validate UPDATE \"a\" 11"]);
    server.delete(&path).await;
    assert_eq!(taken(&seen), ["mutate DELETE \"a\" 01", "validate DELETE \"a\" 01"]);
    let nameless = json!({
        "apiVersion": "gold.example.com/v1", "kind": "Widget", "metadata": { "generateName": "g-" }, "spec": { "size": 1 },
    });
    let name = server.post(WIDGETS, &nameless).await.json()["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    assert_eq!(taken(&seen), ["mutate CREATE \"\" 10".to_owned(), format!("validate CREATE {name:?} 10")]);
    server.get(WIDGETS).await;
    assert_eq!(taken(&seen), [""; 0]);
}

#[tokio::test]
async fn a_stage_that_has_nothing_to_say_is_not_asked() {
    let (server, seen) = server(Stage { handles: |of| of.operation == Operation::Delete, ..Stage::default() }).await;
    created(&server, "a").await;
    assert_eq!(taken(&seen), [""; 0]);
    server.delete(&format!("{WIDGETS}/a")).await;
    assert_eq!(taken(&seen).len(), 2);
}

#[tokio::test]
async fn a_change_is_pruned_and_there_is_a_second_round() {
    let change = |object: &mut Value| {
        object["metadata"]["labels"] = json!({ "by": "stage" });
        object["spec"]["nope"] = json!(1);
    };
    let (server, seen) = server(Stage { change, ..Stage::default() }).await;
    let answer = server.post(WIDGETS, &widget("a", 1)).await;
    assert_eq!(answer.headers["warning"], "299 - \"a stage was here\"");
    let object = answer.json();
    assert_eq!(object["metadata"]["labels"], json!({ "by": "stage" }));
    assert_eq!(object["spec"], json!({ "size": 1, "color": "red" }));
    assert_eq!(taken(&seen), ["mutate CREATE \"a\" 10", "again CREATE \"a\" 10", "validate CREATE \"a\" 10"]);
}

#[tokio::test]
async fn what_a_stage_makes_wrong_is_refused_and_not_shown_to_the_others() {
    let (server, seen) =
        server(Stage { change: |object| object["spec"]["size"] = json!(-1), ..Stage::default() }).await;
    let answer = server.post(WIDGETS, &widget("a", 1)).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(taken(&seen), ["mutate CREATE \"a\" 10", "again CREATE \"a\" 10"]);
}

#[tokio::test]
async fn a_refused_write_leaves_everything_as_it_was() {
    let refuse = |of: &Attributes| of.operation != Operation::Create;
    let (server, _) = server(Stage { refuse, ..Stage::default() }).await;
    let before = created(&server, "a").await;
    let path = format!("{WIDGETS}/a");
    for answer in [
        server.merge(&path, &json!({ "spec": { "size": 2 } })).await,
        server.delete(&path).await,
        server.delete(WIDGETS).await,
    ] {
        assert_eq!(
            (answer.status, answer.json()["message"].as_str()),
            (StatusCode::BAD_REQUEST, Some("not like this"))
        );
    }
    assert_eq!(server.get(&path).await.json(), before);
}
