//! The Kubernetes API of changed blocks, group `cbt.storage.k8s.io`: kinds that act, for an apiserver to serve.
//!
//! | kind | what it does beyond being stored |
//! |---|---|
//! | [VolumeSnapshotDelta](volume_snapshot_delta) | a GET with `fetchcbd=true` streams blocks, one of `/data` what is in them |
//! | DriverDiscovery | nothing |
//! | [SnapshotMetadataService](snapshot_metadata_service) | it is the cluster's own, where that has the kind |
//!
//! Blocks come from a [`ChangedBlocks`] that knows VolumeSnapshots by name. This crate turns them into what Kubernetes
//! clients read, never holds more than a message of them, and decides nothing about them.

pub mod entries;
mod refusal;
pub mod snapshot_metadata_service;
pub mod volume_snapshot_delta;

use std::sync::Arc;

use apiserver::{Actor, Call, Extension};
use async_trait::async_trait;
use axum::body::Body;
use http::Response;
use machinery::status::Status;
use proto::cbt::ChangedBlocks;

use snapshot_metadata_service::SnapshotMetadataServices;
use volume_snapshot_delta::VolumeSnapshotDeltas;

/// The group of all of them.
const GROUP: &str = "cbt.storage.k8s.io";

/// The kinds. `blocks` is asked for blocks by VolumeSnapshot.
///
/// `cluster` is whose SnapshotMetadataServices count, if it has the kind: its user must be let `get` the
/// CustomResourceDefinition, and `impersonate` whoever asks. If it may `get` VolumeSnapshots and VolumeSnapshotContents too,
/// people see which driver blocks are from.
pub fn extensions(blocks: Arc<dyn ChangedBlocks>, cluster: Option<kube::Client>) -> Vec<Extension> {
    vec![
        Extension {
            origin: "volume_snapshot_delta.yaml",
            definition: include_str!("volume_snapshot_delta.yaml"),
            actor: Arc::new(VolumeSnapshotDeltas::new(blocks, cluster.clone())),
            store: None,
        },
        Extension {
            origin: "driver_discovery.yaml",
            definition: include_str!("driver_discovery.yaml"),
            actor: Arc::new(Stored),
            store: None,
        },
        Extension {
            origin: "snapshot_metadata_service.yaml",
            definition: include_str!("snapshot_metadata_service.yaml"),
            actor: Arc::new(SnapshotMetadataServices::new(cluster)),
            store: None,
        },
    ]
}

/// A kind that is stored, and no more.
struct Stored;

#[async_trait]
impl Actor for Stored {
    async fn act(&self, _: &mut Call<'_>) -> Result<Option<Response<Body>>, Status> {
        Ok(None)
    }
}
