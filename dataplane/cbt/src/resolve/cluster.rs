//! The VolumeSnapshots of a cluster.
//!
//! VolumeSnapshots, contents and classes are followed by watches, so that a stream can begin without a question to the
//! cluster, or with one for the driver's secrets. What the watches do not say yet is asked for.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use proto::cbt::{Error, Result, Snapshot};
use runtime::Tasks;

use super::{
    Resolve, Route, named, names,
    objects::{Class, Content, SecretRef, VolumeSnapshot, resource},
    same_namespace,
};
use crate::mirror::{Mirror, answered};

/// Resolves the VolumeSnapshots of a cluster.
pub struct Cluster {
    client: Client,
    snapshots: Arc<Mirror<VolumeSnapshot>>,
    contents: Arc<Mirror<Content>>,
    classes: Arc<Mirror<Class>>,
}

/// A VolumeSnapshot that is bound and ready.
struct Bound {
    snapshot: Arc<VolumeSnapshot>,
    content: Arc<Content>,
    content_name: String,
    handle: String,
}

// === impl Cluster ===

impl Cluster {
    /// Follows the objects of the cluster of `client` as long as `tasks` run.
    pub fn start(client: Client, tasks: &Tasks) -> Self {
        let snapshots = resource("VolumeSnapshot", "volumesnapshots");
        let contents = resource("VolumeSnapshotContent", "volumesnapshotcontents");
        let classes = resource("VolumeSnapshotClass", "volumesnapshotclasses");
        let snapshots = Mirror::start("follow volumesnapshots", client.clone(), snapshots, VolumeSnapshot::read, tasks);
        let contents = Mirror::start("follow volumesnapshotcontents", client.clone(), contents, Content::read, tasks);
        let classes = Mirror::start("follow volumesnapshotclasses", client.clone(), classes, Class::read, tasks);
        Self { client, snapshots, contents, classes }
    }

    async fn bound(&self, namespace: &str, name: &str) -> Result<Bound> {
        if let (Some(snapshot), who) = (self.snapshots.seen(namespace, name), who(namespace, name))
            && let Ok(content_name) = snapshot.bound(&who).map(str::to_owned)
            && let Some(content) = self.contents.seen("", &content_name)
            && let Ok(handle) = content.handle(&who, namespace, name, &snapshot).map(str::to_owned)
        {
            return Ok(Bound { snapshot, content, content_name, handle });
        }
        self.ask(namespace, name).await
    }

    /// As it is now.
    async fn ask(&self, namespace: &str, name: &str) -> Result<Bound> {
        let who = who(namespace, name);
        let snapshot = self.snapshots.get(namespace, name).await?;
        let snapshot = Arc::new(snapshot.ok_or_else(|| Error::NotFound(format!("{who} is not there")))?);
        let content_name = snapshot.bound(&who)?.to_owned();
        let content = self.contents.get("", &content_name).await?;
        let content = Arc::new(content.ok_or_else(|| {
            Error::NotReady(format!("{who} is bound to the VolumeSnapshotContent {content_name:?}, which is not there"))
        })?);
        let handle = content.handle(&who, namespace, name, &snapshot)?.to_owned();
        Ok(Bound { snapshot, content, content_name, handle })
    }

    /// The base that a caller in `namespace` means.
    async fn base(&self, namespace: &str, base: &Snapshot, target: &Bound) -> Result<Bound> {
        let base = match base {
            Snapshot::Named { namespace: other, name } => {
                let (other, name) = names(other, name)?;
                same_namespace(namespace, other)?;
                self.bound(namespace, name).await?
            }
            Snapshot::Handle(handle) => self.by_handle(namespace, handle, &target.content.spec.driver).await?,
        };
        target.content.check_base(&base.content)?;
        Ok(base)
    }

