//! A pretend kubelet: it follows the fake cloud, and does to its node what a machine would.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use proto::node::{Step, suite::fake::Fake};
use restart::cluster::{Cluster, Node};
use tokio::time::sleep;

/// What changes nodes from outside.
#[async_trait]
pub(crate) trait Hand: Send + Sync {
    async fn add(&self, node: Node);
    async fn remove(&self, name: &str);
    async fn report(&self, name: &str, boot_id: &str, ready: bool);
}

/// What the machine does when its provider has accepted a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Machine {
    /// It restarts so fast that its node stays Ready.
    Fast,
    /// It is gone for a while, and comes back.
    Slow,
    /// It goes and does not come back.
    NeverReturns,
    /// It comes back, and its kubelet does not become Ready.
    NeverReady,
    /// The restart is lost.
    Lost,
    /// It does not follow a soft restart.
    Hung,
    /// Another machine comes back under its name.
    Replaced,
    /// Its node is deleted, and registers itself again after the restart.
    Reregistered,
}

/// A node as its kubelet first reports it.
pub(crate) fn node(name: &str, id: &str, address: &str) -> Node {
    Node {
        name: name.to_owned(),
        uid: format!("uid-of-{name}"),
        resource_version: "1".to_owned(),
        provider_id: format!("fake:///{id}"),
        boot_id: "boot-0".to_owned(),
        ready: true,
        ips: vec![address.to_owned()],
        hosts: vec![name.to_owned()],
        ..Node::default()
    }
}

/// Follows the cloud for ever.
pub(crate) async fn follow(
    cloud: Fake,
    cluster: Arc<dyn Cluster>,
    hand: Arc<dyn Hand>,
    machine: Machine,
    pace: Duration,
) {
    let mut done = 0;
    loop {
        for take in cloud.accepted().into_iter().skip(done) {
            done += 1;
            let name = take.node.name.as_str();
            let Ok(Some(node)) = cluster.node(name).await else { continue };
            let boot = format!("boot-{done}");
            match (machine, take.step) {
                (_, Step::Stop) => hand.report(name, &node.boot_id, false).await,
                (Machine::Lost, _) | (Machine::Hung, Step::Reboot) => {}
                (Machine::Fast | Machine::Hung, _) => {
                    sleep(pace).await;
                    hand.report(name, &boot, true).await;
                }
                (Machine::Slow, _) => {
                    hand.report(name, &node.boot_id, false).await;
                    sleep(pace).await;
                    hand.report(name, &boot, false).await;
                    sleep(pace).await;
                    hand.report(name, &boot, true).await;
                }
                (Machine::NeverReturns, _) => hand.report(name, &node.boot_id, false).await,
                (Machine::NeverReady, _) => hand.report(name, &boot, false).await,
                (Machine::Replaced | Machine::Reregistered, _) => {
                    hand.remove(name).await;
                    sleep(pace).await;
                    let id = if machine == Machine::Replaced {
                        "i-other"
                    } else {
                        node.provider_id.trim_start_matches("fake:///")
                    };
                    let again = self::node(name, id, "10.0.0.1");
                    hand.add(Node { uid: format!("{}-again", node.uid), boot_id: boot, ..again }).await;
                }
            }
        }
        sleep(pace / 4).await;
    }
}
