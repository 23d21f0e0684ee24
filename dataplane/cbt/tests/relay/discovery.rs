//! Drivers that objects in a store tell of.

use std::sync::Arc;

use bytes::Bytes;
use cbt::{Drivers, Relay};
use proto::{
    cbt::{Error, suite::Synthetic},
    store::{Content, Expect, Key, Labels, Op, Store, Value, Write},
};
use revlog::{Log, Memory, Metrics, Options};
use runtime::{Context, args::PeerTlsArgs};

use super::{DRIVER, Names, PATIENCE, allocated, collected};

async fn store(context: &Context) -> Arc<dyn Store> {
    let (log, work) = Log::open(Memory::default(), Options::default(), Metrics::default()).await.expect("a log");
    context.tasks.spawn("log", work);
    log
}

fn key(name: &str) -> Key {
    Key {
        group: "cbt.storage.k8s.io".into(),
        resource: "driverdiscoveries".into(),
        namespace: String::new(),
        name: name.into(),
    }
}

fn object(spec: &str) -> Content {
    let json = Bytes::from(format!(r#"{{"metadata":{{"uid":"u"}},"spec":{spec}}}"#));
    let value = Value { json, splice: 13, schema: "v1alpha1/x".into() };
    Content { uid: "u".into(), labels: Labels::new(), fields: Labels::new(), value }
}

async fn write(store: &dyn Store, name: &str, op: Op) {
    store.write(Write { key: key(name), op }).await.expect("it is written");
}

/// What the relay says of its driver now.
async fn says(relay: &Relay) -> String {
    match collected(relay, allocated()).await.1 {
        Err(Error::Unavailable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drivers_come_and_go_with_their_objects() {
    let context = Context::new();
    let store = store(&context).await;
    write(&*store, "other", Op::Create(object("7"))).await;
    let drivers = Drivers::default();
    drivers.discover(Arc::clone(&store), &PeerTlsArgs::default(), &context.tasks);
    let relay = Relay::new(Arc::new(Names), drivers, PATIENCE, &Default::default());
    assert!(says(&relay).await.contains("nobody said"));

    // The object's name is the driver's, unless it says so.
    write(&*store, DRIVER, Op::Create(object(r#"{"service":{"name":"a","namespace":"b","port":0}}"#))).await;
    kit::eventually!(says(&relay).await.contains("spec.service.port"), "a service without a port is of no use");

    let service = r#"{"service":{"name":"a","namespace":"b","port":443}}"#;
    write(&*store, DRIVER, Op::Update(object(service), Expect::default())).await;
    kit::eventually!(says(&relay).await.contains("--peer-cert-file"), "a service wants to see a certificate");

    write(&*store, DRIVER, Op::Delete(Expect::default())).await;
    kit::eventually!(says(&relay).await.contains("nobody said"), "the driver is gone with its object");

    let named = format!(r#"{{"driverName":"{DRIVER}","service":{{"name":"a b"}}}}"#);
    write(&*store, "whatever", Op::Create(object(&named))).await;
    kit::eventually!(says(&relay).await.contains("spec.service.name"), "an object may say another name");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_that_was_given_needs_no_object() {
    let context = Context::new();
    let store = store(&context).await;
    write(&*store, DRIVER, Op::Create(object("{}"))).await;
    let drivers = Drivers::default().with(DRIVER, Arc::new(Synthetic::full(3, 4096)));
    drivers.discover(store, &PeerTlsArgs::default(), &context.tasks);
    let relay = Relay::new(Arc::new(Names), drivers, PATIENCE, &Default::default());
    let (came, end) = collected(&relay, allocated()).await;
    assert_eq!((came[0].len(), end), (3, Ok(())));
}
