//! A VolumeSnapshotDelta on a server: the object, its blocks by pages, and their data.

use anyhow::{Context as _, Result, anyhow};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use plugin::{Connection, answer};
use proto::cbt::{Blocks, Error, MEDIA_TYPE};
use serde_json::Value;

use crate::pages::{Messages, Pages};

/// The collection in a namespace.
pub(crate) fn collection(namespace: &str) -> String {
    let namespace = utf8_percent_encode(namespace, NON_ALPHANUMERIC);
    format!("/apis/cbt.storage.k8s.io/v1alpha1/namespaces/{namespace}/volumesnapshotdeltas")
}

/// One VolumeSnapshotDelta.
#[derive(Clone)]
pub(crate) struct Delta {
    connection: Connection,
    path: String,
}

// === impl Delta ===

impl Delta {
    /// The one of that name in the connection's namespace.
    pub(crate) fn new(connection: &Connection, name: &str) -> Self {
        let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
        Self { path: format!("{}/{name}", collection(&connection.namespace)), connection: connection.clone() }
    }

    /// The object.
    pub(crate) async fn object(&self) -> Result<Value> {
        let response = answer(&self.connection.client, get(&self.path, "application/json")?).await?;
        let body = response.into_body().collect().await.context("reading the VolumeSnapshotDelta")?.to_bytes();
        serde_json::from_slice(&body).context("reading the VolumeSnapshotDelta")
    }

    /// The data of the block that a token names, of which there are no more than `limit` bytes.
    pub(crate) async fn data(&self, token: &[u8], limit: usize) -> Result<Bytes> {
        let token = percent_encoding::percent_encode(token, NON_ALPHANUMERIC);
        let path = format!("{}/data?token={token}", self.path);
        let response = answer(&self.connection.client, get(&path, "application/octet-stream")?).await?;
        let data = Limited::new(response.into_body(), limit).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                return Error::Broken("the driver sent more than the block has".to_owned()).into();
            }
            anyhow!(error).context("reading a block")
        });
        Ok(data?.to_bytes())
    }
}

impl Pages for Delta {
    async fn page(&self, start: u64, limit: u64) -> Result<Messages> {
        let path = format!("{}?fetchcbd=true&limit={limit}&offset={start}", self.path);
        let response = answer(&self.connection.client, get(&path, MEDIA_TYPE)?).await?;
        if response.headers().get(header::CONTENT_TYPE).is_none_or(|given| given != MEDIA_TYPE) {
            let problem =
                "the server did not answer with blocks: it does not serve cbt.storage.k8s.io as Outrigger does";
            return Err(Error::Broken(problem.to_owned()).into());
        }
        Ok(Messages::new(response.into_body().into_data_stream()))
    }
}

fn get(path: &str, accept: &str) -> Result<Request<Vec<u8>>> {
    Request::get(path).header(header::ACCEPT, accept).body(Vec::new()).context("making a request")
}

/// The blocks of a message, with their tokens owned.
pub(crate) fn entries(blocks: &Blocks) -> Vec<Entry> {
    let owned =
        |block: proto::cbt::Block<'_>| Entry { offset: block.offset, size: block.size, token: block.token.to_vec() };
    blocks.iter().map(owned).collect()
}

/// One block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Bytes from the start of the volume.
    pub(crate) offset: u64,
    /// Bytes.
    pub(crate) size: u64,
    /// What its data can be read with; empty when it cannot.
    pub(crate) token: Vec<u8>,
}
