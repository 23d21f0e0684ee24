//! What becomes of a restart, by what its machine does.

use proto::node::{State, Step, suite::Fault};
use restart::{
    Phase,
    cluster::Node,
    node_restart::{Cordon, Outcome},
};

use crate::{kubelet::Machine, world::World};

/// The phases that a restart went through.
fn phases(restart: &restart::NodeRestart) -> Vec<Phase> {
    restart.status.history.iter().map(|entered| entered.phase).collect()
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_restarts_fast_or_slowly_is_seen_to_have_restarted() {
    for machine in [Machine::Fast, Machine::Slow] {
        let (world, cluster) = World::fake().await;
        let restart = world.restarted(machine, r#""reason":"kernel""#).await;
        let expected = [
            Phase::Accepted,
            Phase::Checked,
            Phase::Cordoned,
            Phase::IntentRecorded,
            Phase::Sent,
            Phase::Rebooting,
            Phase::Ready,
            Phase::Uncordoned,
            Phase::Succeeded,
        ];
        assert_eq!(phases(&restart), expected, "{machine:?}");
        assert_eq!((restart.name(), restart.status.boot_id.as_str()), ("node-1", "boot-1"));
        assert_eq!(restart.status.node.unwrap().boot_id, "boot-0");
        assert_eq!((restart.status.cordon, world.is_uncordoned().await), (Some(Cordon::Restored), true));
        let takes = world.cloud.takes();
        assert_eq!((takes.len(), takes[0].step), (1, Step::Reboot));
        assert!(takes[0].reason.contains("kernel"), "{takes:?}");
        let mut events = cluster.lock().events.clone();
        // The worker may be faster than whoever answers the request.
        events.sort_by(|one, other| one.name.cmp(&other.name));
        let told: Vec<_> = events.into_iter().map(|event| event.reason).collect();
        let expected = ["RestartAccepted", "RestartCordoned", "RestartSent", "RestartRebooted", "RestartSucceeded"];
        assert_eq!(told, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn restarts_are_counted_by_provider_and_result() {
    let (world, _) = World::fake().await;
    world.machine(Machine::Slow);
    let running = world.worker();
    let name = running.submit("node", "").await.unwrap().name;
    world.ended(&name).await;
    let text = running.context.metrics.encode();
    for line in [
        "outrigger_node_restarts_total{provider=\"fake\",result=\"succeeded\"} 1",
        "outrigger_node_restart_phase_seconds_count{phase=\"Rebooting\"} 1",
        "outrigger_node_restart_worker_leads 1",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_does_not_restart_is_a_failure_that_says_how() {
    for (machine, reason) in [
        (Machine::Lost, "NotRestarted"),
        (Machine::NeverReturns, "NotReturned"),
        (Machine::NeverReady, "NotReady"),
        (Machine::Replaced, "NodeReplaced"),
    ] {
        let (world, _) = World::fake().await;
        let restart = world.restarted(machine, "").await;
        assert_eq!((restart.status.phase, restart.status.reason.as_str()), (Phase::Failed, reason), "{restart:?}");
        assert_eq!((world.cloud.takes().len(), world.is_uncordoned().await), (1, true), "{machine:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_registers_again_on_the_same_machine_has_restarted() {
    let (world, _) = World::fake().await;
    let restart = world.restarted(Machine::Reregistered, "").await;
    assert_eq!(restart.status.phase, Phase::Succeeded, "{restart:?}");
    assert!(world.is_uncordoned().await);
}

#[tokio::test(start_paused = true)]
async fn a_hung_machine_is_reset_after_the_soft_restart() {
    let (world, _) = World::fake().await;
    let restart = world.restarted(Machine::Hung, r#""mode":"SoftThenHard""#).await;
    assert_eq!(restart.status.phase, Phase::Succeeded, "{restart:?}");
    let steps: Vec<_> = world.cloud.takes().into_iter().map(|take| take.step).collect();
    assert_eq!(steps, [Step::Reboot, Step::Reset]);
    let (world, _) = World::fake().await;
    let restart = world.restarted(Machine::Hung, r#""mode":"Soft""#).await;
    assert_eq!((restart.status.phase, world.cloud.takes().len()), (Phase::Failed, 1));
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_follows_is_not_reset() {
    let (world, _) = World::fake().await;
    let restart = world.restarted(Machine::Slow, r#""mode":"SoftThenHard""#).await;
    assert_eq!((restart.status.phase, world.cloud.takes().len()), (Phase::Succeeded, 1));
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_is_stopped_is_started_when_it_is_off() {
    let (world, _) = World::fake().await;
    world.cloud.stop_and_start();
    let restart = world.restarted(Machine::Fast, r#""mode":"Hard""#).await;
    assert_eq!(restart.status.phase, Phase::Succeeded, "{restart:?}");
    let steps: Vec<_> = world.cloud.takes().into_iter().map(|take| take.step).collect();
    assert_eq!(steps, [Step::Stop, Step::Start]);
    let outcomes: Vec<_> = restart.status.steps.iter().map(|record| record.outcome).collect();
    assert_eq!(outcomes, [Some(Outcome::Accepted), Some(Outcome::Accepted)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_ambiguous_is_resolved_by_the_boot_id() {
    for (fault, machine, phase) in [
        (Fault::LostReply, Machine::Fast, Phase::Succeeded),
        (Fault::Silence, Machine::Slow, Phase::Succeeded),
        (Fault::Broken, Machine::Fast, Phase::Unknown),
        (Fault::LostReply, Machine::Lost, Phase::Unknown),
    ] {
        let (world, _) = World::fake().await;
        world.cloud.break_down(Some(fault));
        let restart = world.restarted(machine, "").await;
        assert_eq!(restart.status.phase, phase, "{fault:?} {restart:?}");
        assert_eq!((world.cloud.takes().len(), world.is_uncordoned().await), (1, true), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_surely_refused_is_asked_for_again() {
    let (world, _) = World::fake().await;
    world.machine(Machine::Fast);
    world.cloud.break_down(Some(Fault::Throttled));
    let running = world.worker();
    let name = running.submit("node", "").await.unwrap().name;
    let waiting =
        world.once(&name, |restart| restart.status.steps.first().is_some_and(|record| record.attempt > 2)).await;
    assert_eq!((waiting.status.phase, waiting.status.reason.as_str()), (Phase::IntentRecorded, "Throttled"));
    world.cloud.break_down(None);
    assert_eq!(world.ended(&name).await.status.phase, Phase::Succeeded);
    assert_eq!(world.cloud.accepted().len(), 1);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_ends_and_what_is_throttled_for_ever_too() {
    for (fault, reason) in [(Fault::Forbidden, "Forbidden"), (Fault::Throttled, "Throttled")] {
        let (world, _) = World::fake().await;
        world.cloud.break_down(Some(fault));
        let restart = world.restarted(Machine::Fast, "").await;
        assert_eq!((restart.status.phase, restart.status.reason.as_str()), (Phase::Failed, reason));
        assert!(world.is_uncordoned().await);
    }
}

#[tokio::test(start_paused = true)]
async fn the_cordon_it_finds_is_the_cordon_it_leaves() {
    let (world, _) = World::fake().await;
    let node = world.found().await.unwrap();
    world.hand.add(Node { unschedulable: true, ..node }).await;
    let restart = world.restarted(Machine::Fast, "").await;
    assert_eq!((restart.status.phase, restart.status.cordon), (Phase::Succeeded, Some(Cordon::Found)));
    let node = world.found().await.unwrap();
    assert!(node.unschedulable && node.cordoned_by().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_stopped_meanwhile_is_not_restarted() {
    let (world, _) = World::fake().await;
    let running = world.worker();
    let name = running.submit("node", r#""notBefore":"2026-11-21T13:00:00Z""#).await.unwrap().name;
    world.cloud.put("i-node", State::Stopped);
    let restart = world.ended(&name).await;
    assert_eq!((restart.status.phase, restart.status.reason.as_str()), (Phase::Failed, "InstanceState"));
    assert_eq!(world.cloud.takes().len(), 0);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_can_be_cancelled_until_the_provider_is_asked() {
    let (world, cluster) = World::fake().await;
    cluster.pod("node", "kept");
    cluster.lock().kept.insert("kept".to_owned());
    let running = world.worker();
    let name = running.submit("node", r#""drain":{"enabled":true}"#).await.unwrap().name;
    world.in_phase(&name, Phase::Draining).await;
    running.cancel(&name).await.unwrap();
    let gone = async {
        while world.get(&name).await.is_some() {
            tokio::time::sleep(world.pace).await;
        }
    };
    gone.await;
    assert_eq!((world.cloud.takes().len(), world.is_uncordoned().await), (0, true));
    let told = cluster.lock().events.last().cloned().unwrap();
    assert_eq!(told.reason, "RestartCancelled");
    assert!(told.message.contains("jane"), "{told:?}");

    let name = running.submit("node", "").await.unwrap().name;
    assert_eq!(name, "node-1");
    world.in_phase(&name, Phase::Sent).await;
    let refused = running.cancel(&name).await.unwrap_err();
    assert_eq!(refused.0.code, 409, "{refused:?}");
    let ended = world.ended(&name).await;
    assert_eq!(ended.status.phase, Phase::Failed);
    running.cancel(&name).await.unwrap();
    assert_eq!(world.get(&name).await, None);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn restarts_are_numbered_and_old_ones_go() {
    let (mut world, _) = World::fake().await;
    world.config.restart_history = 2;
    world.machine(Machine::Fast);
    let running = world.worker();
    for number in 1..=4 {
        let name = running.submit("node", "").await.unwrap().name;
        assert_eq!(name, format!("node-{number}"));
        assert_eq!(world.ended(&name).await.status.phase, Phase::Succeeded);
    }
    let swept = async {
        while world.all().await.len() > 2 {
            tokio::time::sleep(world.pace).await;
        }
    };
    swept.await;
    let names: Vec<_> = world.all().await.into_iter().map(|restart| restart.metadata.name).collect();
    assert_eq!(names, ["node-3", "node-4"]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_cordon_that_outlived_its_restart_is_taken_back() {
    let (world, _) = World::fake().await;
    let node = world.found().await.unwrap();
    world.cluster.cordon(&node, "node-9/some-uid").await.unwrap();
    let running = world.worker();
    while !world.is_uncordoned().await {
        tokio::time::sleep(world.pace).await;
    }
    running.stop().await;
}
