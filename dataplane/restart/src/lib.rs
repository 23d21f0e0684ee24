//! The restart worker: restarts nodes through their providers, at most once per request, and sees that it has happened.
//!
//! ```text
//!   Restarts ──▶ submit ──▶ NodeRestart in the Store ◀── compare-and-write ── work ──▶ machine (pure)
//!   (proto)      plan                                                          │  ▲
//!                cancel                                             effects:   ▼  │ what is seen
//!                                                          cluster (cordon, evict)  NodePower (describe, plan, take)
//! ```
//!
//! The one rule: **the provider is asked once per recorded intent.** Each call has its intent written down by
//! compare-and-write before it, by the worker that makes it. After that an answer that is not sure is never asked for
//! again: a changed bootID resolves it, or it is left Unknown for a person. `machine.rs` draws the states.
//!
//! [`open()`] gives a process its worker, [`serve()`] puts its requests behind gRPC for the split deployment.

mod cancel;
pub mod cluster;
mod config;
mod drain;
mod drivers;
mod events;
mod guard;
mod lease;
mod look;
mod machine;
mod metrics;
mod name;
pub mod node_restart;
mod open;
mod options;
mod parts;
mod plan;
mod provider_id;
mod records;
mod refusal;
mod retention;
mod submit;
mod survey;
pub mod time;
mod window;
mod work;
mod worker;

pub use config::{Config, Rate};
pub use drivers::{Address, Drivers};
pub use guard::Share;
pub use node_restart::{GROUP, NodeRestart, Phase, RESOURCE};
pub use open::{open, serve};
pub use worker::Worker;
