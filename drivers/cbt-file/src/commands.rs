//! Registering snapshots: what the operator does with the folder.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    time::SystemTime,
};

use cbt_file::{Registered, Spec};
use clap::{Args, Subcommand};
use jiff::Timestamp;

/// What to do instead of serving.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Register a snapshot that is not an image in the folder.
    Register(Register),
    /// List the registered snapshots as JSON, one a line.
    List(Folder),
    /// Forget a registered snapshot. Its data is not touched.
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(crate) struct Folder {
    /// The folder of snapshots.
    #[arg(long, env = "OUTRIGGER_CBT_DIR", value_name = "DIR")]
    cbt_dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Name {
    /// The namespace of its VolumeSnapshot.
    #[arg(long, default_value = "default")]
    namespace: String,
    /// The name of its VolumeSnapshot.
    #[arg(long)]
    name: String,
}

#[derive(Debug, Args)]
pub(crate) struct Register {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    name: Name,
    /// The volume that it is a snapshot of. The images of a folder are of a volume called as their namespace.
    #[arg(long)]
    volume: String,
    #[command(subcommand)]
    source: Spec,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    name: Name,
}

/// Does it, at the time `now`.
pub(crate) fn run(command: Command, now: SystemTime) -> anyhow::Result<()> {
    match command {
        Command::Register(Register { folder, name: Name { namespace, name }, volume, source }) => {
            let created = Timestamp::try_from(now)?;
            cbt_file::register(&folder.cbt_dir, Registered { namespace, name, volume, created, source })
        }
        Command::List(folder) => {
            for snapshot in cbt_file::list(&folder.cbt_dir)? {
                say(&serde_json::to_string(&snapshot)?)?;
            }
            Ok(())
        }
        Command::Remove(Remove { folder, name: Name { namespace, name } }) => {
            cbt_file::remove(&folder.cbt_dir, &namespace, &name)
        }
    }
}

/// A line on the standard output.
fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}
