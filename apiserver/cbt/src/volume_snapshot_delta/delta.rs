//! A stored VolumeSnapshotDelta as a query.

use proto::cbt::{Query, Shape, Snapshot};
use serde_json::Value;

use super::page::Page;

/// Entries in a message at most, so that what is made of one stays small: some 600 KiB of JSON.
const PER_MESSAGE: u32 = 4096;

/// Whose blocks: both are in the namespace of the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delta {
    base: Option<Snapshot>,
    pub(super) target: Snapshot,
}

// === impl Delta ===

impl Delta {
    /// Of an object.
    pub(super) fn of(object: &Value) -> Self {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
        let snapshot = |field: &str| {
            let name = object["spec"][field].as_str().filter(|name| !name.is_empty())?;
            Some(Snapshot::Named { namespace: namespace.to_owned(), name: name.to_owned() })
        };
        let nameless = || Snapshot::Named { namespace: namespace.to_owned(), name: String::new() };
        Self {
            base: snapshot("baseVolumeSnapshotName"),
            target: snapshot("targetVolumeSnapshotName").unwrap_or_else(nameless),
        }
    }

    /// The query for a page.
    pub(super) fn query(self, page: Page) -> Query {
        Query {
            base: self.base,
            shape: Shape::Blocks,
            start: page.offset,
            limit: page.limit,
            per_message: PER_MESSAGE,
            tokens: true,
            ..Query::allocated(self.target)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn snapshots_are_those_of_the_objects_namespace() {
        let named = |name: &str| Snapshot::Named { namespace: "ns".to_owned(), name: name.to_owned() };
        let of = |spec: Value| Delta::of(&json!({ "metadata": { "namespace": "ns" }, "spec": spec }));
        let both = of(json!({ "baseVolumeSnapshotName": "a", "targetVolumeSnapshotName": "b" }));
        assert_eq!(both, Delta { base: Some(named("a")), target: named("b") });
        for spec in [
            json!({ "targetVolumeSnapshotName": "b" }),
            json!({ "baseVolumeSnapshotName": "", "targetVolumeSnapshotName": "b" }),
        ] {
            assert_eq!(of(spec), Delta { base: None, target: named("b") });
        }
    }

    #[test]
    fn a_page_is_asked_for_by_block() {
        let delta =
            Delta::of(&json!({ "metadata": { "namespace": "ns" }, "spec": { "targetVolumeSnapshotName": "b" } }));
        let query = delta.query(Page { offset: 7, limit: 9 });
        assert_eq!((query.shape, query.start, query.limit, query.tokens), (Shape::Blocks, 7, 9, true));
    }
}
