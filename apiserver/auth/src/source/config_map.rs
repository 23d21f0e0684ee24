//! The ConfigMap in which a cluster tells its extension servers whom to believe.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client,
    api::{ListParams, WatchEvent, WatchParams},
};
use runtime::telemetry::chain;
use tokio::time::timeout;

use crate::trust::Settings;

const NAMESPACE: &str = "kube-system";
const FIELDS: &str = "metadata.name=extension-apiserver-authentication";
/// A watch is begun anew so often, from a list, so that a connection that died silently costs less than a minute.
const WATCH_SECONDS: u32 = 45;
/// For the list, and for the end of a watch that is over its time.
const SLACK: Duration = Duration::from_secs(10);
/// Waited before the next try; doubled with each failure in a row.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Calls `read` with what the ConfigMap says, first and whenever it changes. One that is deleted or makes no sense says
/// nothing.
pub(super) async fn follow(client: Client, mut read: impl FnMut(Settings)) -> Infallible {
    let api = Api::<ConfigMap>::namespaced(client, NAMESPACE);
    let mut pause = PAUSES.0;
    loop {
        match follow_once(&api, &mut read).await {
            Ok(()) => pause = PAUSES.0,
            Err(error) => {
                tracing::warn!("could not follow the ConfigMap extension-apiserver-authentication: {error:#}");
                pause = (pause * 2).min(PAUSES.1);
            }
        }
        tokio::time::sleep(pause).await;
    }
}

async fn follow_once(api: &Api<ConfigMap>, read: &mut impl FnMut(Settings)) -> anyhow::Result<()> {
    let list = timeout(SLACK, api.list(&ListParams::default().fields(FIELDS))).await??;
    let version = list.metadata.resource_version.unwrap_or_default();
    if list.items.is_empty() {
        tracing::warn!("there is no ConfigMap extension-apiserver-authentication in {NAMESPACE}");
    }
    for config_map in list.items {
        understand(config_map, read);
    }
    let params = WatchParams::default().fields(FIELDS).timeout(WATCH_SECONDS);
    let watch = async {
        let mut events = api.watch(&params, &version).await?.boxed();
        while let Some(event) = events.try_next().await? {
            match event {
                WatchEvent::Added(config_map) | WatchEvent::Modified(config_map) => understand(config_map, read),
                WatchEvent::Deleted(_) | WatchEvent::Bookmark(_) => {}
                // Mostly that the version is too old by now: the list that follows knows a new one.
                WatchEvent::Error(_) => break,
            }
        }
        Ok(())
    };
    // A watch that is over its time has died without telling.
    timeout(Duration::from_secs(WATCH_SECONDS.into()) + SLACK, watch).await.unwrap_or(Ok(()))
}

fn understand(config_map: ConfigMap, read: &mut impl FnMut(Settings)) {
    let data: BTreeMap<String, String> = config_map.data.unwrap_or_default();
    match Settings::of_config_map(&data) {
        Ok(settings) => read(settings),
        Err(error) => {
            tracing::error!("the ConfigMap extension-apiserver-authentication says nothing: {}", chain(&error))
        }
    }
}
