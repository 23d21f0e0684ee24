//! Changed blocks within a process: the relay, and the driver of files beside it.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use apiserver::Extension;
use cbt::{Embedded, Parts, Server};
use cbt_file::{DRIVER, Driver};
use runtime::{Context, tls::Identity};

/// Changed blocks, the driver of files included.
#[derive(Debug, clap::Args)]
pub(crate) struct ChangedBlocksArgs {
    #[command(flatten)]
    relay: cbt::Config,
    #[command(flatten)]
    files: cbt_file::Config,
    /// Serve changed blocks although neither --cbt-driver nor --cbt-dir is given: drivers make themselves known by
    /// DriverDiscovery objects.
    #[arg(long, env = "OUTRIGGER_CBT", value_parser = clap::builder::FalseyValueParser::new())]
    cbt: bool,
}

// === impl ChangedBlocksArgs ===

impl ChangedBlocksArgs {
    /// The relay behind a cluster; none when nothing asks for it.
    pub(crate) fn behind(&self, parts: Parts, context: &Context) -> anyhow::Result<Option<Server>> {
        if !self.cbt && self.relay.cbt_drivers.is_empty() && self.files.cbt_dir.is_none() {
            return Ok(None);
        }
        let embedded = embedded(&self.files, context)?;
        Server::open(&self.relay, Parts { embedded, ..parts }, context).map(Some)
    }

    /// The relay without a cluster: snapshots are the files of --cbt-dir, else of a folder in `data_dir`.
    pub(crate) fn standalone(mut self, data_dir: &Path, parts: Parts, context: &Context) -> anyhow::Result<Server> {
        if self.files.cbt_dir.is_none() && self.relay.cbt_drivers.is_empty() {
            let folder = data_dir.join("snapshots");
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("creating the folder of snapshots {}", folder.display()))?;
            self.files.cbt_dir = Some(folder);
        }
        let embedded = embedded(&self.files, context)?;
        Server::open(&self.relay, Parts { embedded, ..parts }, context)
    }
}

/// The driver of files, where a folder of them is named.
pub(crate) fn embedded(files: &cbt_file::Config, context: &Context) -> anyhow::Result<Option<Embedded>> {
    if files.cbt_dir.is_none() {
        return Ok(None);
    }
    let blocks = Arc::new(Driver::open(files, Arc::clone(&context.clock))?);
    Ok(Some(Embedded { name: DRIVER.to_owned(), blocks }))
}

/// What an apiserver serves of a relay in the same process.
pub(crate) fn extensions(server: &Server, cluster: Option<&kube::Client>) -> Vec<Extension> {
    cbt_api::extensions(server.relay(), cluster.cloned())
}

/// Serves backup software beside everything else, until the process drains, if it is to be served.
pub(crate) fn serve_metadata(server: Server, identity: Arc<Identity>, context: &Context) {
    if server.serves_metadata() {
        context.tasks.critical("snapshot metadata", async move { server.serve_metadata(Some(identity)).await });
    }
}
