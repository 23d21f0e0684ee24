//! What a case holds in its hand: requests to one target that are written down with their answers.
//!
//! Paths are written with placeholders, which are the same on every target and so name a step:
//!
//! | placeholder | becomes |
//! |---|---|
//! | `{r}` | the collection: `/apis/GROUP/VERSION/namespaces/NS/PLURAL`, without the namespace for a cluster-scoped kind |
//! | `{all}` | the collection over all namespaces |
//! | `{gv}`, `{g}`, `{ns}` | `/apis/GROUP/VERSION`, the group, the namespace |
//! | `{NAME}` | what [`Cx::set`] stored under that name |

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::HeaderMap;
use kit::{Client, Lines, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::subject::Subject;
use crate::target::Target;

/// The media types of patches.
pub mod patch {
    /// RFC 7386.
    pub const MERGE: &str = "application/merge-patch+json";
    /// RFC 6902.
    pub const JSON: &str = "application/json-patch+json";
    /// Server-side apply.
    pub const APPLY: &str = "application/apply-patch+yaml";
    /// Kubernetes' own, which custom resources do not support.
    pub const STRATEGIC: &str = "application/strategic-merge-patch+json";
}

/// The media types that `kubectl` and controllers ask for.
pub mod accept {
    /// A table, as `kubectl get` prints.
    pub const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";
    /// A table of the first version.
    pub const TABLE_BETA: &str = "application/json;as=Table;v=v1beta1;g=meta.k8s.io";
    /// One object's metadata.
    pub const PARTIAL: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
    /// A list of objects' metadata.
    pub const PARTIAL_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    /// Aggregated discovery.
    pub const DISCOVERY: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
}

/// One request and its answer as they happened.
#[derive(Clone, Debug)]
pub struct Step {
    /// The request, with its placeholders; or the name of a note.
    pub label: String,
    /// The status code; 0 for a note.
    pub status: u16,
    /// The headers, name and value, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// An answer, for a case that needs something out of it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body as JSON; null if it is not.
    pub body: Value,
}

/// A case's hand on one target.
#[derive(Debug)]
pub struct Cx {
    /// The kind.
    pub subject: &'static Subject,
    /// The server.
    pub target: Target,
    /// The group of the kind there.
    pub group: String,
    /// The namespace that is this case's own.
    pub namespace: String,
    client: Client,
    others: BTreeMap<&'static str, Client>,
    variables: BTreeMap<String, String>,
    said: Option<String>,
    steps: Vec<Step>,
}

// === impl Cx ===

impl Cx {
    /// A hand on a target, whose `others` are the clients of other users, by name.
    #[must_use]
    pub fn new(
        subject: &'static Subject,
        target: Target,
        namespace: &str,
        client: Client,
        others: BTreeMap<&'static str, Client>,
    ) -> Self {
        let (group, namespace) = (target.group(subject), namespace.to_owned());
        let (variables, said, steps) = (BTreeMap::new(), None, Vec::new());
        Self { subject, target, group, namespace, client, others, variables, said, steps }
    }

    /// What was written down.
    #[must_use]
    pub fn into_steps(self) -> Vec<Step> {
        self.steps
    }

    /// An object of the kind.
    #[must_use]
    pub fn object(&self, name: &str) -> Value {
        self.subject.object(&self.group, name)
    }

    /// An object of the kind with other contents merged in.
    #[must_use]
    pub fn object_with(&self, name: &str, more: &Value) -> Value {
        let mut object = self.object(name);
        merge(&mut object, more);
        object
    }

    /// Names the next step, where its path does not tell what it is about.
    pub fn say(&mut self, what: &str) -> &mut Self {
        self.said = Some(what.to_owned());
        self
    }

    /// Stores a value for later paths, percent-encoded.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), utf8_percent_encode(value, NON_ALPHANUMERIC).to_string());
    }

    /// GET.
    pub async fn get(&mut self, path: &str) -> Result<Answer> {
        self.send("GET", path, &[], "").await
    }

    /// GET with an Accept header.
    pub async fn get_as(&mut self, accept: &str, path: &str) -> Result<Answer> {
        self.send("GET", path, &[("accept", accept)], "").await
    }

    /// Creates an object of this name and of the first spec.
    pub async fn create(&mut self, name: &str) -> Result<Answer> {
        self.post("{r}", &self.object(name)).await
    }

    /// Creates an object with other contents merged in.
    pub async fn create_with(&mut self, name: &str, more: &Value) -> Result<Answer> {
        self.post("{r}", &self.object_with(name, more)).await
    }

    /// POST of JSON.
    pub async fn post(&mut self, path: &str, body: &Value) -> Result<Answer> {
        self.send("POST", path, &[("content-type", "application/json")], body.to_string()).await
    }

    /// PUT of JSON.
    pub async fn put(&mut self, path: &str, body: &Value) -> Result<Answer> {
        self.send("PUT", path, &[("content-type", "application/json")], body.to_string()).await
    }

    /// A merge patch.
    pub async fn merge(&mut self, path: &str, body: &Value) -> Result<Answer> {
        self.send("PATCH", path, &[("content-type", patch::MERGE)], body.to_string()).await
    }

    /// A JSON patch.
    pub async fn json_patch(&mut self, path: &str, body: &Value) -> Result<Answer> {
        self.send("PATCH", path, &[("content-type", patch::JSON)], body.to_string()).await
    }

    /// DELETE without a body.
    pub async fn delete(&mut self, path: &str) -> Result<Answer> {
        self.send("DELETE", path, &[], "").await
    }

    /// DELETE with options in the body.
    pub async fn delete_with(&mut self, path: &str, options: &Value) -> Result<Answer> {
        let mut body = json!({"kind": "DeleteOptions", "apiVersion": "v1"});
        merge(&mut body, options);
        self.send("DELETE", path, &[("content-type", "application/json")], body.to_string()).await
    }

    /// Any request.
    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer> {
        match self.client.send(method, &self.fill(path), headers, body).await {
            Ok(response) => Ok(self.record(label(method, path, headers), response)),
            Err(error) if format!("{error:#}").contains("stream error") => {
                Ok(self.broken(label(method, path, headers)))
            }
            Err(error) => Err(error),
        }
    }

    /// Any request, over HTTP/1.1.
    pub async fn send_http1(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
        let response = self.client.send_http1(method, &self.fill(path), headers, "").await?;
        Ok(self.record(format!("{} over HTTP/1.1", label(method, path, headers)), response))
    }

    /// Any request, as another user.
    pub async fn send_as(
        &mut self,
        user: &'static str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer> {
        let client = self.others.get(user).with_context(|| format!("there is no user {user}"))?;
        let response = client.send(method, &self.fill(path), headers, body).await?;
        Ok(self.record(format!("{} as {user}", label(method, path, headers)), response))
    }

    /// Opens a watch; nothing is written down before [`Cx::finish`].
    pub async fn watch(&mut self, path: &str, accept: Option<&str>) -> Result<Watch> {
        let headers: Vec<(&str, &str)> = accept.into_iter().map(|accept| ("accept", accept)).collect();
        let lines = self.client.lines(&self.fill(path), &headers).await?;
        Ok(Watch { label: label("GET", path, &headers), lines, seen: Vec::new() })
    }

    /// Reads a watch until the server ends it, and writes it down as one answer.
    pub async fn finish(&mut self, mut watch: Watch) -> Result<Vec<Value>> {
        watch.seen.extend(watch.lines.rest(Duration::from_secs(60)).await?);
        let headers = flatten(&watch.lines.headers);
        let body = watch.seen.join("\n");
        self.steps.push(Step { label: watch.label, status: watch.lines.status, headers, body: body.into() });
        Ok(watch.seen.iter().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// Opens a watch that ends by itself and reads it.
    pub async fn watched(&mut self, path: &str) -> Result<Vec<Value>> {
        let watch = self.watch(path, None).await?;
        self.finish(watch).await
    }

    /// Asks without writing anything down.
    pub async fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
        let response = self.client.send("GET", &self.fill(path), headers, "").await?;
        Ok(Answer { status: response.status, body: serde_json::from_slice(&response.body).unwrap_or_default() })
    }

    /// Asks and answers only the headers that tell how the body was encoded, and whether it arrived.
    pub async fn ask_headers(&self, path: &str, headers: &[(&str, &str)]) -> Result<Value> {
        let response = self.client.send("GET", &self.fill(path), headers, "").await?;
        let header = |name: &str| response.header(name).map(str::to_owned);
        let (encoding, vary) = (header("content-encoding"), header("vary"));
        Ok(
            json!({"status": response.status, "content-encoding": encoding, "vary": vary, "empty": response.body.is_empty()}),
        )
    }

    /// Asks and answers the status, whether there is a body, and some headers by name.
    pub async fn ask_for(&self, method: &str, path: &str, headers: &[(&str, &str)], wanted: &[&str]) -> Result<Value> {
        let response = self.client.send(method, &self.fill(path), headers, "").await?;
        let mut told = json!({"status": response.status, "empty": response.body.is_empty()});
        for name in wanted {
            // The aggregator adds its own beside those of the server behind it.
            let values: BTreeSet<&str> =
                response.headers.get_all(*name).iter().filter_map(|v| v.to_str().ok()).collect();
            let values: Vec<&str> = values.into_iter().collect();
            told[*name] = if values.is_empty() { Value::Null } else { values.join(", ").into() };
        }
        Ok(told)
    }

    /// Asks for a text without writing it down.
    pub async fn ask_text(&self, path: &str) -> Result<String> {
        Ok(self.client.send("GET", &self.fill(path), &[], "").await?.text())
    }

    /// The status that another user is answered.
    pub async fn status_as(&self, user: &str, path: &str) -> Result<u16> {
        let client = self.others.get(user).with_context(|| format!("there is no user {user}"))?;
        Ok(client.send("GET", &self.fill(path), &[], "").await?.status)
    }

    /// Sends without writing anything down: for answers that quote too much to be compared.
    pub async fn send_unrecorded(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer> {
        let response = self.client.send(method, &self.fill(path), headers, body).await?;
        Ok(Answer { status: response.status, body: serde_json::from_slice(&response.body).unwrap_or_default() })
    }

    /// Writes down a fact that the case worked out, to be compared as an answer is.
    pub fn note(&mut self, what: &str, value: impl Into<Value>) {
        let body = value.into().to_string().into();
        self.steps.push(Step { label: what.to_owned(), status: 0, headers: Vec::new(), body });
    }

    /// A server that resets the stream gives an answer, too, though not a good one.
    fn broken(&mut self, label: String) -> Answer {
        let label = self.said.take().map_or(label.clone(), |said| format!("{}: {label}", said.escape_debug()));
        self.steps.push(Step { label, status: 0, headers: Vec::new(), body: "the stream was reset".into() });
        Answer { status: 0, body: Value::Null }
    }

    fn record(&mut self, label: String, response: Response) -> Answer {
        let answer =
            Answer { status: response.status, body: serde_json::from_slice(&response.body).unwrap_or_default() };
        let headers = flatten(&response.headers);
        let label = self.said.take().map_or(label.clone(), |said| format!("{}: {label}", said.escape_debug()));
        self.steps.push(Step { label, status: response.status, headers, body: response.body });
        answer
    }

    fn fill(&self, path: &str) -> String {
        let gv = format!("/apis/{}/{}", self.group, self.subject.version);
        let all = format!("{gv}/{}", self.subject.plural);
        let collection = match self.subject.namespaced {
            true => format!("{gv}/namespaces/{}/{}", self.namespace, self.subject.plural),
            false => all.clone(),
        };
        let filled = path
            .replace("{r}", &collection)
            .replace("{all}", &all)
            .replace("{gv}", &gv)
            .replace("{g}", &self.group)
            .replace("{ns}", &self.namespace);
        self.variables.iter().fold(filled, |path, (name, value)| path.replace(&format!("{{{name}}}"), value))
    }
}

// === impl Answer ===

impl Answer {
    /// A text in the body, by pointer.
    pub fn text(&self, pointer: &str) -> Result<String> {
        let value = self.body.pointer(pointer).and_then(Value::as_str);
        Ok(value.with_context(|| format!("{pointer} is missing in {}: {}", self.status, self.body))?.to_owned())
    }

    /// The object's revision.
    pub fn revision(&self) -> Result<String> {
        self.text("/metadata/resourceVersion")
    }

    /// The object's uid.
    pub fn uid(&self) -> Result<String> {
        self.text("/metadata/uid")
    }

    /// The body, if the request succeeded: for steps without which the case has no sense.
    pub fn ok(self) -> Result<Value> {
        ensure!((200..300).contains(&self.status), "answered {}: {}", self.status, self.body);
        Ok(self.body)
    }
}

/// A watch that is being read.
#[derive(Debug)]
pub struct Watch {
    label: String,
    lines: Lines,
    seen: Vec<String>,
}

// === impl Watch ===

impl Watch {
    /// Waits until `count` events came in all.
    pub async fn until(&mut self, count: usize) -> Result<()> {
        while self.seen.len() < count {
            match self.lines.next(Duration::from_secs(30)).await? {
                Some(line) => self.seen.push(line),
                None => break,
            }
        }
        Ok(())
    }
}

/// RFC 7386, on our own values.
pub fn merge(into: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    let Some(object) = into.as_object_mut() else { return };
    for (key, value) in patch {
        if value.is_null() {
            object.remove(key);
        } else {
            merge(object.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// A step's name: method, path, and the headers that set it apart.
fn label(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let telling = headers.iter().filter(|(_, value)| *value != "application/json");
    telling.fold(format!("{method} {path}"), |label, (name, value)| format!("{label} {name}={value}"))
}

fn flatten(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}
