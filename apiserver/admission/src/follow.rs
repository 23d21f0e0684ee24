//! Objects of a cluster, as they were last seen.
//!
//! ```text
//!   list ─▶ snapshot ─▶ watch ─▶ event ─▶ snapshot ─▶ event ─▶ … the watch ends ─▶ watch from the last revision
//!    ▲                                                                            │
//!    ╰──────────────────────── that revision is too old ◀─────────────────────────╯
//! ```
//! Until everything was listed once nothing is known, which is not the same as there being nothing. A snapshot is a moment
//! late, as the kube-apiserver's own are.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::StreamExt;
use http::Request;
use kube::{Client, core::WatchEvent};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use runtime::{Tasks, telemetry::chain};
use serde_json::Value;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

/// Namespace, which is empty for what has none, and name: the order in which the kube-apiserver takes configurations.
pub type Name = (String, String);

/// Objects by name, each as it was read.
pub type Objects<T> = BTreeMap<Name, Arc<T>>;

/// Objects of one resource of a cluster, each as `T`. They are followed for as long as somebody holds a clone.
#[derive(Debug)]
pub struct Follow<T> {
    seen: watch::Receiver<Option<Arc<Objects<T>>>>,
}

/// A page of a list has so many objects.
const PAGE: usize = 500;
/// A watch is begun anew so often.
const WATCH_SECONDS: u32 = 290;
/// There is a bookmark each minute: a watch that says nothing for longer has died without telling.
const SILENCE: Duration = Duration::from_secs(90);
/// For one page of a list.
const PATIENCE: Duration = Duration::from_secs(30);
/// Waited before the next try; doubled with each failure in a row.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// Waited after a watch that ended as it should.
const BREATH: Duration = Duration::from_millis(50);

// === impl Follow ===

impl<T> Clone for Follow<T> {
    fn clone(&self) -> Self {
        Self { seen: self.seen.clone() }
    }
}

