//! Objects that a measure needs before it begins.

use anyhow::Result;
use bytes::Bytes;
use http::Method;
use serde::Deserialize;

use crate::client::{Call, Client};
use crate::measure::Run;
use crate::object::{encode, object};

/// Creates objects and returns them as the server wrote them.
pub(crate) async fn seed(run: &Run<'_>, client: &Client, namespace: &str, names: &[String]) -> Result<Vec<Bytes>> {
    let mut objects = Vec::with_capacity(names.len());
    for (seed, name) in (0..).zip(names) {
        let body = encode(&object(run.target, namespace, name, run.size, seed));
        objects.push(client.call(Call::json(Method::POST, run.target.collection(Some(namespace)), body)).await?);
    }
    Ok(objects)
}

/// The resource version of an object or a list, without reading the rest.
pub(crate) fn resource_version(body: &[u8]) -> Result<String> {
    #[derive(Deserialize)]
    struct Object {
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Metadata {
        resource_version: String,
    }
    Ok(serde_json::from_slice::<Object>(body)?.metadata.resource_version)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_resource_version_is_that_of_the_metadata() {
        let body = br#"{"metadata":{"name":"a","resourceVersion":"42"},"spec":{"resourceVersion":"7"}}"#;
        assert_eq!(resource_version(body).unwrap(), "42");
        assert!(resource_version(b"{}").is_err());
    }
}
