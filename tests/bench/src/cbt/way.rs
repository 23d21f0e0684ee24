//! The ways to a stream of blocks.
//!
//! ```text
//! straight     client ───────────────Unix──────────────▶ driver
//! Unix         client ──Unix──▶ outrigger cbt ──Unix──▶ driver
//! mTLS         client ──mTLS──▶ outrigger cbt ──Unix──▶ driver
//! Kubernetes   client ──TLS───▶ outrigger cbt ──Unix──▶ driver      SnapshotMetadata, with a token
//! sidecar      client ──TLS───▶ the sidecar   ──Unix──▶ driver      the same
//! ```

use anyhow::{Result, ensure};
use futures::stream::{BoxStream, StreamExt as _};
use proto::cbt::client::Client;
use proto::cbt::kubernetes::GetMetadataAllocatedRequest;
use proto::cbt::kubernetes::snapshot_metadata_client::SnapshotMetadataClient;
use proto::cbt::{Blocks, ChangedBlocks as _, Encoded, Query, Snapshot};
use runtime::grpc;
use tonic::transport::Channel;

use crate::cbt::driver::BLOCK;
use crate::cbt::snapshots::{NAMESPACE, name};

/// One way.
#[derive(Clone)]
pub(crate) struct Way {
    /// The heading of its column.
    pub(crate) name: &'static str,
    /// The process between the client and the driver, if there is one.
    pub(crate) relay: Option<u32>,
    pub(crate) reach: Reach,
}

/// Whom the client asks.
#[derive(Clone)]
pub(crate) enum Reach {
    /// The driver, by the snapshot's handle.
    Driver(Client<grpc::Channel>),
    /// The relay, by the VolumeSnapshot's name.
    Relay(Client<grpc::Channel>),
    /// The service for backup software, showing a token.
    Metadata(SnapshotMetadataClient<Channel>, String),
}

/// What is asked for: the blocks of a volume from one on, as ranges.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    /// Blocks of the volume.
    pub(crate) entries: u64,
    /// The first that is asked for.
    pub(crate) start: u64,
    pub(crate) per_message: u32,
}

// === impl Way ===

impl Way {
    /// Takes the whole answer; it is an error if it is not.
    pub(crate) async fn list(&self, ask: Ask) -> Result<()> {
        let mut messages = self.reach.messages(ask).await?;
        let mut came = 0;
        while let Some(message) = messages.next().await {
            came += message?.len() as u64;
        }
        let expected = ask.entries - ask.start;
        ensure!(came == expected, "{}: {came} entries came, not {expected}", self.name);
        Ok(())
    }
}

// === impl Reach ===

impl Reach {
    async fn messages(&self, ask: Ask) -> Result<BoxStream<'static, Result<Blocks>>> {
        let start = ask.start * BLOCK;
        let query = |target| Query { start, per_message: ask.per_message, ..Query::allocated(target) };
        let named = Snapshot::Named { namespace: NAMESPACE.to_owned(), name: name(ask.entries) };
        Ok(match self {
            Self::Driver(client) => {
                let handle = Snapshot::Handle(ask.entries.to_string());
                client.blocks(query(handle)).await?.map(|message| Ok(message?)).boxed()
            }
            Self::Relay(client) => client.blocks(query(named)).await?.map(|message| Ok(message?)).boxed(),
            Self::Metadata(client, token) => {
                let request = GetMetadataAllocatedRequest {
                    security_token: token.clone(),
                    namespace: NAMESPACE.to_owned(),
                    snapshot_name: name(ask.entries),
                    starting_offset: i64::try_from(start)?,
                    max_results: i32::try_from(ask.per_message)?,
                };
                let messages = client.clone().get_metadata_allocated(request).await?.into_inner();
                messages.map(|message| message.map_err(Into::into).and_then(read)).boxed()
            }
        })
    }
}

fn read(Encoded(message): Encoded) -> Result<Blocks> {
    Ok(Blocks::decode(message)?)
}
