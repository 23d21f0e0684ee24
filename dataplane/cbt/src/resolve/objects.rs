//! What is needed of `snapshot.storage.k8s.io/v1`, and what must be true of it. Nothing here may be relied upon to be
//! there: a VolumeSnapshot that was just created has no status at all.

use std::collections::BTreeMap;

use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use proto::cbt::{Error, Result};
use serde::{Deserialize, de::DeserializeOwned};

pub(super) const GROUP: &str = "snapshot.storage.k8s.io";

/// A VolumeSnapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct VolumeSnapshot {
    #[serde(skip)]
    pub(super) uid: String,
    pub(super) spec: SnapshotSpec,
    status: Option<SnapshotStatus>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SnapshotSpec {
    pub(super) volume_snapshot_class_name: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SnapshotStatus {
    bound_volume_snapshot_content_name: Option<String>,
    ready_to_use: Option<bool>,
    error: Option<Fault>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Fault {
    message: Option<String>,
}

/// A VolumeSnapshotContent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Content {
    pub(super) spec: ContentSpec,
    status: Option<ContentStatus>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ContentSpec {
    pub(super) driver: String,
    pub(super) source: ContentSource,
    pub(super) volume_snapshot_ref: SnapshotRef,
    pub(super) volume_snapshot_class_name: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ContentSource {
    /// The volume; absent of a snapshot that was there before its objects.
    pub(super) volume_handle: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct SnapshotRef {
    pub(super) namespace: String,
    pub(super) name: String,
    uid: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContentStatus {
    snapshot_handle: Option<String>,
    ready_to_use: Option<bool>,
}

/// A VolumeSnapshotClass.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Class {
    #[serde(skip)]
    is_default: bool,
    driver: String,
    parameters: BTreeMap<String, String>,
}

/// A Secret's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SecretRef {
    pub(super) namespace: String,
    pub(super) name: String,
}

/// A resource of the group.
pub(super) fn resource(kind: &str, plural: &str) -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(GROUP, "v1", kind), plural)
}

// === impl VolumeSnapshot ===

impl VolumeSnapshot {
    /// What cannot be read is as good as a snapshot without a status.
    pub(super) fn read(object: DynamicObject) -> Self {
        let uid = object.metadata.uid.clone().unwrap_or_default();
        Self { uid, ..decoded(object.data) }
    }

    /// The name of the content that it is bound to, once it is ready. `who` is what to call it.
    pub(super) fn bound(&self, who: &str) -> Result<&str> {
        let not_ready = |why: &str| Err(Error::NotReady(format!("{who} {why}")));
        let Some(status) = &self.status else { return not_ready("has no status yet") };
        let content = status.bound_volume_snapshot_content_name.as_deref().filter(|name| !name.is_empty());
        let Some(content) = content else { return not_ready("is not bound to a VolumeSnapshotContent yet") };
        if status.ready_to_use != Some(true) {
            let fault = status.error.as_ref().and_then(|fault| fault.message.as_deref());
            return not_ready(
                &fault
                    .map_or_else(|| "is not ready to use".to_owned(), |fault| format!("is not ready to use: {fault}")),
            );
        }
        Ok(content)
    }
}

// === impl Content ===

impl Content {
    pub(super) fn read(object: DynamicObject) -> Self {
        decoded(object.data)
    }

    /// What the driver calls the snapshot, if this content is that of the VolumeSnapshot `namespace/name` and ready.
    pub(super) fn handle(&self, who: &str, namespace: &str, name: &str, snapshot: &VolumeSnapshot) -> Result<&str> {
        let not_ready = |why: &str| Err(Error::NotReady(format!("{who} {why}")));
        let to = &self.spec.volume_snapshot_ref;
        if to.namespace != namespace || to.name != name || !to.uid.is_empty() && to.uid != snapshot.uid {
            return not_ready("is bound to a VolumeSnapshotContent that is bound to another VolumeSnapshot");
        }
        if self.spec.driver.is_empty() {
            return not_ready("is bound to a VolumeSnapshotContent without a driver");
        }
        let status = self.status.as_ref();
        if status.and_then(|status| status.ready_to_use) != Some(true) {
            return not_ready("is bound to a VolumeSnapshotContent that is not ready to use");
        }
        match status.and_then(|status| status.snapshot_handle.as_deref()) {
            Some(handle) if !handle.is_empty() => Ok(handle),
            _ => not_ready("is bound to a VolumeSnapshotContent without a snapshotHandle"),
        }
    }

    /// Whether nothing more is to come.
    pub(super) fn is_ready(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.ready_to_use == Some(true) && status.snapshot_handle.is_some())
    }

    /// Whether the driver calls it so.
    pub(super) fn is(&self, handle: &str) -> bool {
        self.status.as_ref().is_some_and(|status| status.snapshot_handle.as_deref() == Some(handle))
    }

    /// Refuses a base that is not of this content's driver and volume.
    pub(super) fn check_base(&self, base: &Self) -> Result<()> {
        let (own, others) = (&self.spec, &base.spec);
        if own.driver != others.driver {
            let (own, others) = (&own.driver, &others.driver);
            return Err(Error::Invalid(format!("the base is a snapshot of the driver {others}, the target of {own}")));
        }
        // Of snapshots that were there before their objects nobody knows the volume; the driver does.
        match (&own.source.volume_handle, &others.source.volume_handle) {
            (Some(own), Some(others)) if own != others => {
                Err(Error::Invalid("the base and the target are snapshots of different volumes".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

// === impl Class ===

impl Class {
    pub(super) fn read(object: DynamicObject) -> Self {
        let annotations = object.metadata.annotations.as_ref();
        let is_default = annotations
            .and_then(|annotations| annotations.get("snapshot.storage.kubernetes.io/is-default-class"))
            .is_some_and(|value| value == "true");
        Self { is_default, ..decoded(object.data) }
    }

    /// Whether snapshots of a driver are of this class when they name none.
    pub(super) fn is_default_of(&self, driver: &str) -> bool {
        self.is_default && self.driver == driver
    }

    /// Where the secrets of a snapshot are, if the class says so.
    pub(super) fn secret(&self, namespace: &str, name: &str, content: &str) -> Result<Option<SecretRef>> {
        let parameter = |key: &str| {
            let value = self.parameters.get(&format!("csi.storage.k8s.io/snapshotter-secret-{key}"));
            value.map(|value| {
                value
                    .replace("${volumesnapshotcontent.name}", content)
                    .replace("${volumesnapshot.namespace}", namespace)
                    .replace("${volumesnapshot.name}", name)
            })
        };
        match (parameter("namespace"), parameter("name")) {
            (None, None) => Ok(None),
            (Some(namespace), Some(name))
                if machinery::name::dns1123_label(&namespace).is_empty()
                    && machinery::name::dns1123_subdomain(&name).is_empty() =>
            {
                Ok(Some(SecretRef { namespace, name }))
            }
            _ => Err(Error::NotReady(
                "the VolumeSnapshotClass names no Secret that can be: look at its parameters \
                 csi.storage.k8s.io/snapshotter-secret-name and -namespace"
                    .to_owned(),
            )),
        }
    }
}

fn decoded<T: DeserializeOwned + Default>(data: serde_json::Value) -> T {
    serde_json::from_value(data).unwrap_or_default()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object(json: Value) -> DynamicObject {
        serde_json::from_value(json).unwrap()
    }

    fn snapshot(status: Value) -> VolumeSnapshot {
        let metadata = json!({"name": "s", "namespace": "n", "uid": "u"});
        VolumeSnapshot::read(object(json!({"metadata": metadata, "spec": {}, "status": status})))
    }

    fn content(spec: Value, status: Value) -> Content {
        Content::read(object(json!({"metadata": {"name": "c"}, "spec": spec, "status": status})))
    }

    #[test]
    fn a_snapshot_is_bound_when_it_says_so_and_whatever_it_is_breaks_nothing() {
        let ready = json!({"boundVolumeSnapshotContentName": "c", "readyToUse": true});
        assert_eq!(snapshot(ready).bound("it"), Ok("c"));
        for (status, what) in [
            (json!(null), "no status"),
            (json!({}), "not bound"),
            (json!({"readyToUse": true}), "not bound"),
            (json!({"boundVolumeSnapshotContentName": "", "readyToUse": true}), "not bound"),
            (json!({"boundVolumeSnapshotContentName": "c"}), "not ready"),
            (json!({"boundVolumeSnapshotContentName": "c", "readyToUse": false}), "not ready"),
            (json!({"boundVolumeSnapshotContentName": "c", "error": {"message": "full"}}), "not ready to use: full"),
            (json!({"boundVolumeSnapshotContentName": 7}), "no status"),
            (json!("x"), "no status"),
        ] {
            match snapshot(status).bound("it") {
                Err(Error::NotReady(why)) => assert!(why.contains(what), "{why}"),
                other => panic!("{other:?}"),
            }
        }
        let without = VolumeSnapshot::read(object(json!({"metadata": {"name": "s"}})));
        assert!(matches!(without.bound("it"), Err(Error::NotReady(_))));
    }

    #[test]
    fn a_content_has_a_handle_for_its_own_snapshot_only() {
        let spec = json!({"driver": "d", "volumeSnapshotRef": {"namespace": "n", "name": "s", "uid": "u"}});
        let ready = json!({"snapshotHandle": "h", "readyToUse": true});
        let snapshot = snapshot(json!({}));
        let good = content(spec.clone(), ready.clone());
        assert_eq!(good.handle("it", "n", "s", &snapshot), Ok("h"));
        for (spec, status, what) in [
            (json!({"driver": "d"}), ready.clone(), "another VolumeSnapshot"),
            (json!({"driver": "d", "volumeSnapshotRef": {"namespace": "x", "name": "s"}}), ready.clone(), "another"),
            (
                json!({"driver": "d", "volumeSnapshotRef": {"namespace": "n", "name": "s", "uid": "old"}}),
                ready.clone(),
                "another",
            ),
            (json!({"volumeSnapshotRef": {"namespace": "n", "name": "s"}}), ready, "without a driver"),
            (spec.clone(), json!(null), "not ready"),
            (spec.clone(), json!({"snapshotHandle": "h"}), "not ready"),
            (spec, json!({"readyToUse": true}), "without a snapshotHandle"),
        ] {
            match content(spec, status).handle("it", "n", "s", &snapshot) {
                Err(Error::NotReady(why)) => assert!(why.contains(what), "{why}"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_base_is_of_the_same_driver_and_volume() {
        let of = |driver: &str, volume: Value| {
            content(json!({"driver": driver, "source": {"volumeHandle": volume}}), json!(null))
        };
        let target = of("d", json!("v"));
        assert_eq!(target.check_base(&of("d", json!("v"))), Ok(()));
        assert_eq!(target.check_base(&of("d", json!(null))), Ok(()), "the driver knows");
        assert!(matches!(target.check_base(&of("e", json!("v"))), Err(Error::Invalid(_))));
        assert!(matches!(target.check_base(&of("d", json!("w"))), Err(Error::Invalid(_))));
    }

    #[test]
    fn a_class_names_secrets_with_what_a_snapshot_is_called() {
        let class = |parameters: Value| {
            Class::read(object(json!({"metadata": {"name": "c"}, "driver": "d", "parameters": parameters})))
        };
        let secret = |parameters| class(parameters).secret("ns", "snap", "content");
        let (name, namespace) =
            ("csi.storage.k8s.io/snapshotter-secret-name", "csi.storage.k8s.io/snapshotter-secret-namespace");
        assert_eq!(secret(json!({})), Ok(None));
        assert_eq!(secret(json!(null)), Ok(None));
        let at = |namespace: &str, name: &str| {
            Ok(Some(SecretRef { namespace: namespace.to_owned(), name: name.to_owned() }))
        };
        assert_eq!(secret(json!({name: "s", namespace: "csi"})), at("csi", "s"));
        let templates = json!({
            name: "${volumesnapshot.name}-${volumesnapshotcontent.name}",
            namespace: "${volumesnapshot.namespace}",
        });
        assert_eq!(secret(templates), at("ns", "snap-content"));
        for parameters in [json!({name: "s"}), json!({namespace: "csi"}), json!({name: "../s", namespace: "csi"})] {
            assert!(matches!(secret(parameters), Err(Error::NotReady(_))));
        }
    }

    #[test]
    fn a_class_is_the_default_of_its_driver() {
        let class = |annotations: Value| {
            Class::read(object(json!({"metadata": {"name": "c", "annotations": annotations}, "driver": "d"})))
        };
        let default = class(json!({"snapshot.storage.kubernetes.io/is-default-class": "true"}));
        assert!(default.is_default_of("d") && !default.is_default_of("e"));
        assert!(!class(json!({})).is_default_of("d"));
    }
}
