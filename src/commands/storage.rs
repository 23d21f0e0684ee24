//! The storage alone, served to apiservers by mTLS or through a Unix socket.

use std::process::ExitCode;

use runtime::{
    Context,
    args::{ListenArgs, ProcessArgs},
    grpc,
    serve::{Settings, incoming},
};
use storage::Database;

use super::{embedded, say};

/// Flags of the storage.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The database: `sqlite:PATH`, made if it is not there, or `postgres://USER@HOST/DATABASE`, which any number of these
    /// may share.
    #[arg(long, env = "OUTRIGGER_DB", value_name = "URL", default_value = "sqlite:outrigger.db")]
    db: Database,
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    storage: storage::Config,
    #[command(flatten)]
    process: ProcessArgs,
}

pub(crate) fn run(args: Args) -> ExitCode {
    let process = args.process.clone();
    runtime::run("outrigger-storage", &process, |context| serve(args, context))
}

async fn serve(args: Args, context: Context) -> anyhow::Result<()> {
    let store = embedded(&args.db, &args.storage, &context).await?;
    let listener = grpc::listen(&args.listen.listen, &args.listen.peer, &context.tasks).await?;
    say(&format!("The storage serves on {}", listener.address()))?;
    let connections = incoming(listener, Settings::default(), &context.tasks);
    storage::serve(store, connections, &context).await
}
