//! A cluster behind its kube-apiserver.

use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use jiff::Timestamp;
use k8s_openapi::{
    api::{
        apps::v1::DaemonSet,
        core::v1::{Event as CoreEvent, EventSource, Node as CoreNode, ObjectReference, Pod as CorePod},
        policy::v1::PodDisruptionBudget,
    },
    apimachinery::pkg::apis::meta::v1::{LabelSelector as CoreSelector, MicroTime, ObjectMeta, Time},
};
use kube::{
    Api, Client, Config,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions},
};
use machinery::selector::{LabelSelector, Operator, Requirement};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Budget, CORDONED_BY, Cluster, Error, Event, Evicted, Node, Pod, Result};

/// Who writes: the manager of fields, and the source of events.
const COMPONENT: &str = "outrigger-restart";

/// How long the kube-apiserver may take to answer.
const REQUEST: Duration = Duration::from_secs(15);

/// A cluster behind its kube-apiserver.
#[derive(Clone)]
pub struct Kube {
    client: Client,
}

// === impl Kube ===

impl Kube {
    /// The cluster that `config` leads to. Its user may get, list and patch nodes, list and delete pods and create their
    /// evictions, get daemonsets, list poddisruptionbudgets and create events.
    pub fn connect(mut config: Config) -> anyhow::Result<Self> {
        // A budget answers 429, and says when to come again. That is an answer, and who asks knows when.
        config.default_retry = false;
        Ok(Self { client: Client::try_from(config).context("setting up the client of the cluster")? })
    }

    fn nodes(&self) -> Api<CoreNode> {
        Api::all(self.client.clone())
    }

    fn pods_of(&self, pod: &Pod) -> Api<CorePod> {
        Api::namespaced(self.client.clone(), &pod.namespace)
    }

