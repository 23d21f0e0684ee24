//! Spans: alone in this process, because what a span costs when nobody looks is decided once per process.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::StreamExt;
use proto::store::{At, Content, Key, Labels, ListOptions, Op, Store, Value, Write};
use runtime::Context;
use storage::{Config, Database};
use tracing::{Subscriber, span};
use tracing_subscriber::{Layer, layer, layer::SubscriberExt, registry::LookupSpan};

fn key(name: &str) -> Key {
    Key { group: "g".into(), resource: "widgets".into(), namespace: "n".into(), name: name.into() }
}

fn creation(name: &str) -> Write {
    let value = Value { json: Bytes::from_static(b"{}"), splice: 1, schema: "s".into() };
    let content = Content { uid: "u".into(), labels: Labels::new(), fields: Labels::new(), value };
    Write { key: key(name), op: Op::Create(content) }
}

/// Each span that is opened, as `name in parent`.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, _: &span::Attributes<'_>, id: &span::Id, context: layer::Context<'_, S>) {
        let span = context.span(id).expect("it is new");
        let parent = span.parent().map_or("nothing", |parent| parent.name());
        self.0.lock().expect("nobody panics").push(format!("{} in {parent}", span.name()));
    }
}

#[tokio::test]
async fn what_is_asked_is_one_trace_down_to_the_engine() {
    let spans = Spans::default();
    let _default = tracing::subscriber::set_default(tracing_subscriber::registry().with(spans.clone()));
    let folder = tempfile::tempdir().expect("a folder");
    let database = Database::Sqlite(folder.path().join("x.db"));
    let store = storage::open(&database, &Config::default(), &Context::new()).await.expect("it can be opened");
    store.write(creation("a")).await.expect("it works");
    store.get(&key("b"), At::Latest).await.expect("it works");
    let list = store.list(&key("a").scope(), ListOptions::default()).await.expect("it works");
    list.chunks.collect::<Vec<_>>().await;
    let spans = spans.0.lock().expect("nobody panics");
    for expected in [
        "store.write in nothing",
        "engine.append in store.write",
        "engine.get in store.get",
        "engine.page in store.list",
    ] {
        assert!(spans.iter().any(|span| span == expected), "{expected} is not in {spans:?}");
    }
}
