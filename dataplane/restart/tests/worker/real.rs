//! The same on a real kube-apiserver, with nothing but the permissions that the worker says it needs.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use k8s_openapi::api::{
    core::v1::{Event, Node as CoreNode, Pod, ServiceAccount},
    policy::v1::PodDisruptionBudget,
    rbac::v1::{ClusterRole, ClusterRoleBinding},
};
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use proto::node::State;
use restart::{
    Config, Phase,
    cluster::{Kube, Node},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::sleep,
};

use crate::{
    kill::{Edge, Fate, Trial, judge, trial},
    kubelet::{Hand, Machine},
    world::{World, spawn},
};

/// One worker's cluster at a time: a worker takes back the cordons of restarts that it does not know.
static TURN: Mutex<()> = Mutex::const_new(());

const WORKER: &str = "restart-worker";

/// A kubelet's and a user's hand on a real cluster.
#[derive(Clone)]
struct Real {
    admin: Client,
}

#[async_trait]
impl Hand for Real {
    async fn add(&self, node: Node) {
        let nodes = Api::<CoreNode>::all(self.admin.clone());
        let object = object(json!({
            "metadata": {"name": node.name, "labels": node.labels, "annotations": node.annotations},
            "spec": {"providerID": node.provider_id, "unschedulable": node.unschedulable},
        }));
        nodes.create(&PostParams::default(), &object).await.unwrap();
        let ips = node.ips.iter().map(|ip| json!({"type": "InternalIP", "address": ip}));
        let hosts = node.hosts.iter().map(|host| json!({"type": "Hostname", "address": host}));
        let addresses: Vec<_> = ips.chain(hosts).collect();
        self.patch_status(&node.name, json!({"addresses": addresses})).await;
        self.report(&node.name, &node.boot_id, node.ready).await;
    }

    async fn remove(&self, name: &str) {
        Api::<CoreNode>::all(self.admin.clone()).delete(name, &DeleteParams::default()).await.unwrap();
    }

    async fn report(&self, name: &str, boot_id: &str, ready: bool) {
        let now = "2026-11-21T12:00:00Z";
        let condition = json!({
            "type": "Ready", "status": if ready { "True" } else { "False" }, "reason": "Pretended", "message": "",
            "lastHeartbeatTime": now, "lastTransitionTime": now,
        });
        self.patch_status(name, json!({"nodeInfo": {"bootID": boot_id}, "conditions": [condition]})).await;
    }
}

// === impl Real ===

impl Real {
    async fn patch_status(&self, name: &str, status: Value) {
        let nodes = Api::<CoreNode>::all(self.admin.clone());
        let patch = Patch::Merge(json!({"status": status}));
        nodes.patch_status(name, &PatchParams::default(), &patch).await.unwrap();
    }

    /// A pod that runs and is Ready, made by a ReplicaSet that is not there.
    async fn pod(&self, node: &str, name: &str) {
        let pods = Api::<Pod>::namespaced(self.admin.clone(), "default");
        let owner =
            json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": "u", "controller": true});
        let container = json!({"name": "c", "image": "example.com/none"});
        let object = object(json!({
            "metadata": {"name": name, "labels": {"app": name}, "ownerReferences": [owner]},
            "spec": {"nodeName": node, "containers": [container], "automountServiceAccountToken": false},
        }));
        pods.create(&PostParams::default(), &object).await.unwrap();
        let ready = json!({"type": "Ready", "status": "True"});
        let patch = Patch::Merge(json!({"status": {"phase": "Running", "conditions": [ready]}}));
        pods.patch_status(name, &PatchParams::default(), &patch).await.unwrap();
    }

    /// Lets so many of a pod's kind be disrupted, as the disruption controller would.
    async fn budget(&self, app: &str, allowed: i32) {
        let budgets = Api::<PodDisruptionBudget>::namespaced(self.admin.clone(), "default");
        let object = object(json!({
            "metadata": {"name": app},
            "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": app}}},
        }));
        // It may be there from before.
        let _ = budgets.create(&PostParams::default(), &object).await;
        let status = json!({
            "disruptionsAllowed": allowed, "currentHealthy": 1, "desiredHealthy": 1 - allowed, "expectedPods": 1,
            "observedGeneration": 1,
        });
        let patch = Patch::Merge(json!({"status": status}));
        budgets.patch_status(app, &PatchParams::default(), &patch).await.unwrap();
    }
}

