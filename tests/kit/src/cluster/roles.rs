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
        "rules": [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list", "watch"]}],
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
