//! Records in a folder of their own, and those who use them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use api_testing::{Everybody, Server};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use hyperfleet_records::{
    Database, Json, Key as RecordKey, Kind, New, Options, Patch, Records, Report, ReportedCondition, Resource,
};
use hyperfleet_view::{GROUP, Judge, View, extensions};
use proto::store::{Batch, Entry, Error, Event, Key, ListOptions, Result, Revision, Scope, Store, WatchOptions};
use serde_json::{Map, Value, json, value::to_raw_value};
use tempfile::TempDir;
use tokio::time::timeout;

/// What must happen happens within this time.
const SOON: Duration = Duration::from_secs(20);

/// Records, and the view of them.
pub(crate) struct World {
    pub records: Records,
    pub view: View,
    _context: runtime::Context,
    _folder: TempDir,
}

pub(crate) type Watch = BoxStream<'static, Result<Batch>>;

// === impl World ===

impl World {
    pub(crate) async fn new() -> Self {
        Self::requiring(&[]).await
    }

    /// Records that are ready when these adapters say so.
    pub(crate) async fn requiring(adapters: &[&str]) -> Self {
        let adapters: Vec<String> = adapters.iter().map(|adapter| (*adapter).to_owned()).collect();
        Self::with(Options { cluster_adapters: adapters.clone(), nodepool_adapters: adapters, ..Options::default() })
            .await
    }

    /// Records that forget their history soon.
    pub(crate) async fn forgetful() -> Self {
        Self::with(Options { retention: Some(Duration::from_secs(2)), ..Options::default() }).await
    }

    async fn with(options: Options) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = crate::database(folder.path());
        Self::over(database, folder, options).await
    }

    pub(crate) async fn over(database: Database, folder: TempDir, options: Options) -> Self {
        Records::migrate(&database).await.expect("tables");
        let context = runtime::Context::new();
        let records = Records::open(&database, options, &context).await.expect("records");
        Self { view: View::new(records.clone(), judge()), records, _context: context, _folder: folder }
    }

    /// An apiserver of both kinds.
    pub(crate) async fn server(&self) -> Server {
        Server::with(&extensions(&self.records, judge()), Arc::new(Everybody)).await
    }

    /// A cluster, as a REST client makes it.
    pub(crate) async fn cluster(&self, name: &str) -> Resource {
        self.labelled(name, &[]).await
    }

    pub(crate) async fn labelled(&self, name: &str, labels: &[(&str, &str)]) -> Resource {
        let new = New { labels: pairs(labels), ..new(Kind::Cluster, None, name) };
        self.records.create(new).await.expect("a cluster")
    }

    /// A nodepool, as a REST client makes it.
    pub(crate) async fn nodepool(&self, cluster: &Resource, name: &str) -> Resource {
        self.records.create(new(Kind::NodePool, Some(cluster.id.clone()), name)).await.expect("a nodepool")
    }

    /// Another spec, as a REST client gives it.
    pub(crate) async fn patch(&self, resource: &Resource, spec: Value) -> Resource {
        let patch = Patch { spec: Some(raw(&spec)), ..Patch::default() };
        self.records.patch(&key_of(resource), patch, "rest").await.expect("a patch")
    }

    /// An adapter's report of the present generation.
    pub(crate) async fn report(&self, resource: &Resource, adapter: &str, conditions: &[(&str, &str)]) {
        let now = self.records.get(&key_of(resource)).await.expect("a record");
        let report = Report {
            adapter: adapter.to_owned(),
            observed_generation: now.generation,
            observed_time: None,
            conditions: conditions.iter().map(|(kind, status)| condition(kind, status)).collect(),
            data: Map::new(),
            metadata: None,
        };
        self.records.report(&key_of(resource), report).await.expect("a report");
    }

    /// Waits until what is below `revision` is forgotten.
    pub(crate) async fn forgotten(&self, revision: Revision) {
        let forgotten = async {
            while self.view.status().await.expect("a status").compacted < revision {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(SOON, forgotten).await.expect("history is forgotten soon");
    }

    pub(crate) async fn head(&self) -> Revision {
        self.view.status().await.expect("a status").revision
    }

    /// A whole list: its revision and its entries.
    pub(crate) async fn listed(&self, resource: &str, options: ListOptions) -> Result<(Revision, Vec<Entry>)> {
        let list = self.view.list(&scope(resource), options).await?;
        let chunks: Vec<_> = list.chunks.try_collect().await?;
        assert!(chunks.iter().all(|chunk| !chunk.is_empty()), "a chunk without entries");
        Ok((list.revision, chunks.concat()))
    }

    pub(crate) async fn names(&self, resource: &str, options: ListOptions) -> Vec<String> {
        let (_, entries) = self.listed(resource, options).await.expect("a list");
        entries.into_iter().map(|entry| entry.key.name).collect()
    }

    pub(crate) async fn watched(&self, resource: &str, after: Revision) -> Watch {
        self.view.watch(&scope(resource), WatchOptions { after }).await.expect("a watch")
    }
}

/// A region that there is not is wrong.
fn judge() -> Judge {
    Arc::new(|_, name, _, spec| match spec.get().contains("nowhere") {
        true => vec![format!("spec.region: {name} cannot be nowhere")],
        false => Vec::new(),
    })
}

/// The next batch, which comes soon.
pub(crate) async fn next(watch: &mut Watch) -> Batch {
    timeout(SOON, watch.next()).await.expect("a batch comes soon").expect("the watch goes on").expect("no error")
}

/// The events until the watch is complete up to `revision`.
pub(crate) async fn events_until(watch: &mut Watch, revision: Revision) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let batch = next(watch).await;
        assert!(batch.events.iter().all(|event| event.entry.revision <= batch.upto), "an event beyond its batch");
        events.extend(batch.events);
        if batch.upto >= revision {
            return events;
        }
    }
}

pub(crate) fn revisions(events: &[Event]) -> Vec<Revision> {
    events.iter().map(|event| event.entry.revision).collect()
}

pub(crate) fn refusal<T>(result: Result<T>) -> Error {
    result.map(|_| ()).expect_err("a refusal")
}

pub(crate) fn scope(resource: &str) -> Scope {
    Scope { group: GROUP.to_owned(), resource: resource.to_owned(), namespace: None }
}

pub(crate) fn cluster_key(name: &str) -> Key {
    Key { group: GROUP.to_owned(), resource: "clusters".to_owned(), namespace: String::new(), name: name.to_owned() }
}

pub(crate) fn key_of(resource: &Resource) -> RecordKey {
    RecordKey { kind: resource.kind, owner: None, id: resource.id.clone() }
}

/// The object in an entry.
pub(crate) fn object(entry: &Entry) -> Value {
    let value = &entry.content.value;
    let json = machinery::json::with_revision(&value.json, value.splice, entry.revision);
    serde_json::from_slice(&json).expect("JSON")
}

fn new(kind: Kind, owner: Option<String>, name: &str) -> New {
    let spec = raw(&json!({ "region": "us-east1" }));
    New { kind, owner, name: name.to_owned(), spec, labels: BTreeMap::new(), by: "rest".to_owned() }
}

pub(crate) fn raw(value: &Value) -> Json {
    to_raw_value(value).expect("JSON")
}

pub(crate) fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn condition(kind: &str, status: &str) -> ReportedCondition {
    ReportedCondition {
        last_transition_time: None,
        message: None,
        reason: None,
        status: status.to_owned(),
        r#type: kind.to_owned(),
        others: Map::new(),
    }
}