fn object<K: DeserializeOwned>(value: Value) -> K {
    serde_json::from_value(value).unwrap()
}

/// Ends pods that are to end, as kubelets do.
async fn end_pods(admin: Client) {
    let pods = Api::<Pod>::namespaced(admin, "default");
    loop {
        for pod in pods.list(&ListParams::default()).await.into_iter().flatten() {
            if let (Some(_), Some(name)) = (&pod.metadata.deletion_timestamp, &pod.metadata.name) {
                // It may have gone meanwhile.
                let _ = pods.delete(name, &DeleteParams::default().grace_period(0)).await;
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// What the worker may do, and not more.
async fn permit(admin: &Client) {
    let rule = |group: &str, resource: &str, verbs: &[&str]| json!({"apiGroups": [group], "resources": [resource], "verbs": verbs});
    let rules = [
        rule("", "nodes", &["get", "list", "patch"]),
        rule("", "pods", &["list", "delete"]),
        rule("", "pods/eviction", &["create"]),
        rule("apps", "daemonsets", &["get"]),
        rule("policy", "poddisruptionbudgets", &["list"]),
        rule("", "events", &["create"]),
    ];
    let role: ClusterRole = object(json!({"metadata": {"name": WORKER}, "rules": rules}));
    let binding: ClusterRoleBinding = object(json!({
        "metadata": {"name": WORKER},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": WORKER},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": WORKER}],
    }));
    // They are there from the test before, as is the account that pods want.
    let _ = Api::all(admin.clone()).create(&PostParams::default(), &role).await;
    let _ = Api::all(admin.clone()).create(&PostParams::default(), &binding).await;
    let account: ServiceAccount = object(json!({"metadata": {"name": "default"}}));
    let _ = Api::namespaced(admin.clone(), "default").create(&PostParams::default(), &account).await;
}

/// The way to the cluster as the worker.
async fn worker() -> kube::Config {
    let mut kubeconfig = Kubeconfig::read_from(kit::Cluster::shared().kubeconfig()).unwrap();
    for user in &mut kubeconfig.auth_infos {
        user.auth_info.as_mut().unwrap().impersonate = Some(WORKER.to_owned());
    }
    kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap()
}

/// A world whose nodes begin with `name`.
async fn world(name: &str) -> (World, Real, MutexGuard<'static, ()>) {
    let turn = TURN.lock().await;
    let admin = kit::Cluster::shared().client().await.unwrap();
    permit(&admin).await;
    spawn(end_pods(admin.clone()));
    let config = Config {
        node_name: Some("elsewhere".into()),
        restart_timeout: Duration::from_secs(4),
        restart_soft_timeout: Duration::from_secs(2),
        restart_drain_timeout: Duration::from_secs(20),
        restart_poll: Duration::from_millis(50),
        restart_lease: Duration::from_millis(500),
        restart_min_healthy: "0".parse().unwrap(),
        ..Config::default()
    };
    let real = Real { admin };
    let cluster = Arc::new(Kube::connect(worker().await).unwrap());
    let world = World::new(cluster, Arc::new(real.clone()), config, name, Duration::from_millis(200)).await;
    (world, real, turn)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_restarts_is_seen_to_have_restarted() {
    for (name, machine) in
        [("real-fast", Machine::Fast), ("real-slow", Machine::Slow), ("real-again", Machine::Reregistered)]
    {
        let (world, real, _turn) = world(name).await;
        let restart = world.restarted(machine, r#""reason":"kernel""#).await;
        assert_eq!(restart.status.phase, Phase::Succeeded, "{restart:?}");
        assert!(world.is_uncordoned().await);
        let events = Api::<Event>::namespaced(real.admin.clone(), "default");
        let about = ListParams::default().fields(&format!("involvedObject.name={name}"));
        let reasons: Vec<_> = events.list(&about).await.unwrap().into_iter().filter_map(|event| event.reason).collect();
        assert!(
            reasons.contains(&"RestartAccepted".to_owned()) && reasons.contains(&"RestartSucceeded".to_owned()),
            "{reasons:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_does_not_restart_is_a_failure_that_says_how() {
    for (name, machine, reason) in [
        ("real-lost", Machine::Lost, "NotRestarted"),
        ("real-gone", Machine::NeverReturns, "NotReturned"),
        ("real-unready", Machine::NeverReady, "NotReady"),
        ("real-replaced", Machine::Replaced, "NodeReplaced"),
    ] {
        let (world, _, _turn) = world(name).await;
        let restart = world.restarted(machine, "").await;
        assert_eq!((restart.status.phase, restart.status.reason.as_str()), (Phase::Failed, reason), "{restart:?}");
        assert_eq!((world.cloud.takes().len(), world.is_uncordoned().await), (1, true));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_and_a_wrong_instance_are_refused() {
    let (world, real, _turn) = world("real-refused").await;
    let running = world.worker();
    world.cloud.put("i-real-refused", State::Stopped);
    let stopped = running.submit("real-refused", "").await.unwrap_err();
    assert_eq!((stopped.0.code, world.cloud.takes().len()), (409, 0), "{stopped:?}");
    let node = world.found().await.unwrap();
    real.remove("real-refused").await;
    real.add(Node { provider_id: "fake:///i-real-refused-b".into(), ..node }).await;
    let wrong = running.submit("real-refused", "").await.unwrap_err();
    assert_eq!((wrong.0.code, world.cloud.takes().len()), (403, 0), "{wrong:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_waits_for_a_budget_and_tells_what_it_waits_for() {
    let (world, real, _turn) = world("real-drain").await;
    world.machine(Machine::Slow);
    real.pod("real-drain", "free").await;
    real.pod("real-drain", "kept").await;
    real.budget("kept", 0).await;
    let running = world.worker();
    // Another pod had this name: it is not this one that goes.
    let other = restart::cluster::Pod {
        uid: "another".to_owned(),
        ..world.cluster.pods("real-drain").await.unwrap().into_iter().find(|pod| pod.name == "free").unwrap()
    };
    world.cluster.evict(&other, None).await.unwrap();
    assert!(world.cluster.pods("real-drain").await.unwrap().iter().all(|pod| !pod.terminating));
    let name = running.submit("real-drain", r#""drain":{"enabled":true}"#).await.unwrap().name;
    let blocked = world
        .once(&name, |restart| {
            let drain = restart.status.drain.as_ref();
            drain.is_some_and(|drain| drain.left == 1 && drain.blocking[0].reason.contains("disruption budget kept"))
        })
        .await;
    assert_eq!((blocked.status.phase, world.cloud.takes().len()), (Phase::Draining, 0));
    assert!(world.found().await.unwrap().unschedulable, "{blocked:?} {:?}", world.found().await);
    real.budget("kept", 1).await;
    let restart = world.ended(&name).await;
    assert_eq!(restart.status.phase, Phase::Succeeded, "{restart:?}");
    assert!(world.is_uncordoned().await && world.cluster.pods("real-drain").await.unwrap().is_empty());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_may_die_at_every_edge() {
    for fate in [Fate::DiesBefore, Fate::DiesAfter] {
        for at in 0.. {
            let (world, _, _turn) = world(&format!("real-{at}-{}", format!("{fate:?}").to_lowercase())).await;
            let trial_of = Trial { options: "", machine: Machine::Fast, fault: None, heals: true };
            let edge = Edge::new(at, fate);
            let restart = trial(&world, trial_of, &edge).await;
            judge(&world, trial_of, &restart);
            if !edge.reached() {
                assert!(at > 8, "hardly an edge: {at}");
                break;
            }
        }
    }
}
