//! A cluster that answers reviews and has one ConfigMap.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::service_fn;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// The cluster. Clones share it.
#[derive(Clone)]
pub(crate) struct Cluster {
    inner: Arc<Inner>,
}

struct Inner {
    down: AtomicBool,
    tokens_asked: AtomicUsize,
    access_asked: Mutex<Vec<Value>>,
    data: watch::Sender<Option<BTreeMap<String, String>>>,
}

// === impl Cluster ===

impl Cluster {
    pub(crate) fn new() -> Self {
        let inner = Inner {
            down: AtomicBool::new(false),
            tokens_asked: AtomicUsize::new(0),
            access_asked: Mutex::default(),
            data: watch::Sender::new(None),
        };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn client(&self) -> kube::Client {
        let cluster = self.clone();
        let service = service_fn(move |request: Request<kube::client::Body>| {
            let cluster = cluster.clone();
            async move { Ok::<_, Infallible>(cluster.answer(request).await) }
        });
        kube::Client::new(service, "default")
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.inner.down.store(down, Ordering::Relaxed);
    }

    pub(crate) fn tokens_asked(&self) -> usize {
        self.inner.tokens_asked.load(Ordering::Relaxed)
    }

    /// The specs of all access reviews so far.
    pub(crate) fn access_asked(&self) -> Vec<Value> {
        self.inner.access_asked.lock().unwrap().clone()
    }

    pub(crate) fn set_config_map(&self, data: &[(&str, &str)]) {
        let data = data.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.inner.data.send_replace(Some(data));
    }

    async fn answer(&self, request: Request<kube::client::Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = body.collect_bytes().await.unwrap();
        if self.inner.down.load(Ordering::Relaxed) {
            return response(503, &json!({"kind": "Status", "status": "Failure", "code": 503, "message": "down"}));
        }
        match parts.uri.path() {
            "/apis/authentication.k8s.io/v1/tokenreviews" => self.review_token(&body),
            "/apis/authorization.k8s.io/v1/subjectaccessreviews" => self.review_access(&body),
            "/api/v1/namespaces/kube-system/configmaps" => {
                assert!(parts.uri.query().unwrap().contains("fieldSelector=metadata.name%3Dextension-apiserver-auth"));
                self.config_map(parts.uri.query().unwrap().contains("watch=true"))
            }
            path => panic!("nobody should ask for {path}"),
        }
    }

    /// `alice-token` is Alice's.
    fn review_token(&self, body: &[u8]) -> Response<Body> {
        self.inner.tokens_asked.fetch_add(1, Ordering::Relaxed);
        let mut review: Value = serde_json::from_slice(body).unwrap();
        review["status"] = match review["spec"]["token"].as_str().unwrap() {
            "canary-unreadable" => json!("canary-unreadable"),
            "canary-erring" => json!({"authenticated": "canary-erring"}),
            "alice-token" => json!({
                "authenticated": true,
                "user": {"username": "alice", "uid": "7", "groups": ["dev"], "extra": {"scopes": ["one"]}},
            }),
            "nameless-token" => json!({"authenticated": true, "user": {"username": ""}}),
            _ => json!({"authenticated": false, "error": "invalid bearer token"}),
        };
        response(201, &review)
    }

    /// Alice and the front proxy's Bob may get; nobody may anything else.
    fn review_access(&self, body: &[u8]) -> Response<Body> {
        let mut review: Value = serde_json::from_slice(body).unwrap();
        let spec = review["spec"].clone();
        let get = spec["resourceAttributes"]["verb"] == "get" || spec["nonResourceAttributes"]["verb"] == "get";
        let known = spec["user"] == "alice" || spec["user"] == "bob";
        self.inner.access_asked.lock().unwrap().push(spec);
        review["status"] = json!({"allowed": get && known, "reason": if get && known { "" } else { "no rule" }});
        response(201, &review)
    }

    fn config_map(&self, is_watch: bool) -> Response<Body> {
        let mut data = self.inner.data.subscribe();
        if !is_watch {
            let items: Vec<Value> = data.borrow().iter().map(config_map).collect();
            return response(
                200,
                &json!({"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items}),
            );
        }
        data.borrow_and_update();
        let events = futures::stream::unfold(data, |mut data| async {
            data.changed().await.ok()?;
            let object = data.borrow_and_update().as_ref().map(config_map)?;
            let line = format!("{}\n", json!({"type": "MODIFIED", "object": object}));
            Some((Ok::<_, Infallible>(Frame::data(Bytes::from(line))), data))
        });
        Response::new(StreamBody::new(events).boxed_unsync())
    }
}

fn config_map(data: &BTreeMap<String, String>) -> Value {
    json!({
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": "extension-apiserver-authentication", "namespace": "kube-system", "resourceVersion": "2"},
        "data": data,
    })
}

fn response(status: u16, value: &Value) -> Response<Body> {
    let body = Full::new(Bytes::from(value.to_string())).boxed_unsync();
    Response::builder().status(status).header("content-type", "application/json").body(body).unwrap()
}
