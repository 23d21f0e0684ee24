//! The `outrigger-node-tencent` binary: restarts nodes that are virtual machines of Tencent Cloud, for who asks over gRPC.

use std::process::ExitCode;

use clap::Parser;
use runtime::args::{ListenArgs, ProcessArgs};

/// Restarts nodes that are virtual machines of Tencent Cloud.
#[derive(Debug, Parser)]
#[command(name = "outrigger-node-tencent", version)]
struct Args {
    #[command(flatten)]
    config: node_tencent::Config,
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    process: ProcessArgs,
}

fn main() -> ExitCode {
    let Args { config, listen, process } = Args::parse();
    runtime::run("outrigger-node-tencent", &process, |context| async move {
        let driver = node_tencent::Driver::new(config, context.clock.clone())?;
        let routes = runtime::grpc::routes(proto::node::server::service(driver)).await;
        runtime::grpc::serve(routes, &listen, &context).await
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
