//! NodeRestarts in the store, as whoever answers the API stores and reads objects there.
//!
//! A value is the object's JSON without its resourceVersion. Its schema tag is the version alone, which is no tag that an
//! apiserver gives: it then reads the object as one of an older schema, and what it serves is complete.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use machinery::{
    json,
    selector::{FieldRequirement, FieldSelector},
};
use proto::store::{
    At, Batch, Content, Error, Expect, Key, Labels, List, ListOptions, Op, Result, Revision, Scope, Store, Value,
    WatchOptions, Write,
};

use crate::node_restart::{GROUP, NodeRestart, Phase, RESOURCE, VERSION};

/// The fields that clients may select by.
const NODE_FIELD: &str = "spec.nodeName";
const PHASE_FIELD: &str = "status.phase";

/// The NodeRestarts of a store.
#[derive(Clone)]
pub(crate) struct Records {
    store: Arc<dyn Store>,
}

/// A NodeRestart as it was at a revision.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kept {
    pub(crate) revision: Revision,
    pub(crate) restart: NodeRestart,
}

// === impl Records ===

impl Records {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    pub(crate) async fn get(&self, name: &str) -> Result<Option<Kept>> {
        let entry = self.store.get(&key(name), At::Latest).await?;
        entry.map(|entry| decode(&entry.content, entry.revision)).transpose()
    }

    /// All of them, by name.
    pub(crate) async fn all(&self) -> Result<Vec<Kept>> {
        Ok(self.list(Vec::new()).await?.1)
    }

    /// Those of a node.
    pub(crate) async fn of_node(&self, node: &str) -> Result<Vec<Kept>> {
        let field = FieldRequirement { field: NODE_FIELD.to_owned(), equal: true, value: node.to_owned() };
        Ok(self.list(vec![field]).await?.1)
    }

    /// Those that have not ended, and the revision that this is as of.
    pub(crate) async fn unended(&self) -> Result<(Revision, Vec<Kept>)> {
        let ends = Phase::ALL.into_iter().filter(|phase| phase.is_end());
        let not = |phase: Phase| FieldRequirement {
            field: PHASE_FIELD.to_owned(),
            equal: false,
            value: phase.as_str().to_owned(),
        };
        self.list(ends.map(not).collect()).await
    }

    async fn list(&self, requirements: Vec<FieldRequirement>) -> Result<(Revision, Vec<Kept>)> {
        let options = ListOptions { fields: FieldSelector { requirements }, ..ListOptions::default() };
        let List { revision, chunks, .. } = self.store.list(&scope(), options).await?;
        let entries: Vec<Vec<_>> = chunks.try_collect().await?;
        let kept = entries.into_iter().flatten().map(|entry| decode(&entry.content, entry.revision));
        Ok((revision, kept.collect::<Result<_>>()?))
    }