impl<T: Send + Sync + 'static> Follow<T> {
    /// Follows a collection, such as `/api/v1/namespaces`; `name` is the task's. Objects come without their managedFields.
    /// A collection that the cluster does not have is empty.
    pub fn start(
        name: &'static str,
        client: Client,
        path: &str,
        tasks: &Tasks,
        read: impl Fn(Value) -> T + Send + Sync + 'static,
    ) -> Self {
        let (send, seen) = watch::channel(None);
        let source = Source { client, path: path.to_owned(), read, seen: send };
        let draining = tasks.shutdown().draining();
        tasks.spawn(name, async move {
            tokio::select! {
                () = draining => {}
                () = source.seen.closed() => {}
                () = source.follow() => {}
            }
        });
        Self { seen }
    }

    /// What does not change, for tests and for those that know.
    pub fn fixed(objects: impl IntoIterator<Item = (Name, T)>) -> Self {
        let objects = objects.into_iter().map(|(name, object)| (name, Arc::new(object))).collect();
        Self { seen: watch::channel(Some(Arc::new(objects))).1 }
    }

    /// All objects as they were last seen; `None` as long as they have not been.
    pub fn snapshot(&self) -> Option<Arc<Objects<T>>> {
        self.seen.borrow().clone()
    }

    /// Whether all objects have been seen.
    pub fn synced(&self) -> bool {
        self.seen.borrow().is_some()
    }

    /// One object as it was last seen.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<T>> {
        self.snapshot()?.get(&(namespace.to_owned(), name.to_owned())).cloned()
    }

    /// The snapshot, waited for; `None` if there is none in time.
    pub async fn ready(&self, within: Duration) -> Option<Arc<Objects<T>>> {
        let mut seen = self.seen.clone();
        let ready = timeout(within, seen.wait_for(Option::is_some)).await;
        ready.ok()?.ok()?.clone()
    }

    /// Waits until there is a snapshot that differs from the last one that this clone was told of.
    pub async fn changed(&mut self) {
        // Who told has ended with the process, or was fixed from the beginning.
        if self.seen.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Where objects come from and go to.
struct Source<T, R> {
    client: Client,
    path: String,
    read: R,
    seen: watch::Sender<Option<Arc<Objects<T>>>>,
}

/// Why a watch or a list ended.
enum End {
    /// It is to be resumed.
    Over,
    /// Its revision is too old: everything is to be listed.
    Expired,
    /// It could not be had.
    Failed(Box<kube::Error>),
    /// It took too long.
    Silent,
}

// === impl Source ===

impl<T, R> Source<T, R>
where
    T: Send + Sync,
    R: Fn(Value) -> T + Send + Sync,
{
    async fn follow(&self) {
        let (mut pause, mut revision, mut failing) = (PAUSES.0, None, false);
        loop {
            let end = match &mut revision {
                None => self.list().await.map(|listed| revision = Some(listed)).err().unwrap_or(End::Over),
                Some(revision) => self.watch(revision).await,
            };
            pause = match end {
                End::Over => {
                    failing = false;
                    PAUSES.0
                }
                End::Expired => {
                    revision = None;
                    PAUSES.0
                }
                End::Failed(error) if is_absent(&error) => {
                    // Sooner or later somebody may bring it.
                    (revision, pause) = (None, PAUSES.1);
                    self.seen.send_if_modified(|seen| {
                        let news = seen.as_ref().is_none_or(|seen| !seen.is_empty());
                        *seen = Some(Arc::default());
                        news
                    });
                    sleep(pause).await;
                    continue;
                }
                End::Failed(error) => {
                    // Once is enough: it is tried again and again.
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!("{} cannot be followed: {}", self.path, why(&error));
                    }
                    sleep(pause).await;
                    (pause * 2).min(PAUSES.1)
                }
                End::Silent => {
                    tracing::warn!("{} cannot be followed: the cluster does not answer", self.path);
                    PAUSES.0
                }
            };
            sleep(BREATH).await;
        }
    }

    /// Lists everything; the revision of the list.
    async fn list(&self) -> Result<String, End> {
        let (mut objects, mut page) = (Objects::new(), String::new());
        loop {
            let path = format!("{}?limit={PAGE}{page}", self.path);
            let list = timeout(PATIENCE, self.client.request::<Value>(get(path))).await;
            let mut list = match list.map_err(|_| End::Silent)? {
                Ok(list) => list,
                Err(kube::Error::Api(status)) if status.code == 410 => return Err(End::Expired),
                Err(error) => return Err(End::Failed(Box::new(error))),
            };
            let (kind, version) = (item_kind(&list), list["apiVersion"].take());
            let items = list["items"].take();
            for mut object in items.as_array().cloned().unwrap_or_default() {
                // Items of a list of built-in kinds do not say what they are.
                if object.get("kind").is_none() {
                    object["kind"] = kind.clone();
                    object["apiVersion"] = version.clone();
                }
                let (name, object) = self.understood(object);
                objects.insert(name, object);
            }
            match list["metadata"]["continue"].as_str().filter(|token| !token.is_empty()) {
                Some(token) => page = format!("&continue={}", utf8_percent_encode(token, NON_ALPHANUMERIC)),
                None => {
                    self.seen.send_replace(Some(Arc::new(objects)));
                    return Ok(revision(&list).to_owned());
                }
            }
        }
    }

    /// Follows what comes after `revision`, and moves it on.
    async fn watch(&self, after: &mut String) -> End {
        let path = format!(
            "{}?watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}&resourceVersion={after}",
            self.path
        );
        let events = match timeout(PATIENCE, self.client.request_events::<Value>(get(path))).await {
            Ok(Ok(events)) => events,
            Ok(Err(kube::Error::Api(status))) if status.code == 410 => return End::Expired,
            Ok(Err(error)) => return End::Failed(Box::new(error)),
            Err(_) => return End::Silent,
        };
        let mut events = std::pin::pin!(events);
        loop {
            let event = match timeout(SILENCE, events.next()).await {
                Ok(Some(Ok(event))) => event,
                Ok(Some(Err(error))) => return End::Failed(Box::new(error)),
                Ok(None) => return End::Over,
                Err(_) => return End::Silent,
            };
            match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                    revision(&object).clone_into(after);
                    let (name, object) = self.understood(object);
                    self.change(|objects| objects.insert(name, object));
                }
                WatchEvent::Deleted(object) => {
                    revision(&object).clone_into(after);
                    self.change(|objects| objects.remove(&name(&object)));
                }
                WatchEvent::Bookmark(bookmark) => *after = bookmark.metadata.resource_version,
                // Mostly that the revision is too old by now.
                WatchEvent::Error(_) => return End::Expired,
            }
        }
    }

    fn understood(&self, mut object: Value) -> (Name, Arc<T>) {
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        (name(&object), Arc::new((self.read)(object)))
    }

    fn change<U>(&self, change: impl FnOnce(&mut Objects<T>) -> U) {
        self.seen.send_modify(|seen| {
            change(Arc::make_mut(seen.get_or_insert_default()));
        });
    }
}

