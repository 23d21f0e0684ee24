//! The driver as a process, over its own socket.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use kit::{Process, Scratch};
use proto::cbt::{Blocks, ChangedBlocks, Info, Query, Snapshot, client::Client};

/// An image with one snapshot, of which two extents are there.
const RBD: &str = r#"case "$*" in
    *"snap ls"*) echo '[{"id":4,"name":"s","size":67108864}]' ;;
    *info*) echo '{"object_size":4194304}' ;;
    *) echo '[{"offset":0,"length":4096,"exists":"true"},{"offset":8388608,"length":8192,"exists":"true"}]' ;;
esac
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_come_over_the_wire() {
    let scratch = Scratch::new("rbd-binary").unwrap();
    let conf = scratch.write("conf", RBD).unwrap();
    let fake = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fake/rbd");
    let url = format!("unix://{}", scratch.file("socket").display());
    let flag = |name: &str, value: &Path| format!("--rbd-{name}={}", value.display());
    let args = [flag("command", &fake), flag("conf", &conf), format!("--listen={url}")];
    let program = Path::new(env!("CARGO_BIN_EXE_outrigger-cbt-rbd"));
    let mut process = Process::spawn("outrigger-cbt-rbd", program, &args, &scratch.file("log")).unwrap();
    kit::eventually!(scratch.file("socket").exists(), "the driver listens");
    let client = Client::new(runtime::grpc::channel(&url, None).unwrap());
    let Info { driver, reads, .. } = client.info().await.unwrap();
    assert_eq!((driver.as_str(), reads), ("rbd.csi.ceph.com", false));
    let query = Query::allocated(Snapshot::Handle("pool/image@s".to_owned()));
    let messages: Vec<Blocks> = client.blocks(query).await.unwrap().try_collect().await.unwrap();
    let entries: Vec<_> =
        messages.iter().flat_map(|blocks| blocks.iter()).map(|block| (block.offset, block.size)).collect();
    assert_eq!(entries, [(0, 4096), (8_388_608, 8192)]);
    process.signal("TERM").unwrap();
    assert!(process.wait(kit::PATIENCE).unwrap().success(), "{}", process.tail());
}
