//! `outrigger-cbt-ebs`: changed blocks of Amazon EBS snapshots, as a process of its own.

use std::process::ExitCode;

use cbt_ebs::{Config, Driver};
use clap::Parser;
use proto::cbt::server;
use runtime::args::{ListenArgs, ProcessArgs};

/// Serves the changed blocks of Amazon EBS snapshots.
///
/// Credentials are found as every AWS SDK finds them: environment, shared profile, web identity (IRSA), Pod Identity, and
/// the instance's role. They need ebs:ListSnapshotBlocks, ebs:ListChangedBlocks and ebs:GetSnapshotBlock.
#[derive(Debug, Parser)]
#[command(name = "outrigger-cbt-ebs", version)]
struct Args {
    #[command(flatten)]
    config: Config,
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    process: ProcessArgs,
}

fn main() -> ExitCode {
    let Args { config, listen, process } = Args::parse();
    runtime::run("outrigger-cbt-ebs", &process, |context| async move {
        let driver = Driver::open(&config, &context).await?;
        let routes = runtime::grpc::routes(server::service(driver)).await;
        runtime::grpc::serve(routes, &listen, &context).await
    })
}
