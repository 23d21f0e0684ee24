//! csi-driver-host-path, the reference of the SnapshotMetadata service, where somebody has it.
//!
//! Its snapshots are files, and its state a document: both are written here, so that it needs no loop devices.

use std::path::PathBuf;

use kit::{Process, Scratch};
use proto::cbt::{Snapshot, suite::Truth};
use serde_json::json;

use crate::{
    Real,
    volume::{BLOCK, Random, Volume},
};

async fn start(kind: &str, volume: &Volume) -> Real {
    let plugin = std::env::var_os("OUTRIGGER_HOST_PATH_PLUGIN").expect("OUTRIGGER_HOST_PATH_PLUGIN names the program");
    let scratch = Scratch::new("host-path").unwrap();
    let capacity = volume.target.len() as u64;
    let of = |id: &str| json!({"VolName": id, "VolID": id, "VolSize": capacity, "VolAccessType": 1});
    let snapshot = |id: &str, volume: &str| json!({"Name": id, "Id": id, "VolID": volume, "CreationTime": {}, "SizeBytes": capacity, "ReadyToUse": true});
    let snapshots = [snapshot("base", "vol"), snapshot("target", "vol"), snapshot("foreign", "other")];
    let state = json!({"Volumes": [of("vol"), of("other")], "Snapshots": snapshots, "GroupSnapshots": []});
    scratch.write("state.json", state.to_string()).unwrap();
    for (name, content) in [("base", &volume.base), ("target", &volume.target), ("foreign", &volume.base)] {
        scratch.write(&format!("{name}.snap"), content).unwrap();
    }
    let socket = scratch.file("socket");
    let args = [
        format!("-endpoint=unix://{}", socket.display()),
        format!("-statedir={}", scratch.path().display()),
        "-nodeid=node".to_owned(),
        "-enable-snapshot-metadata".to_owned(),
        format!("-snapshot-metadata-block-type={kind}"),
    ];
    let process = Process::spawn("host-path", &PathBuf::from(plugin), &args, &scratch.file("log")).unwrap();
    let [base, target, foreign] = ["base", "target", "foreign"].map(|id| Snapshot::Handle(id.to_owned()));
    let truth = Truth {
        foreign: Some(foreign),
        allocated: volume.allocated(),
        changed: volume.changed(),
        ..Truth::new(base, target, capacity, BLOCK)
    };
    Real::new(process, &socket, truth, scratch).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs the csi-driver-host-path that OUTRIGGER_HOST_PATH_PLUGIN names"]
async fn the_shared_cases_hold_on_csi_driver_host_path() {
    for kind in ["FIXED_LENGTH", "VARIABLE_LENGTH"] {
        let real = start(kind, &Volume::regular(9 << 20)).await;
        proto::cbt_suite!(in turn &real);
    }
}

#[tokio::test]
#[ignore = "runs the csi-driver-host-path that OUTRIGGER_HOST_PATH_PLUGIN names"]
async fn random_changes_are_found_by_csi_driver_host_path() {
    for (kind, seed) in [("FIXED_LENGTH", 1), ("FIXED_LENGTH", 2), ("VARIABLE_LENGTH", 3), ("VARIABLE_LENGTH", 4)] {
        let volume = Volume::random(&mut Random(seed * 15_485_863), 10 << 20);
        let real = start(kind, &volume).await;
        for (query, expected) in [(real.truth.allocated(), volume.allocated()), (real.truth.delta(), volume.changed())]
        {
            let listed = real.list(query).await.unwrap();
            let blocks = listed.iter().flat_map(|range| (range.start..range.end).step_by(BLOCK as usize));
            let expected: Vec<u64> = expected.iter().map(|block| block.start).collect();
            assert_eq!(blocks.collect::<Vec<_>>(), expected, "{kind}, seed {seed}");
        }
    }
}
