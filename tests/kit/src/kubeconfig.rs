//! kubeconfig files, as JSON (which is YAML).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::Identity;

/// A kubeconfig with one cluster and one user.
pub(crate) fn document(server: &str, ca: &str, identity: &Identity) -> Value {
    let user = match identity {
        Identity::Anonymous => json!({}),
        Identity::Token(token) => json!({ "token": token }),
        Identity::Certificate(pair) => json!({
            "client-certificate-data": STANDARD.encode(&pair.cert),
            "client-key-data": STANDARD.encode(&pair.key),
        }),
    };
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "kit", "cluster": {"server": server, "certificate-authority-data": STANDARD.encode(ca)}}],
        "users": [{"name": "kit", "user": user}],
        "contexts": [{"name": "kit", "context": {"cluster": "kit", "user": "kit", "namespace": "default"}}],
        "current-context": "kit",
    })
}
