//! Writing: creates, updates with the resource version that was read, merge patches of the status, and server-side applies.
//!
//! Every worker has objects of its own, so that no write conflicts: what contention costs is not asked here.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::client::{Call, Client};
use crate::load::{Work, Worker};
use crate::measure::Run;
use crate::measure::seed::{resource_version, seed};
use crate::object::{deployment_id, encode, object};
use crate::outcome::Outcome;
use crate::template::Template;

/// Objects that a worker writes in turn.
const OBJECTS: usize = 4;

/// Marks in templates; no object holds them.
const NAME: &str = "<name-of-the-object>";
const VERSION: &str = "<resource-version>";
const DEPLOYMENT: &str = "<deployment-id>";

/// Creates objects of new names, without end or up to a number.
pub(crate) struct Creates {
    path: String,
    body: Template,
    prefix: String,
    next: usize,
    end: usize,
}

struct Updates {
    objects: Vec<Updated>,
    writes: u64,
}

struct Updated {
    path: String,
    body: Template,
    resource_version: String,
}

struct Applies {
    objects: Vec<(String, Template)>,
    writes: u64,
}

struct Patches {
    paths: Vec<String>,
    writes: u64,
}

/// Creates a second.
pub(crate) async fn create(run: &Run<'_>, clients: usize) -> Result<Outcome> {
    let prefix = run.prefix("create", clients);
    let namespace = run.namespace();
    let clients = run.connector.clients(clients, run.settings.per_connection).await?;
    let creates = |i| Creates::new(run, &namespace, &format!("{prefix}-{i}"), i, usize::MAX);
    let workers = (0..).zip(clients).map(|(i, client)| (client, creates(i))).collect();
    Ok(run.measure(workers).await)
}

/// Updates a second.
pub(crate) async fn update(run: &Run<'_>, clients: usize) -> Result<Outcome> {
    let prefix = run.prefix("update", clients);
    let mut workers: Vec<Worker<Updates>> = Vec::new();
    for (i, client) in run.connector.clients(clients, run.settings.per_connection).await?.into_iter().enumerate() {
        let (paths, bodies) = own(run, &client, &prefix, i).await?;
        let objects = paths.into_iter().zip(&bodies).map(|(path, body)| Updated::new(path, body));
        let objects = objects.collect::<Result<_>>()?;
        workers.push((client, Updates { objects, writes: 0 }));
    }
    Ok(run.measure(workers).await)
}

/// Merge patches of the status a second.
pub(crate) async fn status(run: &Run<'_>, clients: usize) -> Result<Outcome> {
    let prefix = run.prefix("status", clients);
    let mut workers: Vec<Worker<Patches>> = Vec::new();
    for (i, client) in run.connector.clients(clients, run.settings.per_connection).await?.into_iter().enumerate() {
        let (paths, _) = own(run, &client, &prefix, i).await?;
        let paths = paths.iter().map(|path| format!("{path}/status")).collect();
        workers.push((client, Patches { paths, writes: 0 }));
    }
    Ok(run.measure(workers).await)
}

/// Server-side applies of whole objects a second: every one changes a field that the manager has.
pub(crate) async fn apply(run: &Run<'_>, clients: usize) -> Result<Outcome> {
    let prefix = run.prefix("apply", clients);
    let mut workers: Vec<Worker<Applies>> = Vec::new();
    for (i, client) in run.connector.clients(clients, run.settings.per_connection).await?.into_iter().enumerate() {
        let (paths, bodies) = own(run, &client, &prefix, i).await?;
        let configuration = |(path, body): (String, &Bytes)| Ok((path, configuration(body)?));
        let objects = paths.into_iter().zip(&bodies).map(configuration).collect::<Result<_>>()?;
        workers.push((client, Applies { objects, writes: 0 }));
    }
    Ok(run.measure(workers).await)
}

/// What a manager wants that wants all of an object but what the server and the status's writers have.
fn configuration(stored: &[u8]) -> Result<Template> {
    let mut object: Value = serde_json::from_slice(stored)?;
    object["metadata"] = json!({"name": object["metadata"]["name"], "labels": object["metadata"]["labels"]});
    object["spec"]["deploymentID"] = DEPLOYMENT.into();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    Ok(Template::new(&encode(&object), &[DEPLOYMENT]))
}

/// Creates the objects of one worker: their paths, and they as the server wrote them.
async fn own(run: &Run<'_>, client: &Client, prefix: &str, worker: usize) -> Result<(Vec<String>, Vec<Bytes>)> {
    let namespace = run.namespace();
    let names: Vec<String> = (0..OBJECTS).map(|i| format!("{prefix}-{worker}-{i}")).collect();
    let objects = seed(run, client, &namespace, &names).await.context("creating the objects to write")?;
    Ok((names.iter().map(|name| run.target.object(&namespace, name)).collect(), objects))
}

// === impl Creates ===

