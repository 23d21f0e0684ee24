//! A server that restarts nothing, says so as it is told, and remembers who asked for what.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::Response,
};
use http::{HeaderMap, Method, StatusCode};
use plugin_testing::{Caller, Https};
use serde_json::{Value, json};
use tokio::sync::{Notify, broadcast};

/// The server.
pub(crate) struct Server {
    https: Https,
    state: Arc<Shared>,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) uri: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// The subject of the client's certificate.
    pub(crate) certificate: Option<String>,
}

/// What a POST is answered with instead of a restart.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// A code, and a body.
    Answer(u16, String),
    /// Nothing: the connection ends.
    Hangup,
    /// Nothing, and it does not end.
    Silence,
}

/// A connection, for what is asked on it.
#[derive(Clone)]
struct Connection {
    server: Arc<Shared>,
    caller: Caller,
}

struct Shared {
    now: Mutex<Now>,
    events: broadcast::Sender<Value>,
}

#[derive(Default)]
struct Now {
    nodes: Vec<String>,
    restarts: BTreeMap<String, Value>,
    revision: u64,
    trouble: Option<Trouble>,
    script: Vec<Value>,
    forbidden: Vec<&'static str>,
    seen: Vec<Seen>,
}

// === impl Server ===

impl Server {
    /// Starts it.
    pub(crate) fn start() -> Self {
        let state = Arc::new(Shared { now: Mutex::default(), events: broadcast::Sender::new(64) });
        let server = Arc::clone(&state);
        let router =
            move |caller| Router::new().fallback(answer).with_state(Connection { server: Arc::clone(&server), caller });
        Self { https: Https::start(router).unwrap(), state }
    }

    /// Where it is, and who vouches for it.
    pub(crate) fn https(&self) -> &Https {
        &self.https
    }

    /// There are these nodes, and a selector matches all of them.
    pub(crate) fn nodes(&self, names: &[&str]) {
        self.now().nodes = names.iter().map(|&name| name.to_owned()).collect();
    }

    /// Restarts go through these states, one at each watch event, from when they are watched.
    pub(crate) fn script(&self, states: &[Value]) {
        self.now().script = states.to_vec();
    }

    /// What is asked for next ends in this.
    pub(crate) fn trouble(&self, trouble: Trouble) {
        self.now().trouble = Some(trouble);
    }

    /// Nobody may `get` or `watch` restarts.
    pub(crate) fn forbid(&self, verb: &'static str) {
        self.now().forbidden.push(verb);
    }

    /// Removes the restart of a node.
    pub(crate) fn remove(&self, node: &str) {
        let removed = self.now().restarts.remove(&format!("{node}-1")).expect("it is there");
        let _ = self.state.events.send(json!({ "type": "DELETED", "object": removed }));
    }

    /// What came, in order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.now().seen.clone()
    }

    /// The restarts that were asked for: node and body.
    pub(crate) fn asked(&self) -> Vec<(String, String)> {
        let posts = self.seen().into_iter().filter(|seen| seen.method == Method::POST);
        posts.map(|seen| (seen.uri.split('/').nth(5).unwrap_or_default().to_owned(), seen.body)).collect()
    }

    /// Whether somebody watches.
    pub(crate) fn is_watched(&self) -> bool {
        self.state.events.receiver_count() > 0
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.state.now.lock().unwrap()
    }
}

/// `metav1.Status`.
pub(crate) fn status(code: u16, reason: &str, message: &str, cause: &str) -> String {
    let causes = if cause.is_empty() { json!([]) } else { json!([{ "reason": cause }]) };
    let (details, failure) = (json!({ "causes": causes }), "Failure");
    json!({ "kind": "Status", "status": failure, "code": code, "reason": reason, "message": message, "details": details })
        .to_string()
}

