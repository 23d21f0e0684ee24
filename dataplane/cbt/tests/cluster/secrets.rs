//! Secrets reach the driver, and nobody else.

use std::{
    collections::BTreeMap,
    io::Write,
    sync::{Arc, Mutex},
};

use futures::stream::BoxStream;
use proto::cbt::{self, ChangedBlocks, Data, Error, Info, Query, Read, suite::Synthetic};
use serde_json::json;
use tonic::Code;

use super::{
    objects::{Snapshot, create, namespace},
    serving::{Relay, query, refusal, volume},
};

const CANARY: &str = "canary-in-a-secret";

/// A driver that keeps what it was told.
struct Listening {
    volume: Synthetic,
    told: Arc<Mutex<Vec<BTreeMap<String, String>>>>,
}

#[async_trait::async_trait]
impl ChangedBlocks for Listening {
    async fn info(&self) -> cbt::Result<Info> {
        self.volume.info().await
    }

    async fn blocks(&self, query: Query) -> cbt::Result<BoxStream<'static, cbt::Result<cbt::Blocks>>> {
        self.told.lock().expect("nobody panics with it").push(query.secrets.clone());
        if query.start == 1 {
            return Err(Error::Internal("on purpose".to_owned()));
        }
        ChangedBlocks::blocks(&self.volume, query).await
    }

    async fn read(&self, read: Read) -> cbt::Result<BoxStream<'static, cbt::Result<Data>>> {
        self.told.lock().expect("nobody panics with it").push(read.secrets.clone());
        self.volume.read(read).await
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panics with it").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn class(name: &str, secret: &str) -> serde_json::Value {
    json!({
        "apiVersion": "snapshot.storage.k8s.io/v1",
        "kind": "VolumeSnapshotClass",
        "metadata": {"name": name},
        "driver": super::objects::DRIVER,
        "deletionPolicy": "Delete",
        "parameters": {
            "csi.storage.k8s.io/snapshotter-secret-name": secret,
            "csi.storage.k8s.io/snapshotter-secret-namespace": "${volumesnapshot.namespace}",
        },
    })
}

#[tokio::test]
async fn secrets_of_the_class_reach_the_driver_and_no_log() {
    let ns = "secrets";
    let cluster = namespace(ns).await;
    let admin = cluster.admin();
    let classes = "/apis/snapshot.storage.k8s.io/v1/volumesnapshotclasses";
    create(&admin, classes, &class("with-secret", "keys")).await;
    create(&admin, classes, &class("without-its-secret", "lost")).await;
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"key": CANARY},
    });
    create(&admin, &format!("/api/v1/namespaces/{ns}/secrets"), &secret).await;
    Snapshot { class: "with-secret", ..Snapshot::new(ns, "new", "target") }.make(&admin).await;
    Snapshot { class: "without-its-secret", ..Snapshot::new(ns, "lost", "lost") }.make(&admin).await;

    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone());
    let _installed = tracing::subscriber::set_default(subscriber.finish());

    let told = Arc::<Mutex<Vec<_>>>::default();
    let relay = Relay::start(cluster, Arc::new(Listening { volume: volume(3), told: Arc::clone(&told) })).await;
    let mut backup = relay.backup(cluster, ns).await;
    assert_eq!(backup.allocated("new", 0, 0).await.ranges().len(), 3);
    assert_eq!(backup.allocated("new", 1, 0).await.code(), Code::Internal);
    let read =
        Read { target: query(ns, "new", None).target, tokens: vec!["none".into()], secrets: BTreeMap::default() };
    assert!(matches!(relay.blocks().read(read).await.err(), Some(Error::Invalid(_))));
    let expected = BTreeMap::from([("key".to_owned(), CANARY.to_owned())]);
    assert_eq!(*told.lock().expect("nobody panics with it"), [expected.clone(), expected.clone(), expected]);

    let refused = refusal(&relay, query(ns, "lost", None)).await;
    assert!(matches!(&refused, Error::NotReady(why) if why.contains("Secret secrets/lost")), "{refused:?}");

    let log = String::from_utf8(log.0.lock().expect("nobody panics with it").clone()).expect("text");
    assert!(log.contains("cbt.blocks") || log.contains("cbt.metadata"), "it is logged at all");
    for secret in [CANARY, &backup.token, "Y2FuYXJ5"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    let metrics = relay.context.metrics.encode();
    assert!(metrics.contains(r#"outrigger_cbt_entries_total{driver="synthetic.example.com"} 3"#), "{metrics}");
    assert!(metrics.contains(r#"outrigger_cbt_streams_open{driver="synthetic.example.com"} 0"#), "{metrics}");
    assert!(metrics.contains(r#"reason="internal""#) && !metrics.contains("target") && !metrics.contains(ns));
}
