//! The `outrigger-node-exec` binary: restarts nodes by a program or webhook of their operator, for who asks over gRPC.

use std::process::ExitCode;

use clap::Parser;
use runtime::args::{ListenArgs, ProcessArgs};

/// Restarts nodes by a program or webhook of their operator.
#[derive(Debug, Parser)]
#[command(name = "outrigger-node-exec", version)]
struct Args {
    #[command(flatten)]
    config: node_exec::Config,
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    process: ProcessArgs,
}

fn main() -> ExitCode {
    let Args { config, listen, process } = Args::parse();
    runtime::run("outrigger-node-exec", &process, |context| async move {
        let driver = node_exec::Driver::new(config, &context.tasks)?;
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
