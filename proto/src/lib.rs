//! The seams between Outrigger's processes.
//!
//! A seam is one folder: a `.proto`, a trait with its written contract, a client that *is* the trait, a server that
//! serves *any* implementation of it, and the suite that every implementation passes. Nothing else crosses processes.
//!
//! | seam | trait | says |
//! |---|---|---|
//! | [`cbt`] | [`cbt::ChangedBlocks`] | snapshots: which blocks are allocated or changed, and their data |
//! | [`node`] | [`node::NodePower`] | machines: describe, plan, take a step |
//! | [`restart`] | [`restart::Restarts`] | restarts of nodes: plan, submit, cancel |
//! | [`store`] | [`store::Store`] | objects: get, list, watch, write |
//!
//! Beside them, [`token`] says what a token is to whoever makes one and whoever is shown one.
//!
//! The code under `src/gen` is generated from `proto/` by `cargo xtask gen` and checked in.

pub mod cbt;
pub mod node;
pub mod restart;
mod status;
pub mod store;
pub mod token;

/// What one gRPC message may weigh: an event with two objects of the largest size, and room to spare.
pub const MESSAGE_LIMIT: usize = 16 << 20;

/// What a streamed message weighs at most, unless a single entry in it weighs more.
const MESSAGE_TARGET: usize = 1 << 20;