    /// A merge patch of the node as it was seen.
    async fn patch(&self, node: &Node, unschedulable: Option<bool>, by: Option<&str>) -> Result<()> {
        let patch = json!({
            "metadata": {
                "uid": node.uid,
                "resourceVersion": node.resource_version,
                "annotations": {CORDONED_BY: by},
            },
            "spec": {"unschedulable": unschedulable},
        });
        let params = PatchParams { field_manager: Some(COMPONENT.to_owned()), ..PatchParams::default() };
        soon(self.nodes().patch(&node.name, &params, &Patch::Merge(patch))).await?;
        Ok(())
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Cluster for Kube {
    async fn nodes(&self) -> Result<Vec<Node>> {
        Ok(soon(self.nodes().list(&ListParams::default())).await?.into_iter().map(node).collect())
    }

    async fn node(&self, name: &str) -> Result<Option<Node>> {
        Ok(soon(self.nodes().get_opt(name)).await?.map(node))
    }

    async fn cordon(&self, node: &Node, by: &str) -> Result<()> {
        self.patch(node, Some(true), Some(by)).await
    }

    async fn uncordon(&self, node: &Node) -> Result<()> {
        self.patch(node, None, None).await
    }

    async fn pods(&self, node: &str) -> Result<Vec<Pod>> {
        let params = ListParams::default().fields(&format!("spec.nodeName={node}"));
        let pods = Api::<CorePod>::all(self.client.clone());
        Ok(soon(pods.list(&params)).await?.into_iter().map(pod).collect())
    }

    async fn has_daemon_set(&self, namespace: &str, name: &str) -> Result<bool> {
        let sets = Api::<DaemonSet>::namespaced(self.client.clone(), namespace);
        Ok(soon(sets.get_metadata_opt(name)).await?.is_some())
    }

    async fn budgets(&self) -> Result<Vec<Budget>> {
        let budgets = Api::<PodDisruptionBudget>::all(self.client.clone());
        Ok(soon(budgets.list(&ListParams::default())).await?.into_iter().map(budget).collect())
    }

    async fn evict(&self, pod: &Pod, grace: Option<i64>) -> Result<Evicted> {
        match soon(self.client.request::<Value>(eviction(pod, grace)?)).await {
            Ok(_) => Ok(Evicted::Going),
            Err(Failed::Kube(kube::Error::Api(status))) => match (status.code, status.details.as_ref()) {
                (404 | 409, _) => Ok(Evicted::Going),
                (429, details) => {
                    let causes = details.into_iter().flat_map(|details| &details.causes);
                    let budget = causes.map(|cause| cause.message.as_str()).find(|message| !message.is_empty());
                    Ok(Evicted::Blocked(budget.unwrap_or(&status.message).to_owned()))
                }
                // Several budgets cover it, or its namespace is being deleted.
                (500 | 403, _) => Ok(Evicted::Blocked(status.message.clone())),
                _ => Err(Failed::Kube(kube::Error::Api(status)).into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    async fn delete(&self, pod: &Pod, grace: Option<i64>) -> Result<()> {
        let params = delete_params(pod, grace);
        match soon(self.pods_of(pod).delete(&pod.name, &params)).await {
            Ok(_) => Ok(()),
            Err(Failed::Kube(kube::Error::Api(status))) if matches!(status.code, 404 | 409) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn tell(&self, event: &Event) -> Result<()> {
        let events = Api::<CoreEvent>::namespaced(self.client.clone(), "default");
        let event = core_event(event);
        match soon(events.create(&PostParams::default(), &event)).await {
            Ok(_) => Ok(()),
            Err(Failed::Kube(kube::Error::Api(status))) if status.code == 409 => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// A request that was not answered well.
enum Failed {
    Kube(kube::Error),
    Late,
}

async fn soon<T>(request: impl Future<Output = kube::Result<T>>) -> Result<T, Failed> {
    timeout(REQUEST, request).await.map_err(|_| Failed::Late)?.map_err(Failed::Kube)
}

/// The request for an eviction. kube's own has a body in which the kube-apiserver finds no options.
fn eviction(pod: &Pod, grace: Option<i64>) -> Result<http::Request<Vec<u8>>> {
    let Pod { namespace, name, .. } = pod;
    let body = json!({
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
        "deleteOptions": delete_params(pod, grace),
    });
    http::Request::post(format!("/api/v1/namespaces/{namespace}/pods/{name}/eviction"))
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(body.to_string().into_bytes())
        .map_err(|error| Error::Refused(error.to_string()))
}

/// Only this very pod: another may have its name by now.
fn delete_params(pod: &Pod, grace: Option<i64>) -> DeleteParams {
    DeleteParams {
        grace_period_seconds: grace.map(|seconds| u32::try_from(seconds).unwrap_or(0)),
        preconditions: Some(Preconditions { uid: Some(pod.uid.clone()), resource_version: None }),
        ..DeleteParams::default()
    }
}

fn node(node: CoreNode) -> Node {
    let (spec, status) = (node.spec.unwrap_or_default(), node.status.unwrap_or_default());
    let addresses = status.addresses.unwrap_or_default();
    let of = |types: &[&str]| -> Vec<String> {
        let chosen = addresses.iter().filter(|address| types.contains(&address.type_.as_str()));
        chosen.map(|address| address.address.clone()).collect()
    };
    let conditions = status.conditions.unwrap_or_default();
    Node {
        name: node.metadata.name.unwrap_or_default(),
        uid: node.metadata.uid.unwrap_or_default(),
        resource_version: node.metadata.resource_version.unwrap_or_default(),
        labels: node.metadata.labels.unwrap_or_default(),
        annotations: node.metadata.annotations.unwrap_or_default(),
        provider_id: spec.provider_id.unwrap_or_default(),
        unschedulable: spec.unschedulable.unwrap_or_default(),
        boot_id: status.node_info.unwrap_or_default().boot_id,
        ready: conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True"),
        ips: of(&["InternalIP"]),
        hosts: of(&["InternalDNS", "Hostname"]),
    }
}

fn pod(pod: CorePod) -> Pod {
    let (meta, spec) = (pod.metadata, pod.spec.unwrap_or_default());
    let owners = meta.owner_references.unwrap_or_default();
    let controller = owners.into_iter().find(|owner| owner.controller == Some(true));
    let phase = pod.status.and_then(|status| status.phase).unwrap_or_default();
    Pod {
        namespace: meta.namespace.unwrap_or_default(),
        name: meta.name.unwrap_or_default(),
        uid: meta.uid.unwrap_or_default(),
        labels: meta.labels.unwrap_or_default(),
        controller: controller.map(|owner| (owner.kind, owner.name)),
        mirror: meta.annotations.is_some_and(|annotations| annotations.contains_key("kubernetes.io/config.mirror")),
        empty_dir: spec.volumes.is_some_and(|volumes| volumes.iter().any(|volume| volume.empty_dir.is_some())),
        finished: phase == "Succeeded" || phase == "Failed",
        terminating: meta.deletion_timestamp.is_some(),
    }
}

fn budget(budget: PodDisruptionBudget) -> Budget {
    Budget {
        namespace: budget.metadata.namespace.unwrap_or_default(),
        name: budget.metadata.name.unwrap_or_default(),
        selector: budget.spec.and_then(|spec| spec.selector).map(selector),
        allowed: budget.status.and_then(|status| status.disruptions_allowed).unwrap_or(0),
    }
}

fn selector(selector: CoreSelector) -> LabelSelector {
    let equal = |(key, value)| Requirement { key, operator: Operator::In, values: vec![value] };
    let mut requirements: Vec<_> = selector.match_labels.unwrap_or_default().into_iter().map(equal).collect();
    requirements.extend(selector.match_expressions.unwrap_or_default().into_iter().map(|expression| Requirement {
        key: expression.key,
        operator: match expression.operator.as_str() {
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            _ => Operator::In,
        },
        values: expression.values.unwrap_or_default(),
    }));
    LabelSelector { requirements }
}

fn core_event(event: &Event) -> CoreEvent {
    let time = Timestamp::from_second(event.time).unwrap_or_default();
    CoreEvent {
        metadata: ObjectMeta { name: Some(event.name.clone()), ..ObjectMeta::default() },
        involved_object: ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Node".to_owned()),
            name: Some(event.node.clone()),
            uid: Some(event.uid.clone()),
            ..ObjectReference::default()
        },
        type_: Some(if event.warning { "Warning" } else { "Normal" }.to_owned()),
        reason: Some(event.reason.clone()),
        message: Some(event.message.clone()),
        action: Some("Restart".to_owned()),
        source: Some(EventSource { component: Some(COMPONENT.to_owned()), host: None }),
        reporting_component: Some(COMPONENT.to_owned()),
        reporting_instance: Some(event.instance.clone()),
        event_time: Some(MicroTime(time)),
        first_timestamp: Some(Time(time)),
        last_timestamp: Some(Time(time)),
        count: Some(1),
        ..CoreEvent::default()
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Kube(kube::Error::Api(status)) if status.code == 409 => Self::Conflict(status.message.clone()),
            Failed::Kube(kube::Error::Api(status)) if status.code >= 500 || status.code == 429 => {
                Self::Unavailable(status.message.clone())
            }
            Failed::Kube(kube::Error::Api(status)) => Self::Refused(status.message.clone()),
            Failed::Kube(error) => Self::Unavailable(runtime::telemetry::chain(&error)),
            Failed::Late => Self::Unavailable(format!("not in {REQUEST:?}")),
        }
    }
}
