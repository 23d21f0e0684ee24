//! HyperFleet's REST API: clusters, nodepools and adapter statuses over HTTP.
//!
//! ```text
//!   request ─▶ operation id, span, CORS ─▶ token ─▶ route ─▶ body (limit, checks) ─▶ verb ─▶ Records
//!                                                                                     │
//!   answer ◀─ gzip ◀─ metrics, log ◀─ first shape or RFC 9457 ◀───────────────────────┘
//! ```
//!
//! The answers are those of HyperFleet's first version, to the key order, where that was not plainly wrong; what is different, and every
//! switch, is in `docs/hyperfleet.md`. The one rule: what a client sends is never answered with 5xx, and what is stored is served as it is,
//! unread.

mod api;
mod body;
mod config;
mod database;
mod document;
mod error;
mod fields;
mod filters;
mod health;
mod input;
mod json;
mod judge;
mod jwt;
mod metrics;
mod params;
mod pending;
mod present;
mod reply;
mod report;
mod route;
mod schemas;
mod server;
mod ui;
mod verbs;

pub use config::{Config, Rules, ServerArgs, Tolerated};
pub use database::DatabaseArgs;
pub use judge::Judge;
pub use jwt::JwtArgs;
pub use server::Server;
