//! The `ChangedBlocks` seam: which blocks of a volume's snapshot are allocated, or differ from an earlier snapshot.
//!
//! The contract that every implementation keeps, and that `suite` checks:
//!
//! * **Ordered.** Entries grow strictly by offset and do not overlap, within a message and across messages. Capacity and
//!   kind are the same in every message; [`Kind::Fixed`] entries have one size.
//! * **Complete or an error.** A stream that ends without an error has said everything from its start on, or as many
//!   entries as its limit. What breaks ends with an [`Error`] after the last good entry, never as a short list.
//! * **Never a full list for a delta.** A delta that cannot be had is [`Error::NoDelta`].
//! * **Seekable.** Asking again from the end of the last entry goes on where a stream ended, without gap or repetition.
//!   An unaligned start gives the entry that it falls into, whole.
//! * **Nothing empty.** Only the first message may be without entries, and only to tell the capacity of a volume that has
//!   none.
//! * **Bounded.** Memory does not grow with the answer; a message weighs about 1 MiB at most ([`Builder::is_full`]). Nothing is produced that nobody reads, and a stream that is
//!   dropped ends its work within 100 ms.
//!
//! [`Shape::Ranges`] is what the source has: blocks of one size, or ranges of any. [`Shape::Blocks`] is what the
//! Kubernetes API pages through: each entry is exactly one block of the source's block size, at a multiple of it, and
//! `start` counts blocks; the last block of a volume is whole there, though the volume may end within it.

mod blocks;
mod builder;
mod check;
pub mod client;
mod convert;
pub mod csi;
mod encoded;
mod error;
pub mod kubernetes;
mod pack;
mod scan;
pub mod server;
#[cfg(feature = "suite")]
pub mod suite;
#[path = "gen/outrigger.cbt.v1.rs"]
#[rustfmt::skip]
#[expect(clippy::allow_attributes, unreachable_pub, reason = "generated")]
pub(crate) mod wire;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

pub use blocks::{Block, Blocks, Kind};
pub use builder::Builder;
pub use check::Checker;
pub use encoded::Encoded;
pub use error::{Error, Result};
pub use pack::{MakeToken, Packer, Tokens, Volume, pack};

/// The media type of a sequence of [`Blocks`], each after its length as a varint, for those who ask over HTTP.
pub const MEDIA_TYPE: &str = "application/vnd.outrigger.cbt.v1+protobuf";

/// Blocks of snapshots. The module's documentation is the contract.
#[async_trait]
pub trait ChangedBlocks: Send + Sync + 'static {
    /// What serves, and what it can do.
    async fn info(&self) -> Result<Info>;

    /// The blocks that `query` asks for. What can be refused at once is refused before there is a stream.
    async fn blocks(&self, query: Query) -> Result<BoxStream<'static, Result<Blocks>>>;

    /// The data of blocks, in the order of their tokens; a block may come in several pieces.
    ///
    /// A token is good for its own snapshot only, and until it expires: [`Error::Expired`] then, [`Error::Invalid`]
    /// when it was never good.
    async fn read(&self, read: Read) -> Result<BoxStream<'static, Result<Data>>>;
}

/// The answer to [`ChangedBlocks::info`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// The CSI driver whose snapshots these are; empty when it serves several.
    pub driver: String,
    /// The version of whatever serves.
    pub version: String,
    /// Whether tokens are given, and [`ChangedBlocks::read`] is served.
    pub reads: bool,
}

/// A snapshot of a volume.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Snapshot {
    /// A VolumeSnapshot. Who resolves names knows these; a driver answers [`Error::Invalid`].
    Named {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// What the driver calls it: the CSI snapshot handle.
    Handle(String),
}

/// Which blocks.
#[derive(Clone)]
pub struct Query {
    /// The earlier snapshot; `None` asks for the allocated blocks.
    pub base: Option<Snapshot>,
    /// The snapshot asked about.
    pub target: Snapshot,
    /// What an entry is.
    pub shape: Shape,
    /// Only entries that end after this byte ([`Shape::Ranges`]) or are at or after this block ([`Shape::Blocks`]).
    pub start: u64,
    /// Entries in all; 0 is no limit.
    pub limit: u64,
    /// Entries in one message at most; 0 is the driver's choice.
    pub per_message: u32,
    /// Whether entries carry tokens to read their data with; only for [`Shape::Blocks`], and if the driver can.
    pub tokens: bool,
    /// What the driver needs to know to be let in, from the snapshot's class. Never logged.
    pub secrets: BTreeMap<String, String>,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// What the source has.
    Ranges,
    /// One block each.
    Blocks,
}

/// Whose data.
#[derive(Clone)]
pub struct Read {
    /// The snapshot.
    pub target: Snapshot,
    /// The tokens of its blocks.
    pub tokens: Vec<Bytes>,
    /// As in [`Query::secrets`].
    pub secrets: BTreeMap<String, String>,
}

/// A piece of a snapshot's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Data {
    /// Where it begins, in bytes from the start of the volume.
    pub offset: u64,
    /// What is there; at most 1 MiB.
    pub bytes: Bytes,
}

// === impl Query ===

impl Query {
    /// The allocated blocks of a snapshot as ranges, from its start, without limit.
    pub fn allocated(target: Snapshot) -> Self {
        Self {
            base: None,
            target,
            shape: Shape::Ranges,
            start: 0,
            limit: 0,
            per_message: 0,
            tokens: false,
            secrets: BTreeMap::new(),
        }
    }

    /// What changed between two snapshots, as ranges, from the start, without limit.
    pub fn delta(base: Snapshot, target: Snapshot) -> Self {
        Self { base: Some(base), ..Self::allocated(target) }
    }
}

// === impl ChangedBlocks ===

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<C: ChangedBlocks + ?Sized> ChangedBlocks for Arc<C> {
    async fn info(&self) -> Result<Info> {
        C::info(self).await
    }

    async fn blocks(&self, query: Query) -> Result<BoxStream<'static, Result<Blocks>>> {
        C::blocks(self, query).await
    }

    async fn read(&self, read: Read) -> Result<BoxStream<'static, Result<Data>>> {
        C::read(self, read).await
    }
}
