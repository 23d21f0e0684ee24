//! What only EC2 says, and what must not be said.

use futures::TryStreamExt;
use proto::node::{Error, Instance, Mode, NodePower, Progress, State, Step};
use serde_json::json;

use crate::support::{INSTANCE, KEY, SECRET, Site, node, take, worker};

/// An answer that cannot be read, and one that is no answer of EC2, though it acted.
#[tokio::test]
async fn a_broken_answer_is_ambiguous_and_the_call_is_made_once() {
    let site = Site::new(&[]);
    for (done, fault) in [(1, "HalfReply"), (2, "Nonsense")] {
        site.ec2.tell("fault", json!({ "kind": fault })).unwrap();
        let heard = site.power.take(take(worker(), Step::Reboot)).await.map(|_| ());
        assert!(matches!(heard, Err(Error::Ambiguous(_))), "{fault}: {heard:?}");
        assert_eq!((site.ec2.calls().received, site.ec2.calls().accepted), (done, done), "{fault}");
    }
}

/// It answers what is asked before the step, and cannot be connected to for the step itself.
#[tokio::test]
async fn a_step_that_is_not_sent_is_not_ambiguous() {
    let site = Site::new(&[]);
    site.ec2.tell("fault", json!({"kind": "Vanishing"})).unwrap();
    let heard = site.power.take(take(worker(), Step::Reboot)).await.map(|_| ());
    assert!(matches!(&heard, Err(Error::Unreachable(why)) if why.contains("RebootInstances")), "{heard:?}");
    assert_eq!(site.ec2.calls().received, 0);
}

#[tokio::test]
async fn an_instance_is_described_as_ec2_sees_it() {
    let site = Site::new(&[]);
    let described = site.power.describe(&worker()).await.unwrap();
    let expected = Instance {
        id: INSTANCE.to_owned(),
        region: "eu-west-1".to_owned(),
        state: State::Running,
        provider_state: "running".to_owned(),
        addresses: vec!["10.0.0.7".to_owned()],
        names: vec!["ip-10-0-0-7.eu-west-1.compute.internal".to_owned()],
    };
    assert_eq!(described, expected);
}

#[tokio::test]
async fn a_hard_restart_needs_consent() {
    let site = Site::new(&[]);
    let plan = site.power.plan(&worker(), Mode::Hard).await;
    assert!(matches!(&plan, Err(Error::Unsupported(why)) if why.contains("--allow-stop-start")), "{plan:?}");
    for step in [Step::Reset, Step::Stop, Step::Start] {
        let heard = site.power.take(take(worker(), step)).await.map(|_| ());
        assert!(matches!(heard, Err(Error::Unsupported(_))), "{step:?}: {heard:?}");
    }
    assert_eq!(site.ec2.calls().received, 0);
}

#[tokio::test]
async fn a_hard_restart_stops_and_starts_and_tells_how_it_goes() {
    let site = Site::new(&["--allow-stop-start"]);
    let plan = site.power.plan(&worker(), Mode::Hard).await.unwrap();
    assert_eq!(plan.steps, [Step::Stop, Step::Start]);
    assert!(plan.verdict.contains("StopInstances: Request would have succeeded"), "{}", plan.verdict);
    assert!(plan.verdict.contains("StartInstances: Request would have succeeded"), "{}", plan.verdict);
    for (step, end) in [(Step::Stop, State::Stopped), (Step::Start, State::Running)] {
        let progress: Vec<_> = site.power.take(take(worker(), step)).await.unwrap().try_collect().await.unwrap();
        assert!(matches!(&progress[0], Progress::Accepted { request_id } if !request_id.is_empty()), "{progress:?}");
        let last = progress.last();
        assert!(matches!(last, Some(Progress::Instance(instance)) if instance.state == end), "{progress:?}");
    }
    assert_eq!(site.ec2.tell("instances", json!({})).unwrap()[INSTANCE]["boots"], 2);
    assert_eq!(site.ec2.calls().accepted, 2);
}

#[tokio::test]
async fn a_plan_says_what_ec2_says_and_what_it_does_not_allow() {
    let site = Site::new(&[]);
    let plan = site.power.plan(&worker(), Mode::Soft).await.unwrap();
    let verdict = "RebootInstances: Request would have succeeded, but DryRun flag is set.";
    assert_eq!((plan.steps, plan.verdict.as_str()), (vec![Step::Reboot], verdict));
    site.ec2.tell("key", json!({"id": KEY, "secret": SECRET, "actions": ["DescribeInstances"]})).unwrap();
    let plan = site.power.plan(&worker(), Mode::Soft).await;
    assert!(matches!(&plan, Err(Error::Forbidden(why)) if why.contains("ec2:RebootInstances")), "{plan:?}");
    assert_eq!(site.ec2.calls().received, 0);
}

/// The id of one region's instance is nobody's in another: the zone decides where to ask, then AWS_REGION.
#[tokio::test]
async fn the_region_is_that_of_the_zone() {
    let site = Site::new(&[]);
    for zone in ["us-east-1a", "us-west-2-lax-1a"] {
        let heard = site.power.describe(&node(&format!("aws:///{zone}/{INSTANCE}"))).await;
        assert!(matches!(heard, Err(Error::NotFound(_))), "{zone}: {heard:?}");
    }
    assert!(site.power.describe(&node(&format!("aws:///eu-west-1-xxx-1a/{INSTANCE}"))).await.is_ok());
    let heard = site.power.describe(&node(INSTANCE)).await;
    assert!(matches!(&heard, Err(Error::Invalid(why)) if why.contains("AWS_REGION")), "{heard:?}");
    let credentials = |region| [("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", SECRET), ("AWS_REGION", region)];
    let site = Site::with(site.ec2, &[], &credentials("us-east-1"));
    assert!(site.power.describe(&worker()).await.is_ok(), "the zone is nearer to the truth than AWS_REGION");
    let site = Site::with(site.ec2, &[], &credentials("eu-west-1"));
    for provider_id in [INSTANCE.to_owned(), format!("aws:////{INSTANCE}")] {
        assert!(site.power.describe(&node(&provider_id)).await.is_ok(), "{provider_id}");
    }
}

/// At debug level, with the libraries' own lines, whatever goes well or wrong.
#[tokio::test]
async fn logs_hold_no_secrets() {
    let site = Site::new(&["--debug-level", "9"]);
    drop(site.power.take(take(worker(), Step::Reboot)).await.unwrap());
    for fault in ["Forbidden", "Broken", "LostReply", "Nonsense"] {
        site.ec2.tell("fault", json!({ "kind": fault })).unwrap();
        assert!(site.power.take(take(worker(), Step::Reboot)).await.is_err(), "{fault}");
    }
    let output = site.driver.output();
    assert!(output.contains(INSTANCE), "the driver logs what it does: {output}");
    assert!(!output.contains(SECRET), "{output}");
}
