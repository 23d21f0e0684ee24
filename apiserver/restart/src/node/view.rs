//! A node of this group, made of a core node.

use k8s_openapi::api::core::v1 as core;
use machinery::meta::ObjectMeta;
use serde_json::{Map, Value, json};

use super::last::LastRestarts;
use crate::machine::Machine;

/// What is kept of a core node: of its metadata what it is known and selected by, and what concerns its machine.
pub(super) fn node(core: core::Node) -> Value {
    let core::Node { metadata, spec, status } = core;
    let labels = metadata.labels.unwrap_or_default();
    let provider_id = spec.and_then(|spec| spec.provider_id).unwrap_or_default();
    let Machine { provider, instance, region } = Machine::of(&provider_id, &labels);
    let status = status.unwrap_or_default();
    let conditions = status.conditions.unwrap_or_default();
    let ready = conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True");
    let boot_id = status.node_info.map(|info| info.boot_id).unwrap_or_default();
    let mut meta = present([
        ("name", metadata.name.unwrap_or_default()),
        ("uid", metadata.uid.unwrap_or_default()),
        ("resourceVersion", metadata.resource_version.unwrap_or_default()),
        ("creationTimestamp", metadata.creation_timestamp.map(|time| format!("{:.0}", time.0)).unwrap_or_default()),
    ]);
    if !labels.is_empty() {
        meta.insert("labels".to_owned(), json!(labels));
    }
    let mut status = present([("provider", provider), ("instance", instance), ("region", region), ("bootID", boot_id)]);
    status.insert("ready".to_owned(), ready.into());
    json!({
        "apiVersion": "infraops.michael.io/v1",
        "kind": "Node",
        "metadata": meta,
        "spec": present([("providerID", provider_id)]),
        "status": status,
    })
}

/// The node with its last restart, if it had one.
pub(super) fn with_last(mut node: Value, last: &LastRestarts) -> Value {
    if let Some(restart) = last.of(ObjectMeta::of(&node).name()) {
        node["status"]["lastRestart"] = restart;
    }
    node
}

/// The fields that are not empty.
fn present<const N: usize>(fields: [(&str, String); N]) -> Map<String, Value> {
    let present = fields.into_iter().filter(|(_, value)| !value.is_empty());
    present.map(|(field, value)| (field.to_owned(), value.into())).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_what_concerns_its_machine() {
        let core = json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": "a",
                "uid": "u",
                "resourceVersion": "7",
                "creationTimestamp": "2026-11-01T00:00:00Z",
                "labels": { "zone": "z" },
                "annotations": { "kept": "no" },
            },
            "spec": { "providerID": "aws:///eu-west-1a/i-1", "podCIDR": "10.0.0.0/24" },
            "status": {
                "conditions": [{ "type": "Ready", "status": "True" }],
                "nodeInfo": { "bootID": "b", "architecture": "", "containerRuntimeVersion": "", "kernelVersion": "",
                    "kubeProxyVersion": "", "kubeletVersion": "", "machineID": "", "operatingSystem": "",
                    "osImage": "", "systemUUID": "" },
            },
        });
        assert_eq!(
            node(serde_json::from_value(core).unwrap()),
            json!({
                "apiVersion": "infraops.michael.io/v1",
                "kind": "Node",
                "metadata": {
                    "name": "a",
                    "uid": "u",
                    "resourceVersion": "7",
                    "creationTimestamp": "2026-11-01T00:00:00Z",
                    "labels": { "zone": "z" },
                },
                "spec": { "providerID": "aws:///eu-west-1a/i-1" },
                "status": {
                    "provider": "aws", "instance": "i-1", "region": "eu-west-1", "bootID": "b", "ready": true,
                },
            })
        );
        let bare = node(core::Node::default());
        assert_eq!((&bare["spec"], &bare["status"]), (&json!({}), &json!({ "ready": false })));
    }
}
