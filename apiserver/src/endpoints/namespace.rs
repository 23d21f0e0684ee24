//! `/api/v1/namespaces/NAME` of a server without a cluster: every namespace exists.
//!
//! kubectl asks for the namespace when an object in it is not found, and would otherwise complain of the namespace.

use axum::body::Body;
use http::{Response, StatusCode};
use serde_json::json;

use crate::respond;

pub(super) fn namespace(name: &str) -> Response<Body> {
    let namespace = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": { "name": name },
        "spec": {},
        "status": { "phase": "Active" },
    });
    respond::bytes(StatusCode::OK, respond::JSON, namespace.to_string().into())
}