async fn answer(State(connection): State<Connection>, request: Request) -> Response {
    let state = connection.server;
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let uri = head.uri.path_and_query().unwrap().to_string();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let seen = Seen {
        method: head.method.clone(),
        uri: uri.clone(),
        headers: head.headers,
        body,
        certificate: connection.caller.certificate,
    };
    state.now.lock().unwrap().seen.push(seen);
    let (path, query) = uri.split_once('?').unwrap_or((&uri, ""));
    let parts: Vec<&str> = path.trim_start_matches("/apis/infraops.michael.io/v1/").split('/').collect();
    match (head.method, parts.as_slice()) {
        (Method::POST, ["nodes", node, "restart"]) => {
            restart(&state, &connection.caller.hangup, node, query.contains("dryRun=All")).await
        }
        (Method::GET, ["nodes"]) => {
            let nodes = state.now.lock().unwrap().nodes.clone();
            let items: Vec<Value> = nodes.iter().map(|name| json!({ "metadata": { "name": name } })).collect();
            respond(200, json!({ "kind": "NodeList", "items": items }).to_string())
        }
        (Method::GET, ["noderestarts"]) => watch(state, query),
        (Method::GET, ["noderestarts", _]) if state.now.lock().unwrap().forbidden.contains(&"get") => forbidden(),
        (Method::GET, ["noderestarts", name]) => match state.now.lock().unwrap().restarts.get(*name) {
            Some(restart) => respond(200, restart.to_string()),
            None => respond(404, status(404, "NotFound", "gone", "")),
        },
        _ => respond(404, "404 page not found\n".to_owned()),
    }
}

async fn restart(state: &Shared, hangup: &Notify, node: &str, dry_run: bool) -> Response {
    let trouble = state.now.lock().unwrap().trouble.take();
    match trouble {
        Some(Trouble::Answer(code, body)) => return respond(code, body),
        Some(Trouble::Silence) => std::future::pending().await,
        Some(Trouble::Hangup) => {
            hangup.notify_one();
            std::future::pending().await
        }
        None => {}
    }
    let name = format!("{node}-1");
    let mut restart = json!({
        "apiVersion": "infraops.michael.io/v1",
        "kind": "NodeRestart",
        "metadata": { "name": name, "uid": format!("uid-of-{name}") },
        "spec": { "nodeName": node, "mode": "Soft" },
        "status": { "phase": "Accepted" },
    });
    let mut now = state.now.lock().unwrap();
    if dry_run {
        let plan = now.script.first().cloned().unwrap_or_else(|| json!({}));
        restart["status"] = json!({ "plan": plan });
        return respond(201, restart.to_string());
    }
    if let Some(there) = now.restarts.get(&name) {
        return respond(200, there.to_string());
    }
    now.revision += 1;
    restart["metadata"]["resourceVersion"] = now.revision.to_string().into();
    now.restarts.insert(name, restart.clone());
    respond(201, restart.to_string())
}

fn watch(state: Arc<Shared>, query: &str) -> Response {
    let name = query.split("metadata.name%3D").nth(1).and_then(|rest| rest.split('&').next());
    let name = name.unwrap_or_default().to_owned();
    if state.now.lock().unwrap().forbidden.contains(&"watch") {
        return forbidden();
    }
    let mut events = state.events.subscribe();
    let states = state.now.lock().unwrap().script.clone();
    let events = async_stream::stream! {
        for status in states {
            let event = {
                let mut now = state.now.lock().unwrap();
                now.revision += 1;
                let revision = now.revision.to_string();
                let Some(restart) = now.restarts.get_mut(&name) else { return };
                restart["status"] = status;
                restart["metadata"]["resourceVersion"] = revision.into();
                json!({ "type": "MODIFIED", "object": restart })
            };
            yield Ok::<_, std::io::Error>(format!("{event}\n"));
        }
        while let Ok(event) = events.recv().await {
            yield Ok(format!("{event}\n"));
        }
    };
    let mut response = Response::new(Body::from_stream(events));
    response.headers_mut().insert("content-type", "application/json".parse().unwrap());
    response
}

fn forbidden() -> Response {
    respond(403, status(403, "Forbidden", "you may not look", ""))
}

fn respond(code: u16, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response.headers_mut().insert("content-type", "application/json".parse().unwrap());
    response
}
