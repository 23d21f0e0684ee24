//! How fast a full volume is listed on this machine: `cargo run --release -p cbt-ebs --example rate`.
//!
//! The service is the stub in a process of its own, which answers pages of 10,000 blocks with tokens. The numbers are
//! for people; nothing is asserted. Peak memory is that of the driver's process, and should not grow with the blocks.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use aws_config::{BehaviorVersion, Region};
use aws_sdk_ebs::config::Credentials;
use cbt_ebs::{Config, Driver};
use ebs_stub::{Key, Model, Snapshot as Stored, Stub, Written};
use futures::TryStreamExt;
use proto::cbt::{ChangedBlocks, Query, Shape, Snapshot};
use runtime::Context;
use tokio::time::Instant;

const REGION: &str = "eu-central-1";
/// GiB of the volumes; each has 2,048 blocks.
const SIZES: [u32; 3] = [100, 1000, 1000];

#[tokio::main]
async fn main() -> Result<()> {
    if std::env::args().nth(1).as_deref() == Some("stub") {
        return stub().await;
    }
    let mut service = Command::new(std::env::current_exe()?).arg("stub").stdout(Stdio::piped()).spawn()?;
    let mut url = String::new();
    BufReader::new(service.stdout.take().context("the stub has an output")?).read_line(&mut url)?;
    let measured = measure(url.trim()).await;
    service.kill()?;
    service.wait()?;
    measured
}

async fn measure(url: &str) -> Result<()> {
    let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new(key().id, key().secret, None, None, "example"))
        .endpoint_url(url)
        .load()
        .await;
    let config = Config { ebs_requests_per_second: 100_000, ..Config::default() };
    let driver = Driver::new(&sdk, &config, &Context::new());
    println!("{:>10} {:>7} {:>9} {:>12} {:>9}", "blocks", "tokens", "seconds", "per s", "peak MiB");
    for (number, gib) in SIZES.into_iter().enumerate() {
        let tokens = number > 1;
        let target = Snapshot::Handle(id(gib));
        let query = Query { shape: Shape::Blocks, tokens, ..Query::allocated(target) };
        let begun = Instant::now();
        let mut messages = driver.blocks(query).await?;
        let mut blocks = 0;
        while let Some(message) = messages.try_next().await? {
            blocks += message.len();
        }
        let took = begun.elapsed().as_secs_f64();
        println!("{blocks:>10} {tokens:>7} {took:>9.2} {:>12.0} {:>9}", blocks as f64 / took, peak()?);
    }
    Ok(())
}

/// Serves full snapshots until it is killed, and prints where.
async fn stub() -> Result<()> {
    let python = kit::Python::find()?.python();
    let script = "import botocore, os; print(os.path.dirname(botocore.__file__))";
    let output = Command::new(python).args(["-c", script]).output()?;
    let model = Model::load(&PathBuf::from(String::from_utf8(output.stdout)?.trim()))?;
    let stub = Stub::start(Arc::new(model), REGION, key(), runtime::clock::system()).await?;
    for gib in SIZES {
        stub.add(Stored::new(&id(gib), "vol-1", gib, Written::First(gib * 2048, 1)));
    }
    println!("{}", stub.url());
    std::future::pending().await
}

fn id(gib: u32) -> String {
    format!("snap-{gib:017x}")
}

fn key() -> Key {
    Key { id: "AKIDEXAMPLE".to_owned(), secret: "example".to_owned(), session: None }
}

/// The most memory that this process had, in MiB.
fn peak() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("a peak of memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}
