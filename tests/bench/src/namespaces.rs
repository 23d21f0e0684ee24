//! The namespaces of a run. All exist before the first measure, because creating one is no part of any.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use http::{Method, StatusCode};
use serde_json::json;

use crate::client::{Call, Connector, Refused};
use crate::object::encode;
use crate::settings::Settings;
use crate::target::{Endpoint, Peers, Target};

/// Where a target is written to and read from. Two targets never share objects, even if they share a store.
pub(crate) fn of_target(settings: &Settings, target: &Target, size: usize) -> String {
    format!("{}-{}-{size}", settings.prefix, target.slug())
}

/// Where the objects are that are listed, the same for all targets.
pub(crate) fn of_list(settings: &Settings, size: usize) -> String {
    format!("{}-list-{size}", settings.prefix)
}

/// What watcher `i` watches if each watches its own.
pub(crate) fn of_watcher(settings: &Settings, i: usize) -> String {
    format!("{}-watch-{i}", settings.prefix)
}

/// Creates all of them, wherever that has to be done.
pub(crate) async fn create(peers: &Peers, settings: &Settings) -> Result<()> {
    let clusters: BTreeMap<&str, &Endpoint> =
        peers.targets.iter().filter_map(|target| target.namespaces.as_ref()).map(|e| (e.url.as_str(), e)).collect();
    for endpoint in clusters.into_values() {
        let client = Connector::new(endpoint)?.connect().await?;
        for name in names(peers, settings) {
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            let call = Call::json(Method::POST, "/api/v1/namespaces".to_owned(), encode(&namespace));
            client.call(call).await.map(drop).or_else(unless_it_exists)?;
        }
    }
    Ok(())
}

fn unless_it_exists(error: anyhow::Error) -> Result<()> {
    match error.downcast_ref::<Refused>() {
        Some(refused) if refused.status == StatusCode::CONFLICT => Ok(()),
        _ => Err(error),
    }
}

fn names(peers: &Peers, settings: &Settings) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for &size in &settings.sizes {
        names.insert(of_list(settings, size));
        names.extend(peers.targets.iter().map(|target| of_target(settings, target, size)));
    }
    if settings.wants("watch") {
        let most = settings.watchers.iter().copied().max().unwrap_or_default();
        names.extend((0..most).map(|i| of_watcher(settings, i)));
    }
    names
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn all_namespaces_of_a_run_are_known_before_it() {
        let target = json!({
            "name": "CRD", "group": "g", "version": "v1", "plural": "p", "kind": "K", "store": "etcd",
            "endpoint": {"url": "https://127.0.0.1", "ca": "ca", "auth": {"token": "token"}},
        });
        let peers: Peers = serde_json::from_value(json!({"targets": [target]})).unwrap();
        let settings = Settings { sizes: vec![1024], watchers: vec![1, 2], ..Settings::default() };
        let expected = ["bench-crd-1024", "bench-list-1024", "bench-watch-0", "bench-watch-1"];
        assert_eq!(names(&peers, &settings), expected.map(String::from).into());
        let settings = Settings { only: vec!["get".into()], ..settings };
        assert_eq!(names(&peers, &settings).len(), 2, "without watchers none of theirs");
    }
}
