//! The two kinds: their definitions, and what each is called where.

use std::sync::Arc;

use apiserver::Extension;
use hyperfleet_records::{Kind, Records};
use proto::store::Store;
use schema::{Definition, Version};

use crate::{
    actor::Reported,
    store::{Judge, View},
};

/// A kind's definition document, and where that is from.
struct Document {
    origin: &'static str,
    text: &'static str,
}

/// Both kinds, over these records, written as `judge` allows.
pub fn extensions(records: &Records, judge: Judge) -> Vec<Extension> {
    let store: Arc<dyn Store> = Arc::new(View::new(records.clone(), judge));
    let extension = |kind| {
        let Document { origin, text: definition } = document(kind);
        Extension { origin, definition, actor: Arc::new(Reported), store: Some(Arc::clone(&store)) }
    };
    [Kind::Cluster, Kind::NodePool].map(extension).into()
}

/// The name of the kind's resource.
pub(crate) fn resource(kind: Kind) -> &'static str {
    match kind {
        Kind::Cluster => "clusters",
        Kind::NodePool => "nodepools",
    }
}

/// The kind of a resource.
pub(crate) fn of(resource: &str) -> Option<Kind> {
    [Kind::Cluster, Kind::NodePool].into_iter().find(|kind| self::resource(*kind) == resource)
}

/// What objects call it.
pub(crate) fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Cluster => "Cluster",
        Kind::NodePool => "NodePool",
    }
}

/// What marks an object as written by the kind's present schema, which lets its bytes pass through the apiserver.
pub(crate) fn tag(kind: Kind) -> String {
    apiserver::Kind::tag_of(&version(kind))
}

fn version(kind: Kind) -> Version {
    let definitions = Definition::parse(document(kind).text.as_bytes()).expect("the definition is a constant");
    let versions = definitions.into_iter().flat_map(|definition| definition.versions);
    versions.into_iter().next().expect("the definition has a version")
}

fn document(kind: Kind) -> Document {
    match kind {
        Kind::Cluster => Document { origin: "cluster.yaml", text: include_str!("cluster.yaml") },
        Kind::NodePool => Document { origin: "node_pool.yaml", text: include_str!("node_pool.yaml") },
    }
}
