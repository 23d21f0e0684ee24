//! Snapshots of a volume, in a folder and in a cluster.

use std::{fs, os::unix::fs::FileExt as _, path::Path};

use anyhow::{Context as _, Result};
use kit::{Client, Crd};
use serde_json::json;

/// Bytes of a block.
pub const BLOCK: u64 = 512 << 10;
/// Blocks of the volume.
pub const BLOCKS: u64 = 96;
/// Those that differ between its snapshots.
pub const CHANGED: [u64; 6] = [0, 7, 8, 40, 41, 95];
/// The driver of files.
pub const DRIVER: &str = "file.cbt.outrigger.dev";
/// Where the cluster has its snapshots.
pub const SNAPSHOTS: &str = "/apis/snapshot.storage.k8s.io/v1";

/// Two images in a folder, `monday.img` and `tuesday.img`: the second is the first with a few bytes changed in some of its
/// blocks.
pub fn images(folder: &Path) -> Result<()> {
    let image = |name: &str| fs::File::create(folder.join(format!("{name}.img"))).context("making an image");
    let (monday, tuesday) = (image("monday")?, image("tuesday")?);
    for file in [&monday, &tuesday] {
        file.set_len(BLOCKS * BLOCK)?;
        (0..BLOCKS).step_by(5).try_for_each(|block| file.write_all_at(&[7; 4096], block * BLOCK + 512))?;
    }
    CHANGED
        .iter()
        .try_for_each(|block| tuesday.write_all_at(b"changed", block * BLOCK + 99))
        .context("changing an image")
}

/// The definitions that every cluster with snapshots has.
pub async fn install(admin: &Client) -> Result<()> {
    for name in ["volumesnapshots", "volumesnapshotcontents", "volumesnapshotclasses"] {
        let document = kit::examples::read(&format!("dataplane/cbt/tests/cluster/documents/{name}.yaml"))?;
        Crd::new(&document).install(admin).await?;
    }
    Ok(())
}

/// A VolumeSnapshot in the namespace default that is bound and ready, as the snapshot controller leaves it.
pub async fn snapshot(admin: &Client, name: &str) -> Result<()> {
    let body = json!({
        "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot", "metadata": {"name": name},
        "spec": {"source": {"persistentVolumeClaimName": "data"}},
    });
    let snapshots = format!("{SNAPSHOTS}/namespaces/default/volumesnapshots");
    let snapshot = admin.post(&snapshots, &body).await?.success()?;
    let reference = json!({"namespace": "default", "name": name, "uid": snapshot["metadata"]["uid"]});
    let body = json!({
        "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotContent", "metadata": {"name": name},
        "spec": {
            "driver": DRIVER, "deletionPolicy": "Retain", "source": {"volumeHandle": "volume"},
            "volumeSnapshotRef": reference,
        },
    });
    let contents = format!("{SNAPSHOTS}/volumesnapshotcontents");
    admin.post(&contents, &body).await?.success()?;
    let merge = [("content-type", "application/merge-patch+json")];
    let status = json!({"status": {"snapshotHandle": format!("default/{name}"), "readyToUse": true}});
    admin.send("PATCH", &format!("{contents}/{name}/status"), &merge, status.to_string()).await?.success()?;
    let status = json!({"status": {"boundVolumeSnapshotContentName": name, "readyToUse": true}});
    admin.send("PATCH", &format!("{snapshots}/{name}/status"), &merge, status.to_string()).await?.success()?;
    Ok(())
}
