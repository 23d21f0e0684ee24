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
//! | [`object`] | between stored bytes and objects |
//! | [`cache`] | one upstream watch for many watchers |
//! | [`respond`], [`view`], [`frames`] | answers, tables, watch events |
//! | [`endpoints`] | discovery, OpenAPI, health, version, metrics |

mod api;
mod cache;
mod config;
mod context;
mod decode;
mod endpoints;
mod error;
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
mod server;
mod strategy;
mod verbs;
mod view;
mod warnings;

pub use api::{Api, Parts, Rng, os_rng};
pub use config::Config;
pub use filters::{Inflight, handle};
pub use identities::Identities;
pub use kinds::{Error as KindsError, Kind, Kinds};
pub use metrics::Metrics;
pub use namespaces::Namespaces;
pub use server::Server;