    /// The VolumeSnapshot of a namespace that `driver` calls so. What is elsewhere is as if it were not.
    async fn by_handle(&self, namespace: &str, handle: &str, driver: &str) -> Result<Bound> {
        let fits = |content: &Content| {
            let spec = &content.spec;
            spec.driver == driver && spec.volume_snapshot_ref.namespace == namespace && content.is(handle)
        };
        for (_, content) in self.contents.find(fits) {
            match self.bound(namespace, &content.spec.volume_snapshot_ref.name).await {
                Ok(bound) if bound.handle == handle => return Ok(bound),
                // It was kept when its VolumeSnapshot went, or that is another one now.
                Ok(_) | Err(Error::NotFound(_) | Error::NotReady(_) | Error::Invalid(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.ask_by_handle(namespace, handle, driver).await
    }

    /// Among the VolumeSnapshots whose contents the watch has not told of.
    async fn ask_by_handle(&self, namespace: &str, handle: &str, driver: &str) -> Result<Bound> {
        for (name, snapshot) in self.snapshots.list(namespace).await? {
            let unseen = |content: &&str| self.contents.seen("", content).is_none_or(|seen| !seen.is_ready());
            if snapshot.bound("").ok().filter(unseen).is_none() {
                continue;
            }
            match self.ask(namespace, &name).await {
                Ok(bound) if bound.handle == handle && bound.content.spec.driver == driver => return Ok(bound),
                Ok(_) | Err(Error::NotFound(_) | Error::NotReady(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::NotFound(format!(
            "no VolumeSnapshot in the namespace {namespace} is what the driver {driver} calls {handle:?}"
        )))
    }

    async fn secrets(&self, namespace: &str, name: &str, bound: &Bound) -> Result<BTreeMap<String, String>> {
        let Some(class) = self.class(bound).await? else { return Ok(BTreeMap::new()) };
        match class.secret(namespace, name, &bound.content_name)? {
            Some(at) => self.secret(&at).await,
            None => Ok(BTreeMap::new()),
        }
    }

    /// The class of a snapshot; the driver's default where it names none. One that is gone has nothing to say.
    async fn class(&self, bound: &Bound) -> Result<Option<Arc<Class>>> {
        let spec = &bound.content.spec;
        let named =
            spec.volume_snapshot_class_name.as_ref().or(bound.snapshot.spec.volume_snapshot_class_name.as_ref());
        match named.filter(|name| machinery::name::dns1123_subdomain(name).is_empty()) {
            Some(name) => match self.classes.seen("", name) {
                Some(class) => Ok(Some(class)),
                None => Ok(self.classes.get("", name).await?.map(Arc::new)),
            },
            None => Ok(self.classes.find(|class| class.is_default_of(&spec.driver)).pop().map(|(_, class)| class)),
        }
    }

    /// Never kept: who takes a secret back means it.
    async fn secret(&self, at: &SecretRef) -> Result<BTreeMap<String, String>> {
        let SecretRef { namespace, name } = at;
        let what = format!("the Secret {namespace}/{name} that the VolumeSnapshotClass names");
        let secrets = Api::<Secret>::namespaced(self.client.clone(), namespace);
        let found = answered(&what, secrets.get_opt(name)).await?;
        let secret = found.ok_or_else(|| Error::NotReady(format!("{what} is not there")))?;
        let text = |(key, value): (String, k8s_openapi::ByteString)| match String::from_utf8(value.0) {
            Ok(value) => Ok((key, value)),
            Err(_) => Err(Error::NotReady(format!("{what} has a value that is not text: {key}"))),
        };
        secret.data.unwrap_or_default().into_iter().map(text).collect()
    }
}

#[async_trait]
impl Resolve for Cluster {
    #[tracing::instrument(name = "cbt.resolve", skip_all)]
    async fn resolve(&self, target: &Snapshot, base: Option<&Snapshot>) -> Result<Route> {
        let (namespace, name) = named(target)?;
        let bound = self.bound(namespace, name).await?;
        let base = match base {
            Some(base) => Some(self.base(namespace, base, &bound).await?.handle),
            None => None,
        };
        let secrets = self.secrets(namespace, name, &bound).await?;
        let driver = bound.content.spec.driver.clone();
        Ok(Route { driver, target: bound.handle, base, secrets })
    }
}

fn who(namespace: &str, name: &str) -> String {
    format!("the VolumeSnapshot {namespace}/{name}")
}
