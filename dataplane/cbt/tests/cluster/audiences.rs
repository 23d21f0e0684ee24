//! Where audiences come from: a flag, objects of the cluster, or where it has no such kind, objects of ours.

use std::sync::Arc;

use bytes::Bytes;
use kit::{Cluster, Options};
use proto::store::{Content, Key, Labels, Op, Store, Value, Write};
use revlog::{Log, Memory, Metrics};
use runtime::Context;
use tonic::Code;

use super::{
    objects::{self, AUDIENCE, DRIVER, Snapshot},
    serving::{Relay, volume},
};

async fn store(context: &Context) -> Arc<dyn Store> {
    let options = revlog::Options::default();
    let (log, work) = Log::open(Memory::default(), options, Metrics::default()).await.expect("a log");
    context.tasks.spawn("log", work);
    log
}

/// A SnapshotMetadataService of v1alpha1, as our apiserver stores it.
async fn stored(store: &dyn Store, driver: &str, audience: &str) {
    let json =
        format!(r#"{{"metadata":{{"uid":"u"}},"spec":{{"audience":"{audience}","address":"a:1","caCert":""}}}}"#);
    let value = Value { json: Bytes::from(json), splice: 13, schema: "v1alpha1/x".into() };
    let content = Content { uid: "u".into(), labels: Labels::new(), fields: Labels::new(), value };
    let key = Key {
        group: "cbt.storage.k8s.io".into(),
        resource: "snapshotmetadataservices".into(),
        namespace: String::new(),
        name: driver.into(),
    };
    store.write(Write { key, op: Op::Create(content) }).await.expect("it is written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_of_ours_count_until_the_cluster_has_its_own() {
    let ns = "default";
    let cluster = kit::block_on(async { Cluster::start(&Options::default()) }).expect("a cluster");
    let admin = cluster.admin();
    objects::install(&cluster).await;
    Snapshot::new(ns, "new", "target").make(&admin).await;
    let context = Context::new();
    let store = store(&context).await;
    let relay = Relay::with(&cluster, Arc::new(volume(3)), Some(Arc::clone(&store)), None).await;
    objects::account(&admin, ns, "backup").await;
    objects::grant(&admin, ns, (ns, "backup")).await;
    let mut backup = relay.backup_with(ns, "any");
    kit::eventually!(
        {
            let refused = backup.allocated("new", 0, 0).await;
            refused.code() == Code::Unavailable && refused.why().contains("--cbt-audience")
        },
        "without an audience nobody is let in"
    );

    stored(&*store, DRIVER, "ours").await;
    let token = objects::token(&admin, ns, "backup", &["ours"]).await;
    let mut ours = relay.backup_with(ns, &token);
    kit::eventually!(ours.allocated("new", 0, 0).await.code() == Code::Ok, "an object of ours counts");

    objects::install_services(&cluster).await;
    objects::service(&admin, DRIVER, AUDIENCE).await;
    let token = objects::token(&admin, ns, "backup", &[AUDIENCE]).await;
    let mut theirs = relay.backup_with(ns, &token);
    kit::eventually!(theirs.allocated("new", 0, 0).await.code() == Code::Ok, "the cluster's object counts");
    assert_eq!(ours.allocated("new", 0, 0).await.code(), Code::Unauthenticated, "ours counts no more");

    let flag = Relay::with(&cluster, Arc::new(volume(3)), Some(store), Some("by-flag")).await;
    let token = objects::token(&admin, ns, "backup", &["by-flag"]).await;
    assert_eq!(flag.backup_with(ns, &token).allocated("new", 0, 0).await.code(), Code::Ok);
    let token = objects::token(&admin, ns, "backup", &[AUDIENCE]).await;
    assert_eq!(flag.backup_with(ns, &token).allocated("new", 0, 0).await.code(), Code::Unauthenticated);
}
