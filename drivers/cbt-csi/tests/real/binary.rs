//! The adapter as a process, over its own socket.

use std::path::Path;

use kit::{Process, Scratch};
use proto::cbt::{ChangedBlocks, Error, client::Client};

use crate::{Real, peer};

fn start(scratch: &Scratch) -> (Process, Box<dyn ChangedBlocks>) {
    let url = format!("unix://{}", scratch.file("adapter").display());
    let args = [format!("--csi-address={}", scratch.file("socket").display()), format!("--listen={url}")];
    let program = Path::new(env!("CARGO_BIN_EXE_outrigger-cbt-csi"));
    let process = Process::spawn("outrigger-cbt-csi", program, &args, &scratch.file("adapter.log")).unwrap();
    kit::eventually!(scratch.file("adapter").exists(), "the adapter listens");
    (process, Box::new(Client::new(runtime::grpc::channel(&url, None).unwrap())))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shared_cases_hold_over_the_wire() {
    for flags in [&[][..], &["-ranges"]] {
        let real = peer::regular(flags).await;
        let (process, adapter) = start(&real.scratch);
        let Real { truth, mut _processes, scratch, .. } = real;
        _processes.push(process);
        let real = Real { adapter, truth, _processes, scratch };
        proto::cbt_suite!(in turn &real);
    }
}

/// It serves, says why it cannot answer, and ends when it is told to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_that_never_comes_ends_nothing() {
    let scratch = Scratch::new("csi-binary").unwrap();
    let (mut process, adapter) = start(&scratch);
    kit::eventually!(
        matches!(adapter.info().await, Err(Error::Unavailable(what)) if what.contains("CSI")),
        "it says so"
    );
    process.ensure_running().unwrap();
    process.signal("TERM").unwrap();
    assert!(process.wait(kit::PATIENCE).unwrap().success(), "{}", process.tail());
}
