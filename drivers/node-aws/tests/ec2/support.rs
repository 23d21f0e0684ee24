//! A strict EC2 with one instance that runs, and a driver that is configured for it.

use fakes::{Driver, Fake};
use kit::Pair;
use proto::node::{Node, Step, Take, client::Client};
use runtime::grpc::Channel;
use serde_json::json;

pub(crate) const INSTANCE: &str = "i-0123456789abcdef0";
pub(crate) const KEY: &str = "AKIACANARYKEY0000001";
pub(crate) const SECRET: &str = "canary/secret+0000000000000000000000001";

/// Both ends.
pub(crate) struct Site {
    pub(crate) ec2: Fake,
    pub(crate) driver: Driver,
    pub(crate) power: Client<Channel>,
}

impl Site {
    pub(crate) fn new(flags: &[&str]) -> Self {
        let ec2 = ec2();
        ec2.tell("key", json!({"id": KEY, "secret": SECRET})).unwrap();
        Self::with(ec2, flags, &[("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", SECRET)])
    }

    /// A driver with these variables, and none of the machine's own for AWS.
    pub(crate) fn with(ec2: Fake, flags: &[&str], env: &[(&str, &str)]) -> Self {
        let url = format!("http://127.0.0.1:{}", ec2.port());
        Self::at(&url, ec2, flags, env)
    }

    pub(crate) fn at(url: &str, ec2: Fake, flags: &[&str], env: &[(&str, &str)]) -> Self {
        let flags = [&["--call-timeout", "5s"], flags].concat();
        let driver = drive(&flags, &[&[("AWS_ENDPOINT_URL_EC2", url)], env].concat());
        let power = driver.client().unwrap();
        Self { ec2, driver, power }
    }
}

pub(crate) fn ec2() -> Fake {
    ec2_with(None)
}

pub(crate) fn ec2_with(tls: Option<&Pair>) -> Fake {
    let ec2 = Fake::start("ec2", tls, &[]).unwrap();
    ec2.tell("instance", json!({"id": INSTANCE, "region": "eu-west-1", "address": "10.0.0.7"})).unwrap();
    ec2
}

pub(crate) fn drive(flags: &[&str], env: &[(&str, &str)]) -> Driver {
    let alone = [
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    Driver::start(env!("CARGO_BIN_EXE_outrigger-node-aws"), flags, &[&alone, env].concat()).unwrap()
}

pub(crate) fn node(provider_id: &str) -> Node {
    Node { name: "worker-1".to_owned(), provider_id: provider_id.to_owned(), ..Node::default() }
}

/// The node of [`INSTANCE`].
pub(crate) fn worker() -> Node {
    node(&format!("aws:///eu-west-1a/{INSTANCE}"))
}

pub(crate) fn take(node: Node, step: Step) -> Take {
    Take { node, step, token: "token".to_owned(), reason: "a test".to_owned() }
}
