//! What Outrigger's user may do in a cluster: exactly what a deployment grants it. A test that needs more has found a bug.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::Client;

/// Grants Outrigger its roles.
pub(crate) async fn grant(admin: &Client) -> Result<()> {
    const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
    for (path, body) in [
        ("clusterroles".to_owned(), reader()),
        (
            "clusterrolebindings".to_owned(),
            binding("ClusterRoleBinding", "outrigger-reader", "ClusterRole", "outrigger"),
        ),
        (
            "clusterrolebindings".to_owned(),
            binding("ClusterRoleBinding", "outrigger-delegator", "ClusterRole", "system:auth-delegator"),
        ),
        (
            "namespaces/kube-system/rolebindings".to_owned(),
            binding("RoleBinding", "outrigger-authentication", "Role", "extension-apiserver-authentication-reader"),
        ),
    ] {
        let mut answer = admin.post(&format!("{RBAC}/{path}"), &body).await?;
        // The bootstrap roles and kube-system appear a moment after the server is ready.
        for _ in 0..100 {
            if answer.status != 404 && answer.status != 403 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            answer = admin.post(&format!("{RBAC}/{path}"), &body).await?;
        }
        answer.success().with_context(|| format!("granting {body}"))?;
    }
    Ok(())
}

fn reader() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "outrigger"},
        "rules": [
            {"apiGroups": [""], "resources": ["namespaces", "nodes"], "verbs": ["get", "list", "watch"]},
            // Changed blocks: what snapshots are, and what their drivers need to be let in.
            {
                "apiGroups": ["snapshot.storage.k8s.io"],
                "resources": ["volumesnapshots", "volumesnapshotcontents", "volumesnapshotclasses"],
                "verbs": ["get", "list", "watch"],
            },
            {
                "apiGroups": ["cbt.storage.k8s.io"],
                "resources": ["snapshotmetadataservices"],
                "verbs": ["get", "list", "watch"],
            },
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
            // Tokens: each is a Secret of its namespace.
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list", "watch", "create", "update", "delete"]},
            // Admission: what the kube-apiserver would ask for its own kinds.
            {
                "apiGroups": ["admissionregistration.k8s.io"],
                "resources": [
                    "mutatingadmissionpolicies", "mutatingadmissionpolicybindings", "mutatingwebhookconfigurations",
                    "validatingadmissionpolicies", "validatingadmissionpolicybindings", "validatingwebhookconfigurations",
                ],
                "verbs": ["list", "watch"],
            },
            // The params of policies.
            {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "watch"]},
            {"apiGroups": [""], "resources": ["services"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["resourcequotas"], "verbs": ["get", "list", "watch"]},
            {"apiGroups": [""], "resources": ["resourcequotas/status"], "verbs": ["update"]},
            // Whether the cluster has a kind of that name itself, which whoever asks is then passed on to as themselves.
            {"apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["users", "groups", "serviceaccounts"], "verbs": ["impersonate"]},
            {"apiGroups": ["authentication.k8s.io"], "resources": ["*"], "verbs": ["impersonate"]},
            // Node restarts: to cordon, to drain, and to tell.
            {"apiGroups": [""], "resources": ["nodes"], "verbs": ["patch"]},
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "delete"]},
            {"apiGroups": [""], "resources": ["pods/eviction", "events"], "verbs": ["create"]},
            {"apiGroups": ["apps"], "resources": ["daemonsets"], "verbs": ["get"]},
            {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": ["list"]},
        ],
    })
}

fn binding(kind: &str, name: &str, role_kind: &str, role: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "outrigger"}],
    })
}
