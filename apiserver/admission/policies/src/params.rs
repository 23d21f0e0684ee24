//! Params: objects of any kind that policies speak of, followed as soon as a policy names their kind.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use admission::{Follow, follow::Objects, matching::labels};
use http::Request;
use kube::Client;
use runtime::Tasks;
use serde_json::Value;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use crate::binding::ParamRef;

/// Waited for objects that have not been listed yet.
const PATIENCE: Duration = Duration::from_secs(1);
/// For one question to discovery.
const DISCOVERY: Duration = Duration::from_secs(10);
/// A kind that was not found is looked for again after so long.
const AGAIN: Duration = Duration::from_secs(1);

/// A kind of params.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ParamKind {
    pub(crate) api_version: String,
    pub(crate) kind: String,
}

/// The objects of a kind.
#[derive(Clone)]
pub(crate) struct Params {
    namespaced: bool,
    objects: Follow<Value>,
}

/// Follows the objects of the kinds that policies name.
pub(crate) struct Source {
    client: Option<(Client, Tasks)>,
    known: Mutex<HashMap<ParamKind, Known>>,
}

/// What is known of a kind.
enum Known {
    There(Params),
    /// It was not found, at that time.
    Absent(Instant),
}

// === impl ParamKind ===

impl ParamKind {
    /// Reads one.
    pub(crate) fn of(kind: &Value) -> Self {
        let text = |field: &str| kind[field].as_str().unwrap_or_default().to_owned();
        Self { api_version: text("apiVersion"), kind: text("kind") }
    }

    /// Group, version and kind as Go writes them.
    fn in_go(&self) -> String {
        let (group, version) = self.api_version.split_once('/').unwrap_or(("", &self.api_version));
        format!("{group}/{version}, Kind={}", self.kind)
    }

    fn path(&self) -> String {
        let root = if self.api_version.contains('/') { "/apis" } else { "/api" };
        format!("{root}/{}", self.api_version)
    }
}

impl fmt::Display for ParamKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "&ParamKind{{APIVersion:{},Kind:{},}}", self.api_version, self.kind)
    }
}

// === impl Source ===

impl Source {
    /// Follows them in a cluster.
    pub(crate) fn new(client: Client, tasks: &Tasks) -> Self {
        Self { client: Some((client, tasks.clone())), known: Mutex::default() }
    }

    /// Objects that are known from the beginning.
    #[cfg(test)]
    pub(crate) fn fixed(kind: ParamKind, namespaced: bool, objects: impl IntoIterator<Item = Value>) -> Self {
        let name = |object: &Value, field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
        let objects = objects.into_iter().map(|object| ((name(&object, "namespace"), name(&object, "name")), object));
        let params = Params { namespaced, objects: Follow::fixed(objects.collect::<Vec<_>>()) };
        Self { client: None, known: Mutex::new([(kind, Known::There(params))].into()) }
    }

    /// Forgets all kinds but these, and begins to follow those that are new.
    pub(crate) async fn keep(&self, kinds: &[ParamKind]) {
        self.known.lock().await.retain(|kind, _| kinds.contains(kind));
        for kind in kinds {
            // A kind that is not there is an error when it is needed.
            let _ = self.of(kind).await;
        }
    }

    /// The objects of a kind. The error is the kube-apiserver's text.
    pub(crate) async fn of(&self, kind: &ParamKind) -> Result<Params, String> {
        let absent = || format!("failed to find resource referenced by paramKind: '{}'", kind.in_go());
        let mut known = self.known.lock().await;
        match known.get(kind) {
            Some(Known::There(params)) => return Ok(params.clone()),
            Some(Known::Absent(then)) if then.elapsed() < AGAIN => return Err(absent()),
            _ => {}
        }
        let Some((client, tasks)) = &self.client else { return Err(absent()) };
        let Some((resource, namespaced)) = discover(client, kind).await else {
            known.insert(kind.clone(), Known::Absent(Instant::now()));
            return Err(absent());
        };
        let path = format!("{}/{resource}", kind.path());
        let objects = Follow::start("follow params", client.clone(), &path, tasks, |object| object);
        let params = Params { namespaced, objects };
        known.insert(kind.clone(), Known::There(params.clone()));
        Ok(params)
    }
}

/// The resource of a kind, and whether its objects have namespaces.
async fn discover(client: &Client, kind: &ParamKind) -> Option<(String, bool)> {
    let request = Request::get(kind.path()).body(Vec::new()).ok()?;
    let list = timeout(DISCOVERY, client.request::<Value>(request)).await.ok()?.ok()?;
    let of_kind = |resource: &&Value| {
        resource["kind"] == kind.kind && !resource["name"].as_str().unwrap_or_default().contains('/')
    };
    let found = list["resources"].as_array()?.iter().find(of_kind)?;
    Some((found["name"].as_str()?.to_owned(), found["namespaced"] == true))
}

// === impl Params ===

impl Params {
    /// The objects that a binding names, for a request in `namespace`. The error is the kube-apiserver's text.
    pub(crate) async fn select(
        &self,
        kind: &ParamKind,
        reference: &ParamRef,
        namespace: &str,
    ) -> Result<Vec<Arc<Value>>, String> {
        if self.namespaced && reference.namespace.is_empty() && namespace.is_empty() {
            return Err(
                "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources".to_owned()
            );
        }
        let ready = self.objects.ready(PATIENCE).await;
        let objects = ready.ok_or_else(|| format!("paramKind kind `{kind}` not yet synced to use for admission"))?;
        if !self.namespaced && !reference.namespace.is_empty() {
            return Err("paramRef.namespace must not be provided for a cluster-scoped `paramKind`".to_owned());
        }
        let within = match (self.namespaced, reference.namespace.as_str()) {
            (false, _) => "",
            (true, "") => namespace,
            (true, named) => named,
        };
        let found = find(&objects, reference, within)?;
        if found.is_empty() && reference.required {
            return Err("no params found for policy binding with `Deny` parameterNotFoundAction".to_owned());
        }
        Ok(found)
    }
}

fn find(objects: &Objects<Value>, reference: &ParamRef, namespace: &str) -> Result<Vec<Arc<Value>>, String> {
    if !reference.name.is_empty() {
        if reference.selector.is_some() {
            return Err("paramRef.name and paramRef.selector are mutually exclusive".to_owned());
        }
        let name = (namespace.to_owned(), reference.name.clone());
        return Ok(objects.get(&name).cloned().into_iter().collect());
    }
    let Some(selector) = &reference.selector else { return Err("one of name or selector must be provided".to_owned()) };
    let selector = selector.as_ref().map_err(Clone::clone)?;
    let inside = objects.iter().filter(|((found, _), _)| found == namespace);
    Ok(inside.filter(|(_, object)| selector.matches(&labels(object))).map(|(_, object)| Arc::clone(object)).collect())
}
