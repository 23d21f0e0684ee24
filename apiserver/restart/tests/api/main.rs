//! The kinds of node restarts with a worker that is scripted: on an in-process router with a cluster of a few nodes, and
//! behind a real kube-apiserver.

mod aggregated;
mod cluster;
mod noderestarts;
mod nodes;
mod restart;
mod scripted;

use std::sync::Arc;

use api_testing::{Everybody, Server};
use kube::Client;

use scripted::Scripted;

const NODES: &str = "/apis/infraops.michael.io/v1/nodes";
const RESTARTS: &str = "/apis/infraops.michael.io/v1/noderestarts";

/// A server of a cluster's nodes, and the worker behind it.
async fn serve(cluster: Client) -> (Server, Arc<Scripted>) {
    let worker = Arc::new(Scripted::default());
    let context = runtime::Context::new();
    let extensions = restart_api::extensions(worker.clone(), cluster, &context.tasks);
    let server = Server::with(&extensions, Arc::new(Everybody)).await;
    worker.store_in(server.store());
    (server, worker)
}

/// The same with two nodes on AWS and one that says nothing of its machine; `late` is known only to who asks for it.
async fn usual() -> (Server, Arc<Scripted>) {
    let listed = vec![
        cluster::node("a", "aws:///eu-west-1a/i-1", &[("pool", "x")]),
        cluster::node("b", "aws:///us-east-1b/i-2", &[("pool", "y")]),
        cluster::node("c", "", &[]),
    ];
    serve(cluster::of(listed, Some(cluster::node("late", "redfish://rack/late", &[])))).await
}
