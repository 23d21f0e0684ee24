//! The shared suite on SQLite behind gRPC: the split deployment, on a loopback.

use std::{io, sync::Arc};

use async_trait::async_trait;
use engine_sqlite::{Options, Sqlite};
use proto::store::{
    At, Batch, Content, Entry, Error, Expect, Key, Labels, List, ListOptions, Op, Result, Revision, Scope, Status,
    Store, Value, WatchOptions, Write, Written, client::Client, suite::Subject,
};
use revlog::{Log, Metrics};
use runtime::Context;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Endpoint};

struct OverTheWire {
    client: Client<Channel>,
    log: Arc<Log<Sqlite>>,
    _folder: TempDir,
}

#[async_trait]
impl Subject for OverTheWire {
    fn store(&self) -> &dyn Store {
        &self.client
    }

    async fn compact(&self, upto: Revision) {
        self.log.compact(upto).await.expect("SQLite can be compacted");
    }
}

async fn open() -> OverTheWire {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let engine = Sqlite::open(Options::new(folder.path().join("x.db"))).await.expect("it can be made");
    let (log, work) = Log::open(engine, revlog::Options::default(), Metrics::default()).await.expect("it can be read");
    let context = Context::new();
    context.tasks.spawn("log", work);
    OverTheWire { client: Client::new(served(log.clone(), context).await), log, _folder: folder }
}

/// A channel to `store`, served on a loopback.
async fn served(store: Arc<dyn Store>, context: Context) -> Channel {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
    let address = listener.local_addr().expect("it is bound");
    let tasks = context.tasks.clone();
    tasks.spawn("server", async move { storage::serve(store, TcpListenerStream::new(listener), &context).await });
    Endpoint::try_from(format!("http://{address}")).expect("an address").connect_lazy()
}

proto::store_suite!(open());

/// A store that refuses everything, always with the same error.
struct Refusing(Error);

#[async_trait]
impl Store for Refusing {
    async fn get(&self, _: &Key, _: At) -> Result<Option<Entry>> {
        Err(self.0.clone())
    }

    async fn list(&self, _: &Scope, _: ListOptions) -> Result<List> {
        // As a list that compaction overtakes: it begins well.
        let chunks = Box::pin(futures::stream::iter([Err(self.0.clone())]));
        Ok(List { revision: 1, count: None, chunks })
    }

    async fn watch(&self, _: &Scope, _: WatchOptions) -> Result<futures::stream::BoxStream<'static, Result<Batch>>> {
        Err(self.0.clone())
    }

    async fn write(&self, _: Write) -> Result<Written> {
        Err(self.0.clone())
    }

    async fn status(&self) -> Result<Status> {
        Err(self.0.clone())
    }
}

#[tokio::test]
async fn every_error_crosses_the_wire_with_all_its_fields() {
    let key = Key { group: "g".into(), resource: "r".into(), namespace: "ns".into(), name: "ü".into() };
    let expected = Expect { revision: Some(7), uid: Some("u".into()) };
    let reason = || "because".to_owned();
    for error in [
        Error::NotFound { key: key.clone() },
        Error::AlreadyExists { key: key.clone(), revision: 9 },
        Error::Conflict { key: key.clone(), expected, uid: "v".into(), revision: 9 },
        Error::Conflict { key: key.clone(), expected: Expect::default(), uid: String::new(), revision: u64::MAX },
        Error::Compacted { requested: 1, oldest: 2 },
        Error::Future { requested: 3, current: 2 },
        Error::Invalid { reason: reason() },
        Error::OutOfSpace { reason: reason() },
        Error::Unavailable { reason: reason() },
        Error::Internal { reason: reason() },
    ] {
        let client = Client::new(served(Arc::new(Refusing(error.clone())), Context::new()).await);
        let write = Write { key: key.clone(), op: Op::Delete(Expect::default()) };
        assert_eq!(client.get(&key, At::Latest).await, Err(error.clone()));
        assert_eq!(client.write(write).await, Err(error.clone()));
        assert_eq!(client.status().await, Err(error.clone()));
        assert_eq!(client.watch(&key.scope(), WatchOptions::default()).await.err(), Some(error.clone()));
        let list = client.list(&key.scope(), ListOptions::default()).await.expect("it begins well");
        let chunks: Vec<_> = futures::StreamExt::collect(list.chunks).await;
        assert_eq!(chunks, [Err(error)]);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
    let address = listener.local_addr().expect("it is bound");
    drop(listener);
    let client = Client::new(Endpoint::try_from(format!("http://{address}")).expect("an address").connect_lazy());
    assert!(matches!(client.status().await, Err(Error::Unavailable { .. })));
}

#[tokio::test]
async fn a_server_that_goes_away_makes_a_watch_unavailable_or_ends_it() -> io::Result<()> {
    let subject = open().await;
    let scope = Scope { group: "g".into(), resource: "r".into(), namespace: None };
    let mut watch = subject.client.watch(&scope, WatchOptions::default()).await.expect("it can be watched");
    futures::StreamExt::next(&mut watch).await.expect("the first batch").expect("without an error");
    subject.log.end_watches();
    assert!(futures::StreamExt::next(&mut watch).await.is_none(), "the log ended its watches");
    Ok(())
}

#[tokio::test]
async fn an_object_over_the_message_limit_is_invalid_and_not_a_broken_connection() {
    let subject = open().await;
    let key = Key { group: "g".into(), resource: "r".into(), namespace: "n".into(), name: "n".into() };
    let value = Value { json: vec![b' '; 17 << 20].into(), splice: 0, schema: String::new() };
    let content = Content { uid: "u".into(), labels: Labels::new(), fields: Labels::new(), value };
    let refused = subject.client.write(Write { key: key.clone(), op: Op::Create(content) }).await;
    assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
    assert_eq!(subject.client.get(&key, At::Latest).await, Ok(None));
}
