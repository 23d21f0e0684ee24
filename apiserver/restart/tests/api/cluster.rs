//! A cluster that knows nodes and nothing else.

use std::collections::BTreeMap;

use axum::body::Body;
use http::{Request, Response};
use kube::Client;
use serde_json::{Value, json};

/// A core node.
pub(crate) fn node(name: &str, provider_id: &str, labels: &[(&str, &str)]) -> Value {
    let labels: BTreeMap<&str, &str> = labels.iter().copied().collect();
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "uid": format!("uid-of-{name}"),
            "resourceVersion": "41",
            "creationTimestamp": "2023-11-14T22:00:00Z",
            "labels": labels,
            "annotations": { "secret": "sesame" },
        },
        "spec": { "providerID": provider_id },
        "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
    })
}

/// A cluster in which `listed` is all that lists and watches tell of, and `late` is found only when it is asked for.
pub(crate) fn of(listed: Vec<Value>, late: Option<Value>) -> Client {
    let answer = move |request: Request<kube::client::Body>| {
        let (listed, late) = (listed.clone(), late.clone());
        async move { Ok::<_, std::convert::Infallible>(answer(&request, &listed, late)) }
    };
    Client::new(tower::service_fn(answer), "default")
}

/// A cluster that never answers.
pub(crate) fn silent() -> Client {
    let answer =
        |_: Request<kube::client::Body>| std::future::pending::<Result<Response<Body>, std::convert::Infallible>>();
    Client::new(tower::service_fn(answer), "default")
}

fn answer(request: &Request<kube::client::Body>, listed: &[Value], late: Option<Value>) -> Response<Body> {
    let query = request.uri().query().unwrap_or_default();
    match request.uri().path() {
        "/api/v1/nodes" if query.contains("watch=true") => {
            Response::new(Body::from_stream(futures::stream::pending::<Result<bytes::Bytes, std::io::Error>>()))
        }
        "/api/v1/nodes" => {
            let list = json!({
                "apiVersion": "v1", "kind": "NodeList", "metadata": { "resourceVersion": "42" }, "items": listed,
            });
            Response::new(Body::from(list.to_string()))
        }
        path => {
            let name = path.strip_prefix("/api/v1/nodes/");
            let found = listed.iter().cloned().chain(late).find(|node| node["metadata"]["name"].as_str() == name);
            let (code, body) = found.map_or_else(|| (404, not_found()), |node| (200, node));
            let mut response = Response::new(Body::from(body.to_string()));
            *response.status_mut() = http::StatusCode::from_u16(code).expect("a code");
            response
        }
    }
}

fn not_found() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure", "reason": "NotFound", "code": 404,
        "message": "not found",
    })
}
