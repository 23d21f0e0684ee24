//! The kinds of node restarts, as an apiserver serves them: group `infraops.michael.io`, version `v1`.
//!
//! | resource | verbs | |
//! |---|---|---|
//! | `nodes` | get, list | the cluster's nodes, with the machine behind each and its last restart |
//! | `nodes/restart` | create | asks for a restart; answers with a NodeRestart |
//! | `noderestarts` | get, list, watch, delete | the restarts; to delete one that has not ended is to cancel it |
//!
//! The name is in the path of `nodes/NAME/restart`, so a role with `resourceNames` allows the restart of single nodes.
//! That is why NodeRestarts cannot be created or changed in any other way: a role for `noderestarts` names no node.
//!
//! What a restart is and does is the affair of the worker behind [`Restarts`]. Here requests are read and answered.

mod machine;
mod node;
mod options;
mod phase;
mod restart;
mod user;
mod wait;

use std::sync::Arc;

use apiserver::Extension;
use proto::restart::Restarts;

/// The group of all of them.
const GROUP: &str = "infraops.michael.io";
/// The version.
const VERSION: &str = "v1";
/// The resource of the restarts.
const NODE_RESTARTS: &str = "noderestarts";

/// The kinds, to be given to an apiserver. `restarts` does the work; `cluster` says which nodes there are, and is
/// followed by one of `tasks`.
pub fn extensions(restarts: Arc<dyn Restarts>, cluster: kube::Client, tasks: &runtime::Tasks) -> Vec<Extension> {
    let nodes = node::Cluster::follow(cluster, tasks);
    vec![
        Extension {
            origin: "node.yaml",
            definition: include_str!("node.yaml"),
            actor: Arc::new(node::Nodes::new(nodes, Arc::clone(&restarts))),
            store: None,
        },
        Extension {
            origin: "node_restart.yaml",
            // The worker's, because it writes the objects.
            definition: include_str!("../../../dataplane/restart/src/node_restart.yaml"),
            actor: Arc::new(restart::NodeRestarts::new(restarts)),
            store: None,
        },
    ]
}
