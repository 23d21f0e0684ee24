//! The watcher of kube-rs, as Rust controllers use it: both ways to begin, and through a restart of ours.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use clients::bundle_deployment;
use futures::{Stream, StreamExt as _, pin_mut};
use kit::{Cluster, Options, Outrigger};
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use kube::runtime::controller::{Action, Controller};
use kube::runtime::watcher::{self, Config, Event, watcher};
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(60);

async fn api(cluster: &Cluster, namespace: &str) -> Api<DynamicObject> {
    let gvk = GroupVersionKind::gvk("fleet.cattle.io", "v1alpha1", "BundleDeployment");
    let resource = ApiResource::from_gvk_with_plural(&gvk, "bundledeployments");
    Api::namespaced_with(cluster.client().await.unwrap(), namespace, &resource)
}

fn object(name: &str) -> DynamicObject {
    serde_json::from_value(bundle_deployment(name, "s-1:a")).unwrap()
}

/// The next event that is not an error; a watcher backs off and goes on after those.
async fn next(
    events: &mut (impl Stream<Item = Result<Event<DynamicObject>, watcher::Error>> + Unpin),
) -> Event<DynamicObject> {
    let found = async {
        loop {
            match events.next().await {
                Some(Ok(event)) => return event,
                Some(Err(_)) => tokio::time::sleep(Duration::from_millis(100)).await,
                None => panic!("a watcher never ends"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("an event comes")
}

/// Reads events until a name was seen, and returns all names on the way.
async fn until(
    events: &mut (impl Stream<Item = Result<Event<DynamicObject>, watcher::Error>> + Unpin),
    last: &str,
) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    while !seen.contains(last) {
        if let Event::Apply(object) | Event::InitApply(object) | Event::Delete(object) = next(events).await {
            seen.insert(object.metadata.name.unwrap());
        }
    }
    seen
}

async fn a_watcher_sees_everything(cluster: &Cluster, outrigger: &mut Outrigger, namespace: &str, config: Config) {
    cluster.namespace(namespace).await.unwrap();
    let api = api(cluster, namespace).await;
    let create = PostParams::default();
    for name in ["a", "b"] {
        api.create(&create, &object(name)).await.unwrap();
    }
    let events = watcher(api.clone(), config);
    pin_mut!(events);
    assert!(matches!(next(&mut events).await, Event::Init));
    assert!(
        matches!(next(&mut events).await, Event::InitApply(object) if object.metadata.name.as_deref() == Some("a"))
    );
    assert!(
        matches!(next(&mut events).await, Event::InitApply(object) if object.metadata.name.as_deref() == Some("b"))
    );
    assert!(matches!(next(&mut events).await, Event::InitDone));

    api.create(&create, &object("c")).await.unwrap();
    assert!(matches!(next(&mut events).await, Event::Apply(object) if object.metadata.name.as_deref() == Some("c")));
    let status = Patch::Merge(json!({"status": {"display": {"state": "Ready"}}}));
    api.patch_status("c", &PatchParams::default(), &status).await.unwrap();
    assert!(
        matches!(next(&mut events).await, Event::Apply(object) if object.data["status"]["display"]["state"] == "Ready")
    );
    api.delete("c", &kube::api::DeleteParams::default()).await.unwrap();
    assert!(matches!(next(&mut events).await, Event::Delete(object) if object.metadata.name.as_deref() == Some("c")));

    outrigger.restart().unwrap();
    while api.create(&create, &object("after")).await.is_err() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let seen = until(&mut events, "after").await;
    assert!(!seen.contains("c"), "what was deleted does not come back: {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_lists_or_streams_and_survives_a_restart() {
    let cluster = Cluster::start(&Options::default()).unwrap();
    let mut outrigger = clients::behind(&cluster).unwrap();
    a_watcher_sees_everything(&cluster, &mut outrigger, "listing", Config::default()).await;
    a_watcher_sees_everything(&cluster, &mut outrigger, "paging", Config::default().page_size(1)).await;
    a_watcher_sees_everything(&cluster, &mut outrigger, "streaming", Config::default().streaming_lists()).await;
}

/// What it is about is all that a reconciler needs to know.
async fn reconcile(object: Arc<DynamicObject>, api: Arc<Api<DynamicObject>>) -> Result<Action, kube::Error> {
    let name = object.metadata.name.clone().unwrap_or_default();
    let applied = json!({
        "apiVersion": "fleet.cattle.io/v1alpha1", "kind": "BundleDeployment", "metadata": {"name": name},
        "status": {"appliedDeploymentID": object.data["spec"]["deploymentID"]},
    });
    api.patch_status(&name, &PatchParams::apply("reconciler"), &Patch::Apply(applied)).await?;
    Ok(Action::await_change())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_reconciles_and_applies() {
    let cluster = Cluster::start(&Options::default()).unwrap();
    let mut outrigger = clients::behind(&cluster).unwrap();
    cluster.namespace("reconciled").await.unwrap();
    let api = api(&cluster, "reconciled").await;
    let gvk = GroupVersionKind::gvk("fleet.cattle.io", "v1alpha1", "BundleDeployment");
    let resource = ApiResource::from_gvk_with_plural(&gvk, "bundledeployments");
    let controller = Controller::new_with(api.clone(), Config::default().streaming_lists(), resource);
    let store = controller.store();
    let running = controller
        .run(reconcile, |_, _, _| Action::requeue(Duration::from_millis(200)), Arc::new(api.clone()))
        .for_each(|_| async {});
    let working = async {
        api.create(&PostParams::default(), &object("a")).await.unwrap();
        until_applied(&api, "a", "s-1:a").await;
        let changed = Patch::Merge(json!({"spec": {"deploymentID": "s-2:b"}}));
        api.patch("a", &PatchParams::default(), &changed).await.unwrap();
        until_applied(&api, "a", "s-2:b").await;
        outrigger.restart().unwrap();
        while api.create(&PostParams::default(), &object("b")).await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        until_applied(&api, "b", "s-1:a").await;
        assert_eq!(store.len(), 2, "its cache holds each object once");
    };
    tokio::select! {
        () = running => panic!("a controller never ends"),
        done = tokio::time::timeout(PATIENCE * 2, working) => done.expect("it reconciles in time"),
    }
}

async fn until_applied(api: &Api<DynamicObject>, name: &str, id: &str) {
    let applied = async || {
        let object = api.get(name).await.ok()?;
        let managers: Vec<String> =
            object.metadata.managed_fields?.into_iter().filter_map(|entry| entry.manager).collect();
        (object.data["status"]["appliedDeploymentID"] == id && managers.iter().any(|name| name == "reconciler"))
            .then_some(())
    };
    while applied().await.is_none() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
