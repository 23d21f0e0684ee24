//! SnapshotMetadataService: where the SnapshotMetadata service of a CSI driver is.
//!
//! external-snapshot-metadata brings the kind as a CustomResourceDefinition in version v1beta1, and its clients and sidecars
//! read it there. This server takes over the version v1alpha1, in which older clients read it. Hence:
//!
//! * Where the cluster has the definition, the objects are the cluster's. Each request is passed on to v1beta1 as whoever
//!   asks, with no rights of our own; the answer comes back as it is, but for the `apiVersion` of the objects.
//! * Elsewhere they are stored here, in both versions.
//!
//! Which it is, is asked of the cluster and believed for five seconds. While nobody can say it is 503: an object that is
//! written to the wrong place would be lost. A watch that began before keeps to its place until it ends.

mod cluster;
mod pass;
mod rewrite;

use apiserver::{Actor, Call};
use async_trait::async_trait;
use axum::body::Body;
use http::Response;
use machinery::status::Status;

use cluster::Cluster;

/// The resource.
const PLURAL: &str = "snapshotmetadataservices";
/// The version that the cluster has.
const VERSION: &str = "v1beta1";

/// What a SnapshotMetadataService does.
pub(crate) struct SnapshotMetadataServices {
    cluster: Option<Cluster>,
}

// === impl SnapshotMetadataServices ===

impl SnapshotMetadataServices {
    pub(crate) fn new(cluster: Option<kube::Client>) -> Self {
        Self { cluster: cluster.map(Cluster::new) }
    }
}

#[async_trait]
impl Actor for SnapshotMetadataServices {
    async fn act(&self, call: &mut Call<'_>) -> Result<Option<Response<Body>>, Status> {
        let Some(cluster) = &self.cluster else { return Ok(None) };
        // The cluster's v1beta1 leads back here: then there is no definition in use, and the store has the objects.
        if pass::was_passed(call) || !cluster.has_the_kind().await? {
            return Ok(None);
        }
        pass::pass(cluster.client(), call).await
    }
}
