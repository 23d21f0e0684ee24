//! What only CVM says, and what must not be said.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use proto::node::{Error, Instance, Node, NodePower, Progress, State, Step};
use serde_json::json;

use crate::support::{Cloud, INSTANCE, KEY, SECRET, Site, node, take, worker};

#[tokio::test]
async fn soft_and_hard_are_stop_types_and_the_restart_is_seen() {
    let site = Site::new(&[]);
    for (number, step, stop_type) in [(0, Step::Reboot, "SOFT"), (1, Step::Reset, "HARD")] {
        let progress: Vec<_> = site.power.take(take(worker(), step)).await.unwrap().try_collect().await.unwrap();
        let entry = &site.cloud.fake.tell("calls", json!({})).unwrap()["log"][number];
        assert_eq!((entry["stop_type"].as_str(), entry["region"].as_str()), (Some(stop_type), Some("ap-beijing")));
        let request_id = entry["request_id"].as_str().unwrap().to_owned();
        assert_eq!(progress[0], Progress::Accepted { request_id });
        let last = progress.last();
        assert!(matches!(last, Some(Progress::Instance(instance)) if instance.state == State::Running), "{progress:?}");
    }
    assert_eq!(site.cloud.fake.tell("instances", json!({})).unwrap()[INSTANCE]["boots"], 3);
    for step in [Step::Stop, Step::Start] {
        let heard = site.power.take(take(worker(), step)).await.map(|_| ());
        assert!(matches!(heard, Err(Error::Unsupported(_))), "{step:?}: {heard:?}");
    }
}

#[tokio::test]
async fn an_instance_is_described_as_cvm_sees_it() {
    let site = Site::new(&[]);
    let expected = Instance {
        id: INSTANCE.to_owned(),
        region: "ap-beijing".to_owned(),
        state: State::Running,
        provider_state: "RUNNING".to_owned(),
        addresses: vec!["10.0.0.7".to_owned()],
        names: vec!["worker-1".to_owned()],
    };
    assert_eq!(site.power.describe(&worker()).await.unwrap(), expected);
}

#[tokio::test]
async fn the_region_is_found_in_every_form() {
    let site = Site::new(&[]);
    let labelled = |label: &str, value: &str| Node {
        labels: BTreeMap::from([(label.to_owned(), value.to_owned())]),
        ..node(&format!("qcloud:///999999/{INSTANCE}"))
    };
    for node in [
        node(&format!("tencentcloud:///ap-beijing-6/{INSTANCE}")),
        labelled("topology.com.tencent.cloud.csi.cbs/zone", "ap-beijing-6"),
        labelled("topology.kubernetes.io/region", "ap-beijing"),
    ] {
        assert_eq!(site.power.describe(&node).await.map(|instance| instance.id), Ok(INSTANCE.to_owned()), "{node:?}");
    }
    let heard = site.power.describe(&node(&format!("qcloud:///100003/{INSTANCE}"))).await;
    assert!(matches!(heard, Err(Error::NotFound(_))), "{heard:?}");
    let unknown = node(&format!("qcloud:///999999/{INSTANCE}"));
    let heard = site.power.describe(&unknown).await;
    assert!(matches!(&heard, Err(Error::Invalid(why)) if why.contains("--tencent-region")), "{heard:?}");
    let env = [("TENCENTCLOUD_SECRET_ID", KEY), ("TENCENTCLOUD_SECRET_KEY", SECRET)];
    let site = Site::with(site.cloud, &["--tencent-region", "ap-beijing"], &env);
    assert!(site.power.describe(&unknown).await.is_ok());
}

/// An answer that cannot be read, one that is nobody's, and a failure that comes with status 200.
#[tokio::test]
async fn a_broken_answer_is_ambiguous_and_the_call_is_made_once() {
    let site = Site::new(&[]);
    for (received, fault) in ["HalfReply", "Nonsense", "FailedOperation"].into_iter().enumerate() {
        site.cloud.fake.tell("state", json!({"id": INSTANCE, "state": "RUNNING"})).unwrap();
        site.cloud.fake.tell("fault", json!({ "kind": fault })).unwrap();
        let heard = site.power.take(take(worker(), Step::Reboot)).await.map(|_| ());
        assert!(matches!(heard, Err(Error::Ambiguous(_))), "{fault}: {heard:?}");
        assert_eq!(site.cloud.fake.calls().received, received + 1, "{fault}");
    }
}

#[tokio::test]
async fn a_cloud_with_another_ca_is_not_spoken_to() {
    let site = Site::new(&[]);
    let stranger = Cloud::new();
    std::fs::copy(stranger.scratch.file("ca.crt"), site.cloud.scratch.file("ca.crt")).unwrap();
    let heard = site.power.describe(&worker()).await;
    assert!(matches!(heard, Err(Error::Unreachable(_))), "{heard:?}");
}

/// At debug level, with the libraries' own lines, whatever goes well or wrong.
#[tokio::test]
async fn logs_hold_no_secrets() {
    let site = Site::new(&["--debug-level", "9"]);
    drop(site.power.take(take(worker(), Step::Reboot)).await.unwrap());
    for fault in ["Forbidden", "Broken", "LostReply", "Nonsense"] {
        site.cloud.fake.tell("fault", json!({ "kind": fault })).unwrap();
        assert!(site.power.take(take(worker(), Step::Reboot)).await.is_err(), "{fault}");
    }
    let output = site.driver.output();
    assert!(output.contains(INSTANCE), "the driver logs what it does: {output}");
    assert!(!output.contains(SECRET) && !output.contains("Signature="), "{output}");
}
