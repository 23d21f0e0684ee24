//! A strict Tencent Cloud with one instance that runs, and a driver that is configured for it.

use fakes::{Driver, Fake};
use kit::{Authority, Scratch};
use proto::node::{Node, Step, Take, client::Client};
use runtime::grpc::Channel;
use serde_json::json;

pub(crate) const INSTANCE: &str = "ins-3ven36lk";
pub(crate) const KEY: &str = "AKIDCANARY0000000001";
pub(crate) const SECRET: &str = "canary-secret-0000000000000000001";

/// The simulated cloud and what it shows: both endpoints are one.
pub(crate) struct Cloud {
    pub(crate) fake: Fake,
    pub(crate) scratch: Scratch,
}

/// Both ends.
pub(crate) struct Site {
    pub(crate) cloud: Cloud,
    pub(crate) driver: Driver,
    pub(crate) power: Client<Channel>,
}

impl Cloud {
    pub(crate) fn new() -> Self {
        let authority = Authority::new("Tencent Cloud").unwrap();
        let fake = Fake::start("cvm", Some(&authority.server(&["127.0.0.1"]).unwrap()), &[]).unwrap();
        fake.tell("instance", json!({"id": INSTANCE, "address": "10.0.0.7", "name": "worker-1"})).unwrap();
        let scratch = Scratch::new("tencent").unwrap();
        scratch.write("ca.crt", authority.cert()).unwrap();
        Self { fake, scratch }
    }

    /// A driver with these flags and variables besides those that say where the cloud is.
    pub(crate) fn drive(&self, flags: &[&str], env: &[(&str, &str)]) -> Driver {
        let endpoint = format!("https://127.0.0.1:{}", self.fake.port());
        let ca = self.scratch.file("ca.crt").display().to_string();
        let place = ["--tencent-endpoint", &endpoint, "--tencent-sts-endpoint", &endpoint, "--tencent-ca-file", &ca];
        let flags = [&place[..], &["--call-timeout", "5s"], flags].concat();
        Driver::start(env!("CARGO_BIN_EXE_outrigger-node-tencent"), &flags, env).unwrap()
    }
}

impl Site {
    pub(crate) fn new(flags: &[&str]) -> Self {
        let cloud = Cloud::new();
        cloud.fake.tell("key", json!({"id": KEY, "secret": SECRET})).unwrap();
        Self::with(cloud, flags, &[("TENCENTCLOUD_SECRET_ID", KEY), ("TENCENTCLOUD_SECRET_KEY", SECRET)])
    }

    pub(crate) fn with(cloud: Cloud, flags: &[&str], env: &[(&str, &str)]) -> Self {
        let driver = cloud.drive(flags, env);
        let power = driver.client().unwrap();
        Self { cloud, driver, power }
    }
}

pub(crate) fn node(provider_id: &str) -> Node {
    Node { name: "worker-1".to_owned(), provider_id: provider_id.to_owned(), ..Node::default() }
}

/// The node of [`INSTANCE`], as TKE writes it.
pub(crate) fn worker() -> Node {
    node(&format!("qcloud:///800006/{INSTANCE}"))
}

pub(crate) fn take(node: Node, step: Step) -> Take {
    Take { node, step, token: "token".to_owned(), reason: "a test".to_owned() }
}
