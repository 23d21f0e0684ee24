//! What every test that needs real processes stands on: etcd, a kube-apiserver, kubectl, and us.
//!
//! The one rule: nothing outlives the test. Each child runs under a watcher that kills it when the test process is gone,
//! however it went ([`Process`]); each folder goes with it, unless a test panicked ([`Scratch`]), so that logs of failures stay.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! let cluster = kit::Cluster::shared();
//! let answer = cluster.admin().get("/api/v1/namespaces/default").await?;
//! assert_eq!(answer.status, 200);
//! # Ok(()) }
//! ```

mod cluster;
mod crd;
mod eventually;
pub mod examples;
mod http;
mod kubeconfig;
mod kubectl;
mod node;
mod outrigger;
mod peers;
mod pki;
mod ports;
mod postgres;
mod process;
mod python;
mod register;
mod scratch;
mod webhooks;

pub use cluster::{ADMIN, BOB, Cluster, Options, block_on};
pub use crd::Crd;
pub use eventually::{PATIENCE, deadline};
pub use http::{Client, Identity, Lines, Response};
pub use kubectl::{Kubectl, Output};
pub use node::{Node, Report};
pub use outrigger::{Outrigger, Split, binary, program};
pub use peers::{Peers, backup_peer, controller_peer, csi_peer, sidecar_peer};
pub use pki::{Authority, Pair};
pub use ports::free as free_ports;
pub use postgres::Postgres;
pub use process::Process;
pub use python::Python;
pub use register::Registration;
pub use scratch::Scratch;
pub use webhooks::{Reply, Webhooks};
