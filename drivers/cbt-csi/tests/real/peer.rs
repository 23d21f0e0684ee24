//! The CSI driver on the specification's Go code, both of its kinds.

use std::collections::BTreeMap;

use kit::{Process, Scratch};
use proto::cbt::{Error, Query, Shape, Snapshot, suite::Truth};

use crate::{
    Real,
    volume::{BLOCK, Random, Volume},
};

mod blocks {
    proto::cbt_suite!(super::regular(&[]));
}

mod ranges {
    proto::cbt_suite!(super::regular(&["-ranges"]));
}

pub(crate) async fn regular(flags: &[&str]) -> Real {
    start(flags, &Volume::regular((9 << 20) + 512)).await
}

async fn start(flags: &[&str], volume: &Volume) -> Real {
    let scratch = Scratch::new("csi-peer").unwrap();
    std::fs::create_dir(scratch.file("volumes")).unwrap();
    for (name, content) in [("vol.base", &volume.base), ("vol.target", &volume.target), ("other.snap", &volume.base)] {
        scratch.write(&format!("volumes/{name}"), content).unwrap();
    }
    let socket = scratch.file("socket");
    let flag = |name: &str, value: String| format!("-{name}={value}");
    let args = [
        flag("socket", socket.display().to_string()),
        flag("folder", scratch.file("volumes").display().to_string()),
        flag("secret", "hush".to_owned()),
        flag("block", BLOCK.to_string()),
    ];
    let args: Vec<_> = args.into_iter().chain(flags.iter().map(|&flag| flag.to_owned())).collect();
    let process = Process::spawn("csi-peer", &kit::csi_peer().unwrap(), &args, &scratch.file("log")).unwrap();
    let truth = Truth {
        foreign: Some(handle("other.snap")),
        allocated: volume.allocated(),
        changed: volume.changed(),
        secrets: BTreeMap::from([("token".to_owned(), "hush".to_owned())]),
        ..Truth::new(handle("vol.base"), handle("vol.target"), volume.target.len() as u64, BLOCK)
    };
    Real::new(process, &socket, truth, scratch).await
}

fn handle(handle: &str) -> Snapshot {
    Snapshot::Handle(handle.to_owned())
}

/// From anywhere, in messages of any size: nothing but what differs, and all of it.
#[tokio::test]
async fn random_changes_are_found_from_anywhere() {
    for (flags, seed) in [(&[][..], 1), (&[][..], 2), (&["-ranges"][..], 3), (&["-ranges"], 4), (&["-ranges"], 5)] {
        let mut random = Random(seed * 104_729);
        let volume = Volume::random(&mut random, 10 << 20);
        let real = start(flags, &volume).await;
        for _ in 0..20 {
            let (query, expected) = match random.below(2) {
                0 => (real.truth.allocated(), volume.allocated()),
                _ => (real.truth.delta(), volume.changed()),
            };
            let start = random.below(real.truth.capacity);
            let per_message = random.below(50) as u32;
            let listed = real.list(Query { start, per_message, ..query.clone() }).await.unwrap();
            let starts = |blocks: &[std::ops::Range<u64>]| -> Vec<u64> {
                let starts = blocks.iter().flat_map(|block| (block.start..block.end).step_by(BLOCK as usize));
                starts.filter(|at| at + BLOCK > start).collect()
            };
            assert_eq!(starts(&listed), starts(&expected), "seed {seed}, start {start}, {per_message} in a message");
            let block = start / 65536;
            let blocks = real.list(Query { shape: Shape::Blocks, start: block, per_message, ..query }).await.unwrap();
            assert!(blocks.iter().all(|block| block.start.is_multiple_of(block.end - block.start)));
        }
    }
}

#[tokio::test]
async fn a_wrong_secret_is_forbidden() {
    let real = regular(&[]).await;
    for secrets in [BTreeMap::new(), BTreeMap::from([("token".to_owned(), "wrong".to_owned())])] {
        let refused = real.list(Query { secrets, ..real.truth.delta() }).await.expect_err("a list");
        assert!(matches!(refused, Error::Forbidden(_)), "{refused:?}");
    }
}

/// One without entries ends before it begins, which is the other way in which gRPC says that all is well.
#[tokio::test]
async fn nothing_changed_is_an_empty_list() {
    for flags in [&[][..], &["-ranges"]] {
        let volume = Volume::regular(1 << 20);
        let same = Volume { base: volume.base.clone(), target: volume.base };
        let real = start(flags, &same).await;
        for start in [0, 1, 4096, 1 << 20] {
            assert_eq!(real.list(Query { start, ..real.truth.delta() }).await.unwrap(), []);
        }
    }
}