    /// The names of those that are written after a revision.
    pub(crate) async fn written(&self, after: Revision) -> Result<BoxStream<'static, Result<Vec<String>>>> {
        let batches = self.store.watch(&scope(), WatchOptions { after }).await?;
        let names = |batch: Batch| batch.events.into_iter().map(|event| event.entry.key.name).collect();
        Ok(batches.map_ok(names).boxed())
    }

    pub(crate) async fn create(&self, restart: &NodeRestart) -> Result<Revision> {
        self.write(restart.name(), Op::Create(encode(restart))).await
    }

    /// Writes, if nobody has since `revision`.
    pub(crate) async fn update(&self, restart: &NodeRestart, revision: Revision) -> Result<Revision> {
        let expect = Expect { revision: Some(revision), uid: Some(restart.metadata.uid.clone()) };
        self.write(restart.name(), Op::Update(encode(restart), expect)).await
    }

    /// Removes, if nobody has written since. What is gone already is gone.
    pub(crate) async fn remove(&self, kept: &Kept) -> Result<()> {
        let expect = Expect { revision: Some(kept.revision), uid: Some(kept.restart.metadata.uid.clone()) };
        match self.write(kept.restart.name(), Op::Delete(expect)).await {
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn write(&self, name: &str, op: Op) -> Result<Revision> {
        Ok(self.store.write(Write { key: key(name), op }).await?.revision)
    }
}

fn key(name: &str) -> Key {
    let (group, resource) = (GROUP.to_owned(), RESOURCE.to_owned());
    Key { group, resource, namespace: String::new(), name: name.to_owned() }
}

fn scope() -> Scope {
    Scope { group: GROUP.to_owned(), resource: RESOURCE.to_owned(), namespace: None }
}

fn encode(restart: &NodeRestart) -> Content {
    let object = serde_json::to_value(restart).expect("its maps have string keys");
    let (json, splice) = json::encode_stored(&object);
    let fields = [(NODE_FIELD, restart.spec.node_name.as_str()), (PHASE_FIELD, restart.status.phase.as_str())];
    Content {
        uid: restart.metadata.uid.clone(),
        labels: Labels::new(),
        fields: fields.map(|(field, value)| (field.to_owned(), value.to_owned())).into(),
        value: Value { json: json.into(), splice, schema: VERSION.to_owned() },
    }
}

fn decode(content: &Content, revision: Revision) -> Result<Kept> {
    let unreadable = |error| Error::Internal { reason: format!("a stored NodeRestart cannot be read: {error}") };
    Ok(Kept { revision, restart: serde_json::from_slice(&content.value.json).map_err(unreadable)? })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use schema::Definition;
    use serde_json::json;

    use super::*;

    const DEFINITION: &str = include_str!("node_restart.yaml");

    /// An object with every field that there is.
    fn full() -> serde_json::Value {
        let (time, step) = ("2026-11-21T10:00:00Z", json!({"step": "Reboot", "mode": "Soft"}));
        let plan = json!({
            "steps": [step], "verdict": "v", "begins": time,
            "guards": [{"name": "Identity", "passes": false, "message": "m"}],
            "pods": [{"namespace": "d", "name": "p", "action": "Block", "reason": "r"}],
            "budgets": [{"namespace": "d", "name": "b", "pods": 1}],
        });
        let record = json!({
            "step": "Reset", "mode": "Hard", "token": "t", "attempt": 2, "by": "w", "time": time, "outcome": "Refused",
            "requestID": "q", "message": "m", "retryAt": time,
        });
        json!({
            "apiVersion": "infraops.michael.io/v1", "kind": "NodeRestart",
            "metadata": {
                "name": "n-1", "uid": "u", "creationTimestamp": time, "deletionTimestamp": time,
                "deletionGracePeriodSeconds": 0, "generation": 1, "annotations": {"a": "b"}, "finalizers": ["f/f"],
            },
            "spec": {
                "nodeName": "n", "mode": "SoftThenHard",
                "drain": {"enabled": true, "gracePeriod": "30s", "timeout": "10m0s", "force": true,
                          "ignoreDaemonSets": true, "deleteEmptyDir": true, "disableEviction": true},
                "reason": "r", "idempotencyKey": "k", "notBefore": time, "timeout": "30m0s",
                "window": {"start": "22:00", "end": "05:00", "days": ["Sat"]},
                "requestedBy": {"username": "jane", "uid": "1"},
            },
            "status": {
                "phase": "Draining", "reason": "r", "message": "m", "provider": "aws", "bootID": "b",
                "node": {"uid": "u", "providerID": "p", "bootID": "b"},
                "instance": {"id": "i", "region": "r", "state": "Running", "providerState": "running"},
                "cordon": "Made",
                "drain": {"total": 2, "left": 1, "blocking": [{"namespace": "d", "name": "p", "reason": "r"}]},
                "steps": [record], "plan": plan, "ending": {"phase": "Failed", "time": time},
                "beganAt": time, "endedAt": time, "history": [{"phase": "Accepted", "time": time}],
            },
        })
    }

    #[test]
    fn every_field_is_kept_and_described() {
        let object = full();
        let restart: NodeRestart = serde_json::from_value(object.clone()).unwrap();
        assert_eq!(serde_json::to_value(&restart).unwrap(), object);
        let definition = Definition::parse(DEFINITION.as_bytes()).unwrap().remove(0);
        let schema = &definition.versions[0].schema;
        let mut pruned = object.clone();
        schema.prune(&mut pruned);
        assert_eq!(pruned, object);
        assert_eq!(schema.validate(&object, None), []);
    }

    #[test]
    fn it_comes_back_from_the_store_as_it_was() {
        let restart: NodeRestart = serde_json::from_value(full()).unwrap();
        let content = encode(&restart);
        assert_eq!(decode(&content, 7).unwrap(), Kept { revision: 7, restart });
        let definition = Definition::parse(DEFINITION.as_bytes()).unwrap().remove(0);
        let selectable = &definition.versions[0].selectable_fields;
        assert_eq!(content.fields.keys().collect::<Vec<_>>(), selectable.iter().collect::<Vec<_>>());
    }
}
