//! Drains: what goes, what stays, and what keeps a restart from happening.

use restart::{Phase, cluster::Pod};

use crate::{kubelet::Machine, world::World};

const DRAIN: &str = r#""drain":{"enabled":true,"timeout":"5m"}"#;

fn pod(name: &str, kind: Option<&str>) -> Pod {
    let controller = kind.map(|kind| (kind.to_owned(), "owner".to_owned()));
    let (namespace, uid) = ("default".to_owned(), format!("uid-{name}"));
    Pod { namespace, name: name.to_owned(), uid, controller, ..Pod::default() }
}

#[tokio::test(start_paused = true)]
async fn pods_are_evicted_and_those_of_daemon_sets_stay() {
    let (world, cluster) = World::fake().await;
    cluster.pod("node", "a");
    cluster.pod("node", "b");
    cluster.pod("node-b", "elsewhere");
    cluster.lock().daemon_sets.insert("owner".to_owned());
    cluster.lock().pods.push(("node".to_owned(), pod("agent", Some("DaemonSet"))));
    let restart = world.restarted(Machine::Fast, DRAIN).await;
    assert_eq!(restart.status.phase, Phase::Succeeded, "{restart:?}");
    let drained = restart.status.drain.unwrap();
    assert_eq!((drained.total, drained.left), (2, 0));
    let mut gone = cluster.lock().gone.clone();
    gone.sort();
    assert_eq!(gone, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_budget_is_waited_for_and_then_named() {
    let (world, cluster) = World::fake().await;
    cluster.pod("node", "a");
    cluster.pod("node", "kept");
    cluster.lock().kept.insert("kept".to_owned());
    let restart = world.restarted(Machine::Fast, DRAIN).await;
    assert_eq!((restart.status.phase, restart.status.reason.as_str()), (Phase::Failed, "DrainTimeout"));
    let drained = restart.status.drain.unwrap();
    assert_eq!((drained.total, drained.left, drained.blocking[0].name.as_str()), (2, 1, "kept"));
    assert!(drained.blocking[0].reason.contains("keep-it"), "{drained:?}");
    assert!(restart.status.message.contains("default/kept"), "{}", restart.status.message);
    assert_eq!((world.cloud.takes().len(), world.is_uncordoned().await), (0, true));
}

#[tokio::test(start_paused = true)]
async fn pods_that_may_not_go_keep_the_drain_from_beginning() {
    let (world, cluster) = World::fake().await;
    cluster.pod("node", "a");
    cluster.lock().pods.push(("node".to_owned(), pod("alone", None)));
    let restart = world.restarted(Machine::Fast, DRAIN).await;
    assert_eq!((restart.status.phase, restart.status.reason.as_str()), (Phase::Failed, "DrainRefused"));
    assert!(restart.status.message.contains("default/alone"), "{}", restart.status.message);
    assert!(cluster.lock().gone.is_empty());
    assert!(world.is_uncordoned().await);

    let (world, cluster) = World::fake().await;
    cluster.lock().pods.push(("node".to_owned(), pod("alone", None)));
    let options = r#""drain":{"enabled":true,"force":true,"disableEviction":true}"#;
    assert_eq!(world.restarted(Machine::Fast, options).await.status.phase, Phase::Succeeded);
    assert_eq!(cluster.lock().gone, ["alone"]);
}
