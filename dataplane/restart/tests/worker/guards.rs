//! What is refused when it is asked for, with which code, guard and words.

use proto::{
    node::{State, suite::Fault},
    restart::{Error, Restarts},
};
use restart::{Phase, cluster::Node};
use serde_json::Value;

use crate::{
    kubelet::Machine,
    world::{Running, World, request},
};

const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";

async fn change(world: &World, change: impl FnOnce(&mut Node)) {
    let mut node = world.found().await.unwrap();
    change(&mut node);
    world.hand.add(node).await;
}

/// The refusal: its code, its guard (or nothing) and its message.
async fn refusal(running: &Running, node: &str) -> (u16, String, String) {
    let Error(status) = running.submit(node, "").await.unwrap_err();
    let cause = status.details.as_ref().and_then(|details| details.causes.first().map(|cause| cause.reason.clone()));
    (status.code, cause.unwrap_or_default(), status.message.clone())
}

#[track_caller]
fn is((code, guard, message): &(u16, String, String), expected: (u16, &str, &str)) {
    assert_eq!((*code, guard.as_str()), (expected.0, expected.1), "{message}");
    assert!(message.contains(expected.2), "{:?} is not in {message:?}", expected.2);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_restarted_is_refused_with_its_reason() {
    let (world, _) = World::fake().await;
    let running = world.worker();
    is(&refusal(&running, "nobody").await, (404, "", "nobody"));
    for (provider_id, expected) in [
        ("", (422, "FieldValueRequired", "spec.providerID")),
        ("aws:///eu-west-1a/fargate-10.0.0.1", (422, "FieldValueInvalid", "Fargate")),
        ("nonsense", (422, "FieldValueInvalid", "nonsense")),
        ("other://x", (422, "FieldValueInvalid", "other://x")),
        ("aws:///eu-west-1a/i-0123", (503, "", "--node-driver aws=URL")),
        ("fake:///i-missing", (409, "", "i-missing")),
        ("fake:///i-node-b", (403, "Identity", "--restart-unchecked-identity fake")),
    ] {
        change(&world, |node| node.provider_id = provider_id.to_owned()).await;
        is(&refusal(&running, "node").await, expected);
    }
    assert_eq!(world.all().await, []);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn guards_refuse_and_say_how_they_are_lifted() {
    let (mut world, _) = World::fake().await;
    world.config.node_name = Some("node-b".to_owned());
    let running = world.worker();
    is(&refusal(&running, "node-b").await, (409, "OwnNode", "--restart-own-node"));
    change(&world, |node| drop(node.labels.insert(CONTROL_PLANE.to_owned(), String::new()))).await;
    is(&refusal(&running, "node").await, (403, "ControlPlane", "--restart-control-plane"));
    change(&world, |node| node.labels = [("infraops.michael.io/no-restart".to_owned(), String::new())].into()).await;
    is(&refusal(&running, "node").await, (403, "Excluded", "infraops.michael.io/no-restart"));
    change(&world, |node| node.labels.clear()).await;
    world.cloud.put("i-node", State::Stopped);
    is(&refusal(&running, "node").await, (409, "InstanceState", "start it"));
    world.cloud.put("i-node", State::Running);
    world.cloud.break_down(Some(Fault::Unreachable));
    is(&refusal(&running, "node").await, (503, "", "cannot be asked"));
    world.cloud.break_down(None);
    for name in ["node-b", "node-c"] {
        world.hand.report(name, "boot-0", false).await;
    }
    is(&refusal(&running, "node").await, (409, "MinHealthy", "--restart-min-healthy"));
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn one_is_in_flight_and_a_scheduled_one_waits_for_it() {
    let (world, _) = World::fake().await;
    world.machine(Machine::Fast);
    let running = world.worker();
    let scheduled = running.submit("node-b", r#""notBefore":"2026-11-21T12:00:05Z""#).await.unwrap().name;
    world.cloud.break_down(Some(Fault::Throttled));
    let first = running.submit("node", "").await.unwrap().name;
    world.in_phase(&first, Phase::IntentRecorded).await;
    is(&refusal(&running, "node-c").await, (409, "MaxInFlight", "--restart-max-in-flight"));
    let waits = world.once(&scheduled, |restart| restart.status.reason == "MaxInFlight").await;
    assert_eq!(waits.status.phase, Phase::Accepted);
    world.cloud.break_down(None);
    for name in [first, scheduled] {
        assert_eq!(world.ended(&name).await.status.phase, Phase::Succeeded);
    }
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_user_who_asks_too_often_is_told_when_to_ask_again() {
    let (mut world, _) = World::fake().await;
    world.config.restart_user_rate = "2/1h".parse().unwrap();
    world.machine(Machine::Fast);
    let running = world.worker();
    for _ in 0..2 {
        let name = running.submit("node", "").await.unwrap().name;
        world.ended(&name).await;
    }
    let Error(status) = running.submit("node", "").await.unwrap_err();
    assert_eq!(status.code, 429, "{status:?}");
    assert!(status.retry_after_seconds().is_some_and(|seconds| (3000..=3600).contains(&seconds)), "{status:?}");
    let mut other = request("node", "");
    other.user.name = "joe".to_owned();
    assert!(!running.worker.submit(other).await.unwrap().existing);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_tells_everything_and_touches_nothing() {
    let (world, cluster) = World::fake().await;
    cluster.pod("node", "web");
    change(&world, |node| drop(node.labels.insert(CONTROL_PLANE.to_owned(), String::new()))).await;
    let (before, running) = (world.found().await, world.worker());
    let options = r#""mode":"SoftThenHard","drain":{"enabled":true}"#;
    let plan = running.worker.plan(request("node", options)).await.unwrap();
    let plan: Value = serde_json::from_slice(&plan).unwrap();
    let told = &plan["status"]["plan"];
    assert_eq!(told["steps"][0]["step"], "Reboot");
    assert_eq!(told["steps"][1]["mode"], "Hard");
    assert_eq!((told["pods"][0]["name"].as_str(), told["pods"][0]["action"].as_str()), (Some("web"), Some("Evict")));
    let guards = told["guards"].as_array().unwrap();
    let refusing: Vec<_> = guards.iter().filter(|guard| guard["passes"] == false).map(|guard| &guard["name"]).collect();
    assert_eq!((refusing.len(), guards.len()), (1, 8), "{guards:?}");
    assert_eq!(plan["status"]["instance"]["id"], "i-node");
    assert_eq!(plan["metadata"].get("name"), None);
    assert_eq!((world.all().await, world.cloud.takes().len()), (vec![], 0));
    assert!(cluster.lock().events.is_empty());
    assert_eq!(world.found().await, before);
    running.stop().await;
}
