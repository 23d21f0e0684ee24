//! `outrigger-cbt-csi`: changed blocks of a CSI driver, served to `outrigger cbt`.

use std::{process::ExitCode, sync::Arc};

use cbt_csi::{Config, Driver};
use clap::Parser;
use runtime::{
    args::{ListenArgs, ProcessArgs},
    grpc,
};

/// Serves the changed blocks of a CSI driver's snapshots.
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
    runtime::run("outrigger-cbt-csi", &process, |context| async move {
        let driver = Arc::new(Driver::new(config));
        let service = proto::cbt::server::service(driver.clone());
        let draining = context.shutdown.draining();
        context.tasks.spawn("csi-identity", async move {
            tokio::select! {
                () = driver.wait() => {}
                _ = draining => {}
            }
        });
        grpc::serve(grpc::routes(service).await, &listen, &context).await
    })
}
