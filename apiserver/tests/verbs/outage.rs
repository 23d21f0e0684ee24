//! A storage that cannot answer: 503 that says so and when to come back, never 404 and never an empty list.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use http::StatusCode;
use proto::store::{
    At, Batch, Entry, Error, Key, List, ListOptions, Result, Scope, Status, Store, WatchOptions, Write, Written,
};

use api_testing::Server;

use crate::{WIDGETS, widget};

/// Refuses everything with one error.
pub(crate) struct Refusing(pub(crate) Error);

#[async_trait]
impl Store for Refusing {
    async fn get(&self, _: &Key, _: At) -> Result<Option<Entry>> {
        Err(self.0.clone())
    }

    async fn list(&self, _: &Scope, _: ListOptions) -> Result<List> {
        Err(self.0.clone())
    }

    async fn watch(&self, _: &Scope, _: WatchOptions) -> Result<BoxStream<'static, Result<Batch>>> {
        Err(self.0.clone())
    }

    async fn write(&self, _: Write) -> Result<Written> {
        Err(self.0.clone())
    }

    async fn status(&self) -> Result<Status> {
        Err(self.0.clone())
    }
}

fn refusing(error: Error) -> Server {
    Server::on(Arc::new(Refusing(error)), &runtime::Context::new())
}

#[tokio::test]
async fn whatever_is_asked_of_a_storage_that_is_down_is_503_with_retry_after() {
    let server = refusing(Error::Unavailable { reason: "it is starting".to_owned() });
    let answers = [
        server.get(WIDGETS).await,
        server.get(&format!("{WIDGETS}/a")).await,
        server.get(&format!("{WIDGETS}?watch=1")).await,
        server.get(&format!("{WIDGETS}?watch=1&resourceVersion=5")).await,
        server.post(WIDGETS, &widget("a", 1)).await,
        server.delete(&format!("{WIDGETS}/a")).await,
        server.delete(WIDGETS).await,
    ];
    for answer in answers {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text());
        assert_eq!(answer.headers["retry-after"], "1");
        assert_eq!(answer.json()["reason"], "ServiceUnavailable");
    }
}

#[tokio::test]
async fn discovery_and_openapi_do_not_need_a_storage() {
    let server = refusing(Error::Unavailable { reason: "it is starting".to_owned() });
    for path in
        ["/apis", "/apis/gold.example.com", "/apis/gold.example.com/v1", "/openapi/v2", "/openapi/v3", "/version"]
    {
        assert_eq!(server.get(path).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn a_full_disk_is_said_to_be_one() {
    let server = refusing(Error::OutOfSpace { reason: "/data is full".to_owned() });
    let answer = server.post(WIDGETS, &widget("a", 1)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let message = answer.json()["message"].as_str().expect("a message").to_owned();
    assert!(
        message.contains("/data is full") && message.contains("nothing that was acknowledged is lost"),
        "{message}"
    );
}

#[tokio::test]
async fn a_fault_of_the_storage_is_an_internal_error() {
    let server = refusing(Error::Internal { reason: "a broken page".to_owned() });
    assert_eq!(server.get(WIDGETS).await.status, StatusCode::INTERNAL_SERVER_ERROR);
}
