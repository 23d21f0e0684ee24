//! Changed blocks, between those who ask for VolumeSnapshots and the drivers that know their handles.
//!
//! ```text
//!   backup software ──▶ metadata ──┐  tokens and reviews                        ┌──▶ driver (sidecar, gRPC)
//!   (SnapshotMetadata, TLS)        ├──▶ Relay ──▶ Resolve ──▶ Drivers ──────────┼──▶ driver
//!   apiserver ──▶ ChangedBlocks ───┘    names     handle, driver, secrets        └──▶ embedded driver
//!                 (mTLS, a socket)        ◀────────── Checker ◀── bytes, unread ───────┘
//! ```
//!
//! What always holds:
//!
//! * A message is read once, in place, to see that it keeps the contract of [`proto::cbt`]; then its bytes are forwarded.
//! * A driver that breaks the contract, falls silent or dies ends the stream with an error after the last good message.
//! * Nothing is read from a driver that nobody takes, and a client that leaves frees its driver at once.
//! * A base snapshot is of the namespace, the driver and the volume of its target, or it is refused.
//! * Tokens and secrets are in no log, no error and no metric.

mod config;
mod drivers;
mod follow;
mod metadata;
mod metrics;
mod mirror;
mod relay;
mod resolve;
mod serve;

pub use config::{Config, Endpoint};
pub use drivers::Drivers;
pub use metadata::{Admit, Caller, Reviews, service};
pub use relay::Relay;
pub use resolve::{Cluster, Resolve, Route, Standalone};
pub use serve::{Embedded, Parts, Server, serve};
