//! `/version`: what clients take us for.
//!
//! client-go parses `gitVersion` to decide what it may ask; so it names the Kubernetes version whose behaviour is served.

use axum::body::Body;
use http::{Response, StatusCode};
use serde_json::json;

use crate::respond;

/// The Kubernetes minor version whose API behaviour is served.
pub(super) const KUBERNETES_MINOR: &str = "36";

pub(super) fn version() -> Response<Body> {
    let version = json!({
        "major": "1",
        "minor": KUBERNETES_MINOR,
        "emulationMajor": "1",
        "emulationMinor": KUBERNETES_MINOR,
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "35",
        "gitVersion": concat!("v1.36.0+outrigger-", env!("CARGO_PKG_VERSION")),
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "rustc",
        "platform": format!("linux/{}", std::env::consts::ARCH),
    });
    respond::bytes(StatusCode::OK, respond::JSON, machinery::json::pretty(version.to_string().as_bytes()).into())
}