impl Creates {
    /// Names are `prefix` and a number below `end`.
    pub(crate) fn new(run: &Run<'_>, namespace: &str, prefix: &str, seed: u64, end: usize) -> Self {
        let name = format!("{prefix}-{:08}", 0);
        let mut object = object(run.target, namespace, &name, run.size, seed);
        object["metadata"]["name"] = NAME.into();
        let body = Template::new(&encode(&object), &[NAME]);
        Self { path: run.target.collection(Some(namespace)), body, prefix: prefix.to_owned(), next: 0, end }
    }
}

impl Work for Creates {
    fn next(&mut self) -> Option<Call> {
        (self.next < self.end).then(|| {
            let name = format!("{}-{:08}", self.prefix, self.next);
            self.next += 1;
            Call::json(Method::POST, self.path.clone(), self.body.fill(&[&name]))
        })
    }
}

// === impl Updates ===

impl Updated {
    fn new(path: String, body: &[u8]) -> Result<Self> {
        let mut object: Value = serde_json::from_slice(body)?;
        object["metadata"]["resourceVersion"] = VERSION.into();
        object["spec"]["deploymentID"] = DEPLOYMENT.into();
        let template = Template::new(&encode(&object), &[VERSION, DEPLOYMENT]);
        Ok(Self { path, body: template, resource_version: resource_version(body)? })
    }
}

impl Work for Updates {
    fn next(&mut self) -> Option<Call> {
        self.writes += 1;
        self.objects.rotate_left(1);
        let Updated { path, body, resource_version } = self.objects.first()?;
        let body = body.fill(&[resource_version, &deployment_id(self.writes)]);
        Some(Call::json(Method::PUT, path.clone(), body))
    }

    fn learn(&mut self, answer: &Bytes) -> Result<()> {
        if let Some(object) = self.objects.first_mut() {
            object.resource_version = resource_version(answer)?;
        }
        Ok(())
    }
}

// === impl Applies ===

impl Work for Applies {
    fn next(&mut self) -> Option<Call> {
        self.writes += 1;
        self.objects.rotate_left(1);
        let (path, body) = self.objects.first()?;
        Some(Call::apply(path, body.fill(&[&deployment_id(self.writes)])))
    }
}

// === impl Patches ===

impl Work for Patches {
    fn next(&mut self) -> Option<Call> {
        self.writes += 1;
        self.paths.rotate_left(1);
        let status = json!({
            "appliedDeploymentID": deployment_id(self.writes),
            "ready": self.writes.is_multiple_of(2),
            "nonModified": true,
            "display": {"deployed": "True", "monitored": "True", "state": "Ready"},
            "syncGeneration": self.writes,
        });
        Some(Call::merge_patch(self.paths.first()?.clone(), encode(&json!({"status": status}))))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const STORED: &[u8] = br#"{"metadata":{"name":"a","resourceVersion":"1"},"spec":{"deploymentID":"x"}}"#;

    fn parsed(call: &Call) -> Value {
        serde_json::from_slice(&call.body).unwrap()
    }

    #[test]
    fn an_update_carries_the_resource_version_of_the_last_answer_for_its_object() {
        let objects = ["/a", "/b"].map(|path| Updated::new(path.into(), STORED).unwrap());
        let mut updates = Updates { objects: objects.into(), writes: 0 };
        let first = updates.next().unwrap();
        assert_eq!((first.path.as_str(), &parsed(&first)["metadata"]["resourceVersion"]), ("/b", &json!("1")));
        updates.learn(&Bytes::from_static(br#"{"metadata":{"resourceVersion":"7"}}"#)).unwrap();
        let versions: Vec<Value> =
            (0..2).map(|_| parsed(&updates.next().unwrap())["metadata"]["resourceVersion"].clone()).collect();
        assert_eq!(versions, ["1", "7"]);
    }

    #[test]
    fn every_update_and_patch_changes_something() {
        let mut updates = Updates { objects: vec![Updated::new("/a".into(), STORED).unwrap()], writes: 0 };
        assert_ne!(updates.next().unwrap().body, updates.next().unwrap().body);
        let mut applies = Applies { objects: vec![("/a".into(), configuration(STORED).unwrap())], writes: 0 };
        assert_ne!(applies.next().unwrap().body, applies.next().unwrap().body);
        let mut patches = Patches { paths: vec!["/a/status".into()], writes: 0 };
        assert_ne!(patches.next().unwrap().body, patches.next().unwrap().body);
    }

    #[test]
    fn creates_end_where_they_are_told() {
        let body = Template::new(NAME.as_bytes(), &[NAME]);
        let mut creates = Creates { path: "/".into(), body, prefix: "p".into(), next: 0, end: 2 };
        let bodies: Vec<Bytes> = std::iter::from_fn(|| creates.next()).map(|call| call.body).collect();
        assert_eq!(bodies, ["p-00000000", "p-00000001"]);
    }
}
