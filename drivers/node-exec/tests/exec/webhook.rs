//! A webhook.

use async_trait::async_trait;
use fakes::{Driver, Fake};
use kit::{Authority, Scratch};
use proto::node::{
    Error, Node, NodePower, State,
    client::Client,
    suite::{Calls, Fault, Subject},
};
use runtime::grpc::Channel;
use serde_json::json;

use crate::support::{drive, path, state_name, take, worker};

const TOKEN: &str = "canary-bearer-token";
const PATH: &str = "/hooks/canary-path-token";

struct Site {
    hook: Fake,
    scratch: Scratch,
    driver: Driver,
    power: Client<Channel>,
}

impl Site {
    fn new() -> Self {
        let (authority, scratch) = (Authority::new("webhooks").unwrap(), Scratch::new("webhook").unwrap());
        let certificate = authority.server(&["127.0.0.1"]).unwrap();
        let hook = Fake::start("hook", Some(&certificate), &["--token", TOKEN, "--path", PATH]).unwrap();
        scratch.write("ca.crt", authority.cert()).unwrap();
        scratch.write("token", format!("{TOKEN}\n")).unwrap();
        let url = format!("https://127.0.0.1:{}{PATH}", hook.port());
        let (ca, token) = (path(&scratch, "ca.crt"), path(&scratch, "token"));
        let driver = drive(&["--webhook", &url, "--webhook-ca-file", &ca, "--webhook-token-file", &token]);
        let power = driver.client().unwrap();
        Self { hook, scratch, driver, power }
    }
}

#[async_trait]
impl Subject for Site {
    fn power(&self) -> &dyn NodePower {
        &self.power
    }

    fn node(&self) -> Node {
        worker()
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN.to_owned(), PATH.to_owned()]
    }

    async fn calls(&self) -> Calls {
        self.hook.calls()
    }

    async fn set(&self, state: State) {
        self.hook.tell("state", json!({ "state": state_name(state) })).unwrap();
    }

    async fn fail(&self, fault: Option<Fault>) {
        self.hook.fail(fault);
    }
}

mod suite {
    use super::Site;

    proto::node_suite!(async { Site::new() });
}

#[tokio::test]
async fn statuses_and_refusals_are_told_apart() {
    let site = Site::new();
    let take = async |fault: &str| {
        site.hook.tell("fault", json!({ "kind": fault })).unwrap();
        site.power.take(take()).await.map(|_| ())
    };
    let heard = take("Throttled").await;
    assert!(matches!(&heard, Err(Error::Throttled { retry_after: 7, .. })), "{heard:?}");
    let heard = take("Explained").await;
    assert!(matches!(&heard, Err(Error::Conflict(why)) if why.contains("another restart")), "{heard:?}");
    let heard = take("Redirect").await;
    assert!(matches!(&heard, Err(Error::Invalid(why)) if why.contains("--webhook")), "{heard:?}");
    let heard = take("Nonsense").await;
    assert!(matches!(heard, Err(Error::Ambiguous(_))), "{heard:?}");
    assert_eq!(site.hook.calls(), Calls { received: 4, accepted: 1 });
}

#[tokio::test]
async fn the_token_is_read_anew_and_the_trace_goes_on() {
    let site = Site::new();
    drop(site.power.take(take()).await.unwrap());
    let headers = site.hook.tell("headers", json!({})).unwrap();
    assert!(headers["traceparent"].as_str().unwrap().starts_with("00-"), "{headers}");
    site.scratch.write("token", "canary-wrong").unwrap();
    let heard = site.power.describe(&worker()).await;
    assert!(matches!(heard, Err(Error::Forbidden(_))), "{heard:?}");
    let output = site.driver.output();
    assert!(!output.contains("canary"), "{output}");
}

#[test]
fn a_url_that_cannot_be_used_is_not_shown() {
    let flags = ["--webhook", "http://127.0.0.1/canary", "--listen", "unix:///nowhere"];
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_outrigger-node-exec")).args(flags).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("--webhook: it does not begin with https://"), "{said}");
    assert!(!said.contains("canary"), "{said}");
}
