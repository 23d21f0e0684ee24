//! The last restart of each node, from the NodeRestarts in the store.

use std::collections::HashMap;

use apiserver::Call;
use futures::TryStreamExt;
use machinery::{
    meta::ObjectMeta,
    selector::{FieldRequirement, FieldSelector},
    status::Status,
};
use proto::store::{Entry, ListOptions, Revision, Scope};
use serde_json::{Value, json};

use crate::{GROUP, NODE_RESTARTS, phase};

/// The newest restart that counts of each node, by the node's name.
#[derive(Debug, Default)]
pub(super) struct LastRestarts {
    by_node: HashMap<String, (String, Revision, Value)>,
}

/// Of one node, or of all.
pub(super) async fn of(call: &Call<'_>, node: Option<&str>) -> Result<LastRestarts, Status> {
    let scope = Scope { group: GROUP.to_owned(), resource: NODE_RESTARTS.to_owned(), namespace: None };
    let of_node =
        node.map(|name| FieldRequirement { field: "spec.nodeName".to_owned(), equal: true, value: name.to_owned() });
    let fields = FieldSelector { requirements: of_node.into_iter().collect() };
    let list = call.store().list(&scope, ListOptions { fields, ..ListOptions::default() }).await;
    let mut list = list.map_err(|error| call.failed(&error))?;
    let mut last = LastRestarts::default();
    while let Some(entries) = list.chunks.try_next().await.map_err(|error| call.failed(&error))? {
        entries.iter().for_each(|entry| last.take(entry));
    }
    Ok(last)
}

// === impl LastRestarts ===

impl LastRestarts {
    /// What a node says of its last restart.
    pub(super) fn of(&self, node: &str) -> Option<Value> {
        self.by_node.get(node).map(|(.., restart)| restart.clone())
    }

    fn take(&mut self, entry: &Entry) {
        let Ok(restart) = serde_json::from_slice::<Value>(&entry.content.value.json) else { return };
        let Some(node) = restart["spec"]["nodeName"].as_str().filter(|_| phase::counts(&restart)) else { return };
        let made = restart["metadata"]["creationTimestamp"].as_str().unwrap_or_default().to_owned();
        let known = self.by_node.get(node).map(|(made, revision, _)| (made.as_str(), *revision));
        if known.is_none_or(|known| known < (&made, entry.revision)) {
            let ended = restart["status"]["endedAt"].as_str().unwrap_or(&made);
            let name = ObjectMeta::of(&restart).name();
            let shown = json!({ "name": name, "phase": phase::of(&restart), "time": ended });
            self.by_node.insert(node.to_owned(), (made, entry.revision, shown));
        }
    }
}

#[cfg(test)]
mod tests {
    use proto::store::{Content, Key, Labels, Value as Stored};

    use super::*;

    fn entry(name: &str, made: &str, revision: Revision, status: &Value) -> Entry {
        let restart = json!({
            "metadata": { "name": name, "creationTimestamp": made },
            "spec": { "nodeName": "n" },
            "status": status,
        });
        let value = Stored { json: restart.to_string().into(), splice: 0, schema: String::new() };
        let content = Content { uid: String::new(), labels: Labels::new(), fields: Labels::new(), value };
        let (group, resource) = (GROUP.to_owned(), NODE_RESTARTS.to_owned());
        Entry { key: Key { group, resource, namespace: String::new(), name: name.to_owned() }, revision, content }
    }

    #[test]
    fn the_newest_that_counts_is_the_last() {
        let (early, late) = ("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z");
        let steps = json!([{ "step": "Reboot" }]);
        let succeeded = json!({ "phase": "Succeeded", "steps": steps, "endedAt": "2026-11-20T00:05:00Z" });
        let mut last = LastRestarts::default();
        assert_eq!(last.of("n"), None);
        last.take(&entry("a", early, 9, &succeeded));
        last.take(&entry("b", late, 3, &json!({ "phase": "Cancelled" })));
        assert_eq!(
            last.of("n"),
            Some(json!({ "name": "a", "phase": "Succeeded", "time": "2026-11-20T00:05:00Z" })),
            "the provider was never asked for the other"
        );
        last.take(&entry("c", late, 4, &json!({ "phase": "Draining" })));
        last.take(&entry("a", early, 9, &succeeded));
        assert_eq!(last.of("n"), Some(json!({ "name": "c", "phase": "Draining", "time": late })));
    }
}
