//! Who gives blocks one by one, as the Kubernetes API has them, with tokens: the driver, or an API server.

use std::time::Duration;

use anyhow::{Result, ensure};
use futures::StreamExt as _;
use http_body_util::BodyExt as _;
use proto::cbt::client::Client;
use proto::cbt::{ChangedBlocks as _, Query, Shape, Snapshot};
use runtime::grpc;
use serde::Deserialize;
use tokio::time::Instant;

use crate::cbt::snapshots::delta_path;
use crate::client::{self, Call};

/// One source.
#[derive(Clone)]
pub(crate) enum Source {
    Driver(Client<grpc::Channel>),
    Api(client::Client),
}

/// What is asked for: blocks of a volume from one on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    /// Blocks of the volume.
    pub(crate) entries: u64,
    pub(crate) offset: u64,
    pub(crate) limit: u64,
    pub(crate) form: Form,
}

/// How an API server writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The object as JSON, with the blocks in it.
    Object,
    /// JSON, a block a line.
    Lines,
}

/// What came, of which nothing was kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    /// When the first of it had come.
    pub(crate) first: Duration,
    /// When all had.
    pub(crate) whole: Duration,
    pub(crate) bytes: u64,
    /// Ends of lines; of a driver, entries.
    pub(crate) lines: u64,
}

// === impl Source ===

impl Source {
    /// Takes one answer and times it.
    pub(crate) async fn answer(&self, ask: Ask) -> Result<Answer> {
        match self {
            Self::Driver(client) => blocks(client, ask).await,
            Self::Api(client) => text(client, ask).await,
        }
    }

    /// Looks closely whether a page is the one that was asked for.
    pub(crate) async fn verify(&self, ask: Ask) -> Result<()> {
        let came = match self {
            Self::Driver(client) => offsets(client, ask).await?,
            Self::Api(client) => page(&client.call(ask.call()).await?)?,
        };
        let expected = ask.offset..ask.offset + ask.limit;
        ensure!(came.iter().copied().eq(expected), "{} blocks came that were not asked for", came.len());
        Ok(())
    }
}

// === impl Ask ===

impl Ask {
    fn query(&self) -> Query {
        Query {
            shape: Shape::Blocks,
            start: self.offset,
            limit: self.limit,
            tokens: true,
            ..Query::allocated(Snapshot::Handle(self.entries.to_string()))
        }
    }

    fn call(&self) -> Call {
        let Self { entries, offset, limit, form } = *self;
        let call = Call::get(format!("{}?fetchcbd=true&limit={limit}&offset={offset}", delta_path(entries)));
        match form {
            Form::Object => call,
            Form::Lines => Call { accept: "application/x-ndjson", ..call },
        }
    }
}

async fn blocks(client: &Client<grpc::Channel>, ask: Ask) -> Result<Answer> {
    let sent = Instant::now();
    let mut messages = client.blocks(ask.query()).await?;
    let (mut first, mut bytes, mut lines) = (None, 0, 0);
    while let Some(message) = messages.next().await.transpose()? {
        first.get_or_insert_with(|| sent.elapsed());
        bytes += message.encoded().len() as u64;
        lines += message.len() as u64;
    }
    let whole = sent.elapsed();
    Ok(Answer { first: first.unwrap_or(whole), whole, bytes, lines })
}

async fn offsets(client: &Client<grpc::Channel>, ask: Ask) -> Result<Vec<u64>> {
    let mut messages = client.blocks(ask.query()).await?;
    let mut offsets = Vec::new();
    while let Some(message) = messages.next().await.transpose()? {
        offsets.extend(message.iter().map(|block| block.offset / block.size));
    }
    Ok(offsets)
}

async fn text(client: &client::Client, ask: Ask) -> Result<Answer> {
    let sent = Instant::now();
    let mut body = client.start(ask.call()).await?.into_body();
    let (mut first, mut bytes, mut lines) = (None, 0, 0);
    while let Some(frame) = body.frame().await.transpose()? {
        let Some(data) = frame.data_ref() else { continue };
        first.get_or_insert_with(|| sent.elapsed());
        bytes += data.len() as u64;
        lines += data.iter().filter(|byte| **byte == b'\n').count() as u64;
    }
    let whole = sent.elapsed();
    Ok(Answer { first: first.unwrap_or(whole), whole, bytes, lines })
}

/// The indices of a page's blocks.
fn page(body: &[u8]) -> Result<Vec<u64>> {
    #[derive(Deserialize)]
    struct Delta {
        status: Status,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Status {
        changed_block_deltas: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        offset: u64,
    }
    let delta: Delta = serde_json::from_slice(body)?;
    Ok(delta.status.changed_block_deltas.into_iter().map(|entry| entry.offset).collect())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_for_its_offsets() {
        let body = br#"{"kind":"K","status":{"changedBlockDeltas":[{"offset":7,"blockSizeBytes":1},{"offset":9}]}}"#;
        assert_eq!(page(body).unwrap(), [7, 9]);
        assert!(page(b"{}").is_err());
    }

    #[test]
    fn a_page_is_asked_for_by_index() {
        let ask = Ask { entries: 100, offset: 90, limit: 10, form: Form::Lines };
        let call = ask.call();
        assert!(call.path.ends_with("/blocks-100?fetchcbd=true&limit=10&offset=90"), "{}", call.path);
        assert_eq!(call.accept, "application/x-ndjson");
        assert_eq!((ask.query().start, ask.query().limit), (90, 10));
    }
}
