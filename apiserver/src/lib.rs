//! Kubernetes REST semantics over a [`Store`](proto::store::Store). Stateless: what is kept, the store keeps.
//!
//! A request walks straight down this list and its answer straight back:
//!
//! | module | |
//! |---|---|
//! | [`server`] | listens, and hands each request to the router |
//! | [`filters`] | who asks, may they, how many at once, for how long |
//! | [`request`] | what is asked for: verb, group, version, resource, name |
//! | [`kinds`] | what is served: CRD documents as data |
//! | [`verbs`] | get, list, watch, create, update, patch, delete, deletecollection |
//! | [`strategy`] | what is kept of what a client sends (pure) |
//! | [`stores`] | which store a resource is kept in |
//! | [`object`] | between stored bytes and objects |
//! | [`conversion`] | between versions, where a webhook knows the way |
//! | [`extension`] | what a kind does beyond being stored |
//! | [`cache`] | one upstream watch for many watchers |
//! | [`respond`], [`view`], [`frames`] | answers, tables, watch events |
//! | [`audit`] | who asked for what, and what came of it |
//! | [`endpoints`] | discovery, OpenAPI, health, version, metrics |

mod api;
mod audit;
mod cache;
mod config;
mod context;
mod conversion;
mod decode;
mod endpoints;
mod error;
mod extension;
mod filters;
mod frames;
mod identities;
mod kinds;
mod metrics;
mod namespaces;
mod object;
mod problems;
mod request;
mod respond;
mod scale;
mod server;
mod stores;
mod strategy;
mod verbs;
mod view;
mod warnings;

pub use api::{Api, Parts, Rng, os_rng};
pub use audit::{Annotations, Audit, AuditArgs};
pub use config::Config;
pub use extension::{Access, Actor, Call, Extension, Session, StatusWriter, Uncompressed};
pub use filters::{Inflight, handle};
pub use identities::{Identities, cluster, cluster_config};
pub use kinds::{Error as KindsError, Kind, Kinds};
pub use metrics::Metrics;
pub use namespaces::Namespaces;
pub use request::Verb;
pub use server::Server;
pub use stores::{Stores, writer};
