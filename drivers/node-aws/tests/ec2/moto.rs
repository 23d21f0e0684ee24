//! Against moto, whose verification of signatures and policies is not ours.

use std::process::Command;

use fakes::Driver;
use futures::StreamExt;
use kit::{Process, Python, Scratch, eventually};
use proto::node::{Error, Mode, Node, NodePower, Progress, State, Step};
use serde_json::Value;

use crate::support::{drive, node, take};

/// A moto server and what is in it.
struct Moto {
    scratch: Scratch,
    _process: Process,
    url: String,
    there: Value,
}

impl Moto {
    /// Starts one, which believes everybody at first.
    fn start() -> Self {
        let (python, scratch) = (Python::find().unwrap(), Scratch::new("moto").unwrap());
        let [port] = kit::free_ports().unwrap();
        let args = ["-H", "127.0.0.1", "-p", &port.to_string()].map(str::to_owned);
        let process = Process::spawn("moto", &python.bin("moto_server"), &args, &scratch.file("log")).unwrap();
        eventually!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok(), "moto listens");
        let url = format!("http://127.0.0.1:{port}");
        let script = kit::examples::path("drivers/fakes/python/set_up_moto.py");
        let output = Command::new(python.python()).arg(script).arg(&url).output().unwrap();
        let there = serde_json::from_slice(&output.stdout);
        let there = there.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        Self { scratch, _process: process, url, there }
    }

    /// From now on it verifies signatures and policies.
    fn verify(&self) {
        let script = "import sys, urllib.request as u; \
            u.urlopen(u.Request(sys.argv[1] + '/moto-api/reset-auth', b'0', {'content-type': 'text/plain'}))";
        let status = Command::new(Python::find().unwrap().python()).args(["-c", script, &self.url]).status().unwrap();
        assert!(status.success());
    }

    fn text(&self, pointer: &str) -> &str {
        self.there.pointer(pointer).and_then(Value::as_str).unwrap()
    }

    /// A driver with the keys of a user.
    fn driver(&self, user: &str, secret: Option<&str>) -> Driver {
        let (id, key) = (self.text(&format!("/{user}/id")), self.text(&format!("/{user}/secret")));
        let env = [
            ("AWS_ENDPOINT_URL", self.url.as_str()),
            ("AWS_ACCESS_KEY_ID", id),
            ("AWS_SECRET_ACCESS_KEY", secret.unwrap_or(key)),
        ];
        drive(&[], &env)
    }

    fn here(&self) -> Node {
        node(&format!("aws:///eu-west-1b/{}", self.text("/here/id")))
    }
}

async fn reboots(power: &dyn NodePower, node: Node) {
    let first = power.take(take(node, Step::Reboot)).await.unwrap().next().await.unwrap();
    assert!(matches!(first, Ok(Progress::Accepted { request_id }) if !request_id.is_empty()));
}

#[tokio::test]
async fn signatures_and_policies_are_verified_by_somebody_else() {
    let moto = Moto::start();
    moto.verify();
    let driver = moto.driver("restarter", None);
    let power = driver.client().unwrap();
    let described = power.describe(&moto.here()).await.unwrap();
    assert_eq!((described.state, described.id.as_str()), (State::Running, moto.text("/here/id")));
    assert!(described.addresses.iter().any(|address| address == moto.text("/here/address")), "{described:?}");
    assert!(described.names.iter().any(|name| name == moto.text("/here/name")), "{described:?}");
    let plan = power.plan(&moto.here(), Mode::Soft).await.unwrap();
    assert!(plan.verdict.contains("would have succeeded"), "{}", plan.verdict);
    reboots(&power, moto.here()).await;

    // The other instance is found where its zone says, and nowhere else.
    let elsewhere = moto.text("/elsewhere/id");
    reboots(&power, node(&format!("aws:///us-east-1a/{elsewhere}"))).await;
    let heard = power.describe(&node(&format!("aws:///eu-west-1a/{elsewhere}"))).await;
    assert!(matches!(heard, Err(Error::NotFound(_))), "{heard:?}");

    for (who, driver) in [("reader", moto.driver("reader", None)), ("wrong", moto.driver("restarter", Some("wrong")))] {
        let power = driver.client().unwrap();
        assert_eq!(power.describe(&moto.here()).await.is_ok(), who == "reader");
        let plan = power.plan(&moto.here(), Mode::Soft).await;
        assert!(matches!(plan, Err(Error::Forbidden(_))), "{who}: {plan:?}");
        let heard = power.take(take(moto.here(), Step::Reboot)).await.map(|_| ());
        assert!(matches!(heard, Err(Error::Forbidden(_))), "{who}: {heard:?}");
    }
}

/// moto takes an unsigned call only while it believes everybody; the keys that STS gave are verified afterwards.
#[tokio::test]
async fn irsa() {
    let moto = Moto::start();
    let token = moto.scratch.write("token", "a service account's token").unwrap().display().to_string();
    let env = [
        ("AWS_ENDPOINT_URL", moto.url.as_str()),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", &*token),
        ("AWS_ROLE_ARN", moto.text("/role")),
        ("AWS_REGION", "eu-west-1"),
    ];
    let driver = drive(&[], &env);
    let power = driver.client().unwrap();
    power.describe(&moto.here()).await.unwrap();
    moto.verify();
    power.describe(&moto.here()).await.unwrap();
    reboots(&power, moto.here()).await;
}
