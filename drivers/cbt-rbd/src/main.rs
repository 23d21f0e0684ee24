//! `outrigger-cbt-rbd`: changed blocks of Ceph RBD, served to `outrigger cbt`.

use std::process::ExitCode;

use cbt_rbd::{Config, Driver};
use clap::Parser;
use runtime::{
    args::{ListenArgs, ProcessArgs},
    grpc,
};

/// Serves the changed blocks of Ceph RBD snapshots.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    config: Config,
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    process: ProcessArgs,
}

fn main() -> ExitCode {
    let Cli { config, listen, process } = Cli::parse();
    runtime::run("outrigger-cbt-rbd", &process, |context| async move {
        let service = proto::cbt::server::service(Driver::new(config)?);
        grpc::serve(grpc::routes(service).await, &listen, &context).await
    })
}
