//! Changed blocks of Amazon EBS snapshots: [`ChangedBlocks`](proto::cbt::ChangedBlocks) over the EBS direct APIs.
//!
//! The CSI handle of the EBS CSI driver is the snapshot's id, `snap-…`, so nothing is looked up.
//!
//! ```text
//! blocks ─▶ first page ─▶ Listing ──pages──▶ bounded queue ──▶ messages ─▶ stream
//!           what EBS      one task a stream, ahead of its      cut as the
//!           refuses, we   reader, aborted with the stream      query asks
//!           refuse
//! read ───▶ tokens ─────▶ GetSnapshotBlock, some at a time, in order, checksums verified
//! ```
//!
//! The one rule: pages of a listing come one after the other. A page of a delta covers as many *written* blocks as it may
//! have entries, and has those of them that changed, perhaps none; how far it went only its page token knows. So two
//! parts of a delta cannot be listed side by side without a chance to miss what is between them. What keeps a stream
//! fast is that pages are fetched ahead, as large as they can be.
//!
//! Every call waits for its turn in the account's quota ([`Config`]); what is throttled or fails for a while is tried
//! again, with growing pauses, until it has failed for too long. A page token that expired while nobody read is replaced
//! by a new listing from the next block on.

mod api;
mod config;
mod credentials;
mod driver;
mod fault;
mod handle;
mod listing;
mod messages;
mod pace;
mod page;
mod read;
mod retry;
mod token;

pub use config::Config;
pub use driver::Driver;
