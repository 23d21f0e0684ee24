//! Which audience the tokens for a driver are for: what its SnapshotMetadataService object says, or a flag.
//!
//! Where the cluster has the definition of that kind (v1beta1), its objects count; else those of v1alpha1 in our store.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use kube::{
    Client,
    api::{ApiResource, DynamicObject, GroupVersionKind},
};
use proto::store::{Scope, Store};
use runtime::Tasks;
use serde::Deserialize;

use crate::mirror::{Mirror, Sight, stored};

const GROUP: &str = "cbt.storage.k8s.io";
const PLURAL: &str = "snapshotmetadataservices";

/// The audiences of the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Current {
    /// One for all drivers.
    All(String),
    /// Each driver's own.
    Each(BTreeMap<String, String>),
}

/// Knows the audiences.
pub(crate) struct Audiences {
    given: Option<String>,
    cluster: Arc<Mirror<Object>>,
    /// `None` until they were read, and without a store.
    stored: Arc<RwLock<Option<BTreeMap<String, String>>>>,
}

/// A SnapshotMetadataService.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Object {
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    audience: String,
}

// === impl Audiences ===

impl Audiences {
    /// Follows the objects of the cluster of `client` and those in `store`, as long as `tasks` run; `given` comes first.
    pub(crate) fn start(given: Option<String>, client: Client, store: Option<Arc<dyn Store>>, tasks: &Tasks) -> Self {
        let kind = GroupVersionKind::gvk(GROUP, "v1beta1", "SnapshotMetadataService");
        let resource = ApiResource::from_gvk_with_plural(&kind, PLURAL);
        let read = |object: DynamicObject| serde_json::from_value(object.data).unwrap_or_default();
        let cluster = Mirror::start("follow snapshotmetadataservices", client, resource, read, tasks);
        let audiences = Self { given, cluster, stored: Arc::default() };
        if let Some(store) = store {
            let stored = Arc::clone(&audiences.stored);
            let scope = Scope { group: GROUP.into(), resource: PLURAL.into(), namespace: None };
            stored::follow("follow stored snapshotmetadataservices", store, scope, tasks, move |entries| {
                let all = entries.values().map(|entry| {
                    let object: Object = serde_json::from_slice(&entry.content.value.json).unwrap_or_default();
                    (entry.key.name.clone(), object.spec.audience)
                });
                *stored.write().unwrap_or_else(PoisonError::into_inner) = Some(filled(all));
            });
        }
        audiences
    }

    /// The audiences of the moment; `None` while nobody knows.
    pub(crate) fn current(&self) -> Option<Current> {
        if let Some(given) = &self.given {
            return Some(Current::All(given.clone()));
        }
        match self.cluster.sight() {
            Sight::Unknown => None,
            Sight::Complete => {
                let all = self.cluster.find(|_| true).into_iter();
                Some(Current::Each(filled(all.map(|((_, name), object)| (name, object.spec.audience.clone())))))
            }
            Sight::Absent => self.stored.read().unwrap_or_else(PoisonError::into_inner).clone().map(Current::Each),
        }
    }
}

/// An empty audience is none: a token for it would be one for the cluster's own API.
fn filled(all: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    all.filter(|(_, audience)| !audience.is_empty()).collect()
}

// === impl Current ===

impl Current {
    /// Every audience that a token may be for.
    pub(crate) fn all(&self) -> Vec<String> {
        match self {
            Self::All(audience) => vec![audience.clone()],
            Self::Each(each) => {
                let mut all: Vec<_> = each.values().cloned().collect();
                all.sort();
                all.dedup();
                all
            }
        }
    }

    /// The audience of a driver.
    pub(crate) fn of(&self, driver: &str) -> Option<&str> {
        match self {
            Self::All(audience) => Some(audience),
            Self::Each(each) => each.get(driver).map(String::as_str),
        }
    }
}
