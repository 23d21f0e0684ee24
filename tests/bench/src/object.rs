//! The objects that are sent: BundleDeployments as Fleet writes them, padded to an exact size by Helm values.
//!
//! The one rule: the padding is text as values files hold it, words and versions, because a store that compresses must
//! neither win by a row of equal letters nor lose by noise. The same seed gives the same bytes, to every target.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::target::Target;

/// Words for the padding, of the kind that fills values files.
const WORDS: &[&str] = &[
    "enabled",
    "false",
    "true",
    "resources",
    "limits",
    "memory",
    "256Mi",
    "cpu",
    "100m",
    "image",
    "registry.example.org",
    "tag",
    "pullPolicy",
    "IfNotPresent",
    "serviceAccount",
    "nodeSelector",
    "kubernetes.io/os",
    "linux",
    "tolerations",
    "NoSchedule",
    "ingress",
    "nginx",
    "letsencrypt",
    "persistence",
    "storageClass",
    "longhorn",
    "10Gi",
    "replicas",
    "prometheus",
    "alertmanager",
    "retention",
    "monitoring",
];

/// The smallest size that [`object`] can be padded to, whatever the names: the least of what Fleet writes.
pub(crate) const SMALLEST: usize = 1024;

/// An object of exactly `size` bytes as compact JSON, different for each `seed`.
pub(crate) fn object(target: &Target, namespace: &str, name: &str, size: usize, seed: u64) -> Value {
    let mut object = skeleton(target, namespace, name, seed);
    let room = size.saturating_sub(encode(&object).len());
    object["spec"]["options"]["helm"]["values"] = Value::Object(values(room, seed));
    object
}

/// Compact JSON.
pub(crate) fn encode(object: &Value) -> Bytes {
    Bytes::from(serde_json::to_vec(object).expect("a JSON value can be written"))
}

/// The deployment that a revision of a bundle asks for: an id of the length that Fleet's have.
pub(crate) fn deployment_id(revision: u64) -> String {
    format!("s-7f3d2a9c41e0b8d65f0a91c2e4b7d883:{revision:064x}")
}

fn skeleton(target: &Target, namespace: &str, name: &str, seed: u64) -> Value {
    json!({
        "apiVersion": format!("{}/{}", target.group, target.version),
        "kind": target.kind,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {
                "fleet.cattle.io/bundle-name": "platform-monitoring",
                "fleet.cattle.io/bundle-namespace": "fleet-default",
                "fleet.cattle.io/cluster": format!("downstream-{:04}", seed % 5000),
                "fleet.cattle.io/commit": format!("{:040x}", Random(seed).next()),
                "fleet.cattle.io/managed": "true",
            },
        },
        "spec": {
            "deploymentID": deployment_id(seed),
            "stagedDeploymentID": deployment_id(seed),
            "options": {"defaultNamespace": "cattle-monitoring-system", "helm": {"values": {}}},
        },
    })
}

/// Members that add exactly `room` bytes to an empty object.
fn values(room: usize, seed: u64) -> Map<String, Value> {
    let mut random = Random(seed);
    let mut values = Map::new();
    let mut left = room;
    while left > 0 {
        // `"setting-00000":"…"` and, from the second on, a comma.
        let frame = 18 + usize::from(!values.is_empty());
        let Some(most) = left.checked_sub(frame) else { break };
        let text = if most < 2 * 48 { words(&mut random, most) } else { words(&mut random, 48) };
        left = most - text.len();
        values.insert(format!("setting-{:05}", values.len()), Value::String(text));
    }
    values
}

/// Words, cut to a length.
fn words(random: &mut Random, length: usize) -> String {
    let mut text = String::with_capacity(length + 24);
    while text.len() < length {
        text.push_str(WORDS[(random.next() % WORDS.len() as u64) as usize]);
        text.push(' ');
    }
    text.truncate(length);
    text
}

/// SplitMix64: enough to vary text, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::target::{Auth, Endpoint};

    fn target() -> Target {
        Target {
            name: "crd".into(),
            baseline: true,
            endpoint: Endpoint { url: "https://localhost".into(), ca: "".into(), auth: Auth::Token("".into()) },
            group: "bundledeployments.baseline.example.org".into(),
            version: "v1alpha1".into(),
            plural: "bundledeployments".into(),
            kind: "BundleDeployment".into(),
            store: "etcd".into(),
            namespaces: None,
        }
    }

    #[test]
    fn objects_have_exactly_the_size_asked_for() {
        for size in [SMALLEST, 1025, 1039, 1040, 1041, 1100, 4096, 18_000] {
            for seed in 0..40 {
                let bytes = encode(&object(&target(), "bench-1k", &format!("o-{seed}"), size, seed));
                assert_eq!(bytes.len(), size, "seed {seed}");
            }
        }
    }

    #[test]
    fn the_smallest_size_leaves_room_for_the_longest_names() {
        let bytes = encode(&object(&target(), &"n".repeat(63), &"o".repeat(120), SMALLEST, 7));
        assert_eq!(bytes.len(), SMALLEST);
    }

    #[test]
    fn a_seed_decides_the_whole_object() {
        let made = |seed| encode(&object(&target(), "a", "b", 4096, seed));
        assert_eq!(made(1), made(1));
        assert_ne!(made(1), made(2));
    }

    #[test]
    fn padding_goes_where_values_are_free_form() {
        let object = object(&target(), "a", "b", 4096, 1);
        let values = object["spec"]["options"]["helm"]["values"].as_object().unwrap();
        assert!(values.len() > 20 && values.values().all(Value::is_string));
    }

    #[test]
    fn deployment_ids_have_a_constant_length() {
        assert_eq!(deployment_id(0).len(), deployment_id(u64::MAX).len());
    }
}
