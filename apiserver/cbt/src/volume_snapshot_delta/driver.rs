//! Whose snapshots they are: the name of the CSI driver, for people.

use std::{sync::Arc, time::Duration};

use http::Request;
use kube::Client;
use proto::cbt::{ChangedBlocks, Snapshot};
use serde_json::Value;
use tokio::time::timeout;

/// A list that is written does not wait longer for a name.
const PATIENCE: Duration = Duration::from_secs(2);

/// Who can tell.
#[derive(Clone)]
pub(super) struct Drivers {
    pub(super) source: Arc<dyn ChangedBlocks>,
    pub(super) cluster: Option<Client>,
}

// === impl Drivers ===

impl Drivers {
    /// The driver of a snapshot: that of the source, if it has only one, else what the snapshot's content says.
    pub(super) async fn of(&self, snapshot: &Snapshot) -> Option<String> {
        timeout(PATIENCE, self.ask(snapshot)).await.ok()?
    }

    async fn ask(&self, snapshot: &Snapshot) -> Option<String> {
        let only = self.source.info().await.ok().map(|info| info.driver).filter(|driver| !driver.is_empty());
        match (only, &self.cluster, snapshot) {
            (None, Some(client), Snapshot::Named { namespace, name }) => {
                let found = content_driver(client, namespace, name).await;
                let found = found.inspect_err(|error| tracing::debug!(error = %error, "whose {namespace}/{name} is"));
                found.ok()?
            }
            (only, ..) => only,
        }
    }
}

async fn content_driver(client: &Client, namespace: &str, name: &str) -> kube::Result<Option<String>> {
    const GROUP: &str = "/apis/snapshot.storage.k8s.io/v1";
    let snapshot = get(client, &format!("{GROUP}/namespaces/{namespace}/volumesnapshots/{name}")).await?;
    let Some(content) = snapshot["status"]["boundVolumeSnapshotContentName"].as_str() else { return Ok(None) };
    let content = get(client, &format!("{GROUP}/volumesnapshotcontents/{content}")).await?;
    Ok(content["spec"]["driver"].as_str().map(str::to_owned))
}

async fn get(client: &Client, path: &str) -> kube::Result<Value> {
    client.request(Request::get(path).body(Vec::new()).map_err(kube::Error::HttpError)?).await
}
