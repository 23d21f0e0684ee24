//! A program.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use async_trait::async_trait;
use fakes::Driver;
use kit::{Python, Scratch, eventually};
use proto::node::{
    Error, Instance, Mode, Node, NodePower, State,
    client::Client,
    suite::{Calls, Fault, Subject},
};
use runtime::grpc::Channel;
use serde_json::Value;

use crate::support::{ENVIRONMENT, drive, path, state_name, take, worker};

/// A driver, and the folder that its program reads its state and its faults from.
struct Site {
    scratch: Scratch,
    driver: Driver,
    power: Client<Channel>,
}

impl Site {
    fn new() -> Self {
        let scratch = Scratch::new("program").unwrap();
        let script = kit::examples::path("drivers/fakes/python/program.py");
        let python = Python::find().unwrap().python();
        let text = format!("#!/bin/sh\nexec {} {} {}\n", python.display(), script.display(), scratch.path().display());
        let program = scratch.write("program", text).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        scratch.write("state", "Running").unwrap();
        scratch.write("fault", "").unwrap();
        let driver = drive(&["--exec", &program.display().to_string()]);
        let power = driver.client().unwrap();
        Self { scratch, driver, power }
    }

    fn count(&self, name: &str) -> usize {
        fs::read_to_string(self.scratch.file(name)).map_or(0, |text| text.lines().count())
    }

    fn seen(&self) -> Value {
        serde_json::from_slice(&fs::read(self.scratch.file("seen")).unwrap()).unwrap()
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
        vec![ENVIRONMENT.1.to_owned()]
    }

    async fn calls(&self) -> Calls {
        Calls { received: self.count("received"), accepted: self.count("accepted") }
    }

    async fn set(&self, state: State) {
        self.scratch.write("state", state_name(state)).unwrap();
    }

    /// A program that is not there is one that cannot be asked.
    async fn fail(&self, fault: Option<Fault>) {
        let (here, away) = (self.scratch.file("program"), self.scratch.file("away"));
        if fault == Some(Fault::Unreachable) {
            fs::rename(here, away).unwrap();
        } else if away.exists() {
            fs::rename(away, here).unwrap();
        }
        self.scratch.write("fault", fault.map_or_else(String::new, |fault| format!("{fault:?}"))).unwrap();
    }
}

mod suite {
    use super::Site;

    proto::node_suite!(async { Site::new() });
}

#[tokio::test]
async fn a_program_gets_the_request_and_the_drivers_environment() {
    let site = Site::new();
    let node = Node { labels: [("a".to_owned(), "b".to_owned())].into(), ..worker() };
    let plan = site.power.plan(&node, Mode::Soft).await.unwrap();
    assert_eq!(plan.verdict, "it would be restarted");
    let seen = site.seen();
    assert_eq!(seen["request"]["node"]["labels"]["a"], "b");
    assert_eq!(seen["request"]["mode"], "Soft");
    assert_eq!(seen["environment"][ENVIRONMENT.0], ENVIRONMENT.1);
    assert!(seen["environment"]["TRACEPARENT"].as_str().unwrap().starts_with("00-"), "{seen}");
    let expected = Instance {
        id: "1".to_owned(),
        region: String::new(),
        state: State::Running,
        provider_state: "running".to_owned(),
        addresses: vec!["10.0.0.7".to_owned()],
        names: vec!["worker-1".to_owned()],
    };
    assert_eq!(site.power.describe(&node).await.unwrap(), expected);
    assert!(!site.driver.output().contains(ENVIRONMENT.1), "{}", site.driver.output());
}

/// Whoever it started goes with it: nothing acts on after the step is called ambiguous.
#[tokio::test]
async fn a_program_that_takes_too_long_is_killed_with_all_it_started() {
    let site = Site::new();
    site.scratch.write("fault", "Silence").unwrap();
    let heard = site.power.take(take()).await.map(|_| ());
    assert!(matches!(&heard, Err(Error::Ambiguous(why)) if why.contains("killed")), "{heard:?}");
    assert_eq!(site.count("child"), 1, "it had started another");
    let folder = site.scratch.path().display().to_string();
    let runs = || {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let lines = processes.filter_map(|process| fs::read_to_string(process.path().join("cmdline")).ok());
        { lines }.any(|line| line.contains("program.py") && line.contains(&folder))
    };
    eventually!(!runs(), "none of them runs");
}

/// Half a restart may be a machine that is off.
#[tokio::test]
async fn a_program_runs_on_when_its_caller_is_gone() {
    let site = Site::new();
    site.scratch.write("fault", "Slow").unwrap();
    let called = async {
        let power = site.driver.client().unwrap();
        power.take(take()).await.map(|_| ())
    };
    tokio::select! {
        heard = called => panic!("it ends when it may: {heard:?}"),
        () = reaches(&site) => {}
    }
    // Another call, so that the driver has noticed that the first has nobody any more.
    site.power.describe(&worker()).await.unwrap();
    site.scratch.write("go", "").unwrap();
    eventually!(site.count("finished") == 1, "the program comes to its end");
}

/// Ends when the program has accepted.
async fn reaches(site: &Site) {
    while site.count("accepted") == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_a_program_says_with_its_end_counts() {
    let site = Site::new();
    let take = async |fault: &str| {
        site.scratch.write("fault", fault).unwrap();
        site.power.take(take()).await.map(|_| ())
    };
    assert_eq!(take("Quiet").await, Ok(()), "no answer is needed for a step");
    let throttled = take("Throttled").await;
    assert!(matches!(&throttled, Err(Error::Throttled { retry_after: 7, .. })), "{throttled:?}");
    for fault in ["Nonsense", "Long", "LostReply"] {
        let heard = take(fault).await;
        assert!(matches!(heard, Err(Error::Ambiguous(_))), "{fault}: {heard:?}");
    }
}

#[tokio::test]
async fn a_refusal_without_a_reason_is_one() {
    let scratch = Scratch::new("program").unwrap();
    let program = scratch.write("program", "#!/bin/sh\nexit 2\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let heard = drive(&["--exec", &path(&scratch, "program")]).client().unwrap().take(take()).await.map(|_| ());
    assert!(matches!(&heard, Err(Error::Unsupported(why)) if why.contains("did not say why")), "{heard:?}");
}
