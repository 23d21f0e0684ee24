//! The binary: its environment, its socket.

use std::path::Path;

use futures::TryStreamExt;
use kit::{Process, Scratch};
use proto::cbt::{Blocks, ChangedBlocks, Query, Result, client::Client};
use runtime::{Context, args::PeerTlsArgs, grpc};

use crate::support::{BLOCKS, Bench, REGION, delta, indices, key, map};

const BINARY: &str = env!("CARGO_BIN_EXE_outrigger-cbt-ebs");

/// Starts the driver with nothing but `env` in its environment, and no instance to ask.
pub(crate) fn spawn(scratch: &Scratch, env: &[(&str, &str)]) -> (Process, String) {
    let socket = format!("unix://{}", scratch.file("ebs.sock").display());
    let env = env.iter().map(|(name, value)| format!("{name}={value}"));
    let binary = [BINARY, "--listen", &socket, "--ebs-retry-timeout=1s"].map(str::to_owned);
    let alone = ["-i", "AWS_EC2_METADATA_DISABLED=true"].map(str::to_owned);
    let args: Vec<String> = alone.into_iter().chain(env).chain(binary).collect();
    let process = Process::spawn("outrigger-cbt-ebs", Path::new("env"), &args, &scratch.file("log")).unwrap();
    (process, socket)
}

pub(crate) async fn list(scratch: &Scratch, process: &mut Process, socket: &str) -> Result<Vec<Blocks>> {
    ask(scratch, process, socket, Query { tokens: true, ..delta() }).await
}

pub(crate) async fn ask(scratch: &Scratch, process: &mut Process, socket: &str, query: Query) -> Result<Vec<Blocks>> {
    kit::eventually!(process.ensure_running().is_ok() && scratch.file("ebs.sock").exists(), "the driver listens");
    let channel = grpc::connect(socket, &PeerTlsArgs::default(), &Context::new().tasks).unwrap();
    let client = Client::new(channel);
    assert_eq!(client.info().await.unwrap().driver, "ebs.csi.aws.com");
    client.blocks(query).await?.try_collect().await
}

pub(crate) async fn bench() -> Bench {
    Bench::new(map(0..BLOCKS, 1), map(0..BLOCKS, 2)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_environment_says_where_and_as_whom() {
    let (bench, scratch) = (bench().await, Scratch::new("cbt-ebs").unwrap());
    let (url, key) = (bench.stub.url(), key());
    let env = [
        ("AWS_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", &key.id),
        ("AWS_SECRET_ACCESS_KEY", &key.secret),
        // The one for this service counts, not the one for all.
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_ENDPOINT_URL_EBS", &url),
    ];
    let (mut process, socket) = spawn(&scratch, &env);
    let messages = list(&scratch, &mut process, &socket).await.unwrap();
    assert_eq!(messages.iter().flat_map(indices).collect::<Vec<_>>(), (0..BLOCKS).collect::<Vec<_>>());
    assert!(!process.output().contains(&key.secret));
}

#[test]
fn without_a_region_it_does_not_start_and_names_the_flag() {
    let scratch = Scratch::new("cbt-ebs").unwrap();
    let (mut process, _) = spawn(&scratch, &[("AWS_REGION", "")]);
    let status = process.wait(kit::PATIENCE).unwrap();
    assert!(!status.success() && process.output().contains("--ebs-region"), "{}", process.output());
}