fn get(path: String) -> Request<Vec<u8>> {
    Request::get(path).body(Vec::new()).expect("the path is one of ours")
}

/// The name of an object.
fn name(object: &Value) -> Name {
    let field = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    (field("namespace"), field("name"))
}

fn revision(object: &Value) -> &str {
    object["metadata"]["resourceVersion"].as_str().unwrap_or_default()
}

/// The kind of a list's items.
fn item_kind(list: &Value) -> Value {
    let kind = list["kind"].as_str().unwrap_or_default();
    kind.strip_suffix("List").unwrap_or(kind).into()
}

/// What went wrong, for the log.
fn why(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        error => chain(error),
    }
}

fn is_absent(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::{convert::Infallible, sync::Mutex};

    use bytes::Bytes;
    use http::{Response, StatusCode};
    use http_body_util::Full;
    use serde_json::json;

    use super::*;

    /// A cluster that gives these answers, one after the other, and then none; and what it was asked.
    fn cluster(answers: Vec<(u16, String)>) -> (Client, Arc<Mutex<Vec<String>>>) {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (seen, answers) = (Arc::clone(&asked), Mutex::new(answers.into_iter()));
        let service = tower::service_fn(move |request: Request<kube::client::Body>| {
            let answer = answers.lock().unwrap().next();
            if answer.is_some() {
                seen.lock().unwrap().push(request.uri().to_string());
            }
            async move {
                let Some((code, body)) = answer else { return std::future::pending().await };
                let mut response = Response::new(Full::new(Bytes::from(body)));
                *response.status_mut() = StatusCode::from_u16(code).unwrap();
                Ok::<_, Infallible>(response)
            }
        });
        (Client::new(service, "default"), asked)
    }

    fn thing(name: &str, revision: &str) -> Value {
        json!({ "kind": "Thing", "apiVersion": "v1", "metadata": { "name": name, "resourceVersion": revision } })
    }

    fn list(revision: &str, token: &str, names: &[&str]) -> (u16, String) {
        let items: Vec<Value> = names.iter().map(|name| thing(name, "1")).collect();
        let metadata = json!({ "resourceVersion": revision, "continue": token });
        (200, json!({ "kind": "ThingList", "apiVersion": "v1", "metadata": metadata, "items": items }).to_string())
    }

    async fn names(follow: &mut Follow<Value>, wanted: &[&str]) {
        let reached = async {
            loop {
                let seen = follow.snapshot().unwrap_or_default();
                if seen.keys().map(|(_, name)| name.as_str()).eq(wanted.iter().copied()) {
                    return;
                }
                follow.changed().await;
            }
        };
        timeout(Duration::from_secs(10), reached).await.unwrap();
    }

    #[tokio::test]
    async fn a_list_is_kept_up_to_date_and_begun_anew_when_it_is_too_old() {
        let events = [("ADDED", thing("c", "6")), ("DELETED", thing("a", "7"))];
        let events = events.map(|(kind, object)| json!({ "type": kind, "object": object }).to_string() + "\n").concat();
        let gone =
            json!({ "kind": "Status", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old" });
        let answers = vec![
            list("5", "c/d", &["a"]),
            list("5", "", &["b"]),
            (200, events),
            (410, gone.to_string()),
            list("9", "", &["d"]),
        ];
        let (client, asked) = cluster(answers);
        let context = runtime::Context::new();
        let mut follow = Follow::start("follow things", client, "/things", &context.tasks, |thing| thing);
        names(&mut follow, &["d"]).await;
        let watch = "/things?watch=true&allowWatchBookmarks=true&timeoutSeconds=290&resourceVersion=";
        let expected = [
            "/things?limit=500".to_owned(),
            "/things?limit=500&continue=c%2Fd".to_owned(),
            format!("{watch}5"),
            format!("{watch}7"),
            "/things?limit=500".to_owned(),
        ];
        assert_eq!(*asked.lock().unwrap(), expected);
    }

    #[tokio::test]
    async fn a_collection_that_the_cluster_does_not_have_is_empty() {
        let absent =
            json!({ "kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound", "message": "no" });
        let (client, _) = cluster(vec![(404, absent.to_string())]);
        let context = runtime::Context::new();
        let follow = Follow::start("follow nothing", client, "/nothing", &context.tasks, |thing| thing);
        let seen = follow.ready(Duration::from_secs(10)).await;
        assert_eq!(seen.map(|seen| seen.len()), Some(0));
    }
}
