//! Looks at what the machine wants to see.

use std::collections::BTreeMap;

use crate::{
    cluster::Result,
    drain::{self, Owned, Sorted, blocking},
    machine::{Intent, Seen, Sight, Wants},
    node_restart::{Drained, NodeRestart},
    parts::Parts,
    refusal::Refusal,
    survey::{Survey, survey},
};

/// Looks. What cannot be looked at is not seen, nor is what only the worker remembers; `blocked` says why pods were not
/// evicted, by their uid.
pub(crate) async fn look(
    parts: &Parts,
    restart: &NodeRestart,
    wants: Wants,
    blocked: &BTreeMap<String, String>,
) -> Seen {
    let name = &restart.spec.node_name;
    let gate = match wants.gate {
        true => {
            let surveyed = survey(parts, &restart.spec, Some(restart.name())).await;
            Some(surveyed.map_or_else(Refusal::gate, Survey::gate))
        }
        false => None,
    };
    let node = match wants.node {
        true => match parts.cluster.node(name).await {
            Ok(Some(node)) => Sight::There(Box::new(node)),
            Ok(None) => Sight::Gone,
            Err(error) => {
                tracing::warn!(k8s.node = name, "node {name} cannot be looked at: {error}");
                Sight::Unseen
            }
        },
        false => Sight::Unseen,
    };
    let drain = match wants.pods {
        true => match pods_of(parts, name).await {
            Ok(pods) => Some(drained(restart, drain::sort(pods, &restart.spec.drain), blocked)),
            Err(error) => {
                tracing::warn!(k8s.node = name, "the pods of node {name} cannot be listed: {error}");
                None
            }
        },
        false => None,
    };
    let instance = if wants.instance { instance(parts, restart).await } else { None };
    let (now, worker) = (parts.now(), parts.id.clone());
    Seen { now, worker, gate, node, drain, instance, intent: Intent::Foreign, waited: false }
}

/// The pods of a node, and whether their DaemonSets are there.
pub(crate) async fn pods_of(parts: &Parts, node: &str) -> Result<Vec<Owned>> {
    let mut sets: BTreeMap<(String, String), bool> = BTreeMap::new();
    let mut owned = Vec::new();
    for pod in parts.cluster.pods(node).await? {
        let has_set = match &pod.controller {
            Some((kind, name)) if kind == "DaemonSet" => {
                let key = (pod.namespace.clone(), name.clone());
                match sets.get(&key) {
                    Some(has) => *has,
                    None => {
                        let has = parts.cluster.has_daemon_set(&pod.namespace, name).await?;
                        sets.insert(key, has);
                        has
                    }
                }
            }
            _ => false,
        };
        owned.push((pod, has_set));
    }
    Ok(owned)
}

/// How far the drain is.
fn drained(restart: &NodeRestart, sorted: Sorted, blocked: &BTreeMap<String, String>) -> (Sorted, Drained) {
    let going = sorted.going.iter().map(|pod| blocking(pod, "it is terminating"));
    let to_go = sorted.to_go.iter().map(|pod| {
        let reason = blocked.get(&pod.uid).map_or("it is about to be evicted", String::as_str);
        blocking(pod, reason)
    });
    let pods: Vec<_> = to_go.chain(going).collect();
    let before = restart.status.drain.as_ref().map_or(0, |drain| drain.total);
    let drained = Drained { total: before.max(pods.len()), left: pods.len(), blocking: pods };
    (sorted, drained)
}

async fn instance(parts: &Parts, restart: &NodeRestart) -> Option<proto::node::Instance> {
    let status = &restart.status;
    let driver = parts.drivers.get(&status.provider)?;
    let provider_id = status.node.as_ref().map(|found| found.provider_id.clone()).unwrap_or_default();
    let node = proto::node::Node { name: restart.spec.node_name.clone(), provider_id, ..Default::default() };
    // Whoever cannot be asked now is asked again.
    driver.describe(&node).await.ok()
}
