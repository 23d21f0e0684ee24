//! HyperFleet in an apiserver's process: its clusters and nodepools as kinds, and beside the all-in-one its REST API.

use std::{path::Path, sync::Arc};

use ::apiserver::Extension;
use ::hyperfleet::{Config, Judge, Rules, Server};
use anyhow::Context as _;
use hyperfleet_records::{Database, Options, Records};
use runtime::Context;

use super::say;

/// Which records, and what is required of them.
#[derive(Debug, clap::Args)]
#[group(id = "hyperfleet_view")]
#[command(next_help_heading = "HyperFleet")]
pub(crate) struct RecordsArgs {
    /// The database of HyperFleet, `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`: its clusters and nodepools are served as kinds of the
    /// group hyperfleet.openshift.io.
    #[arg(long, env = "OUTRIGGER_HYPERFLEET_DB", value_name = "URL", hide_env_values = true)]
    hyperfleet_db: Option<Database>,
    /// Adapters without which a cluster is not Ready, as `outrigger hyperfleet serve` is told.
    #[arg(long, env = "OUTRIGGER_CLUSTER_ADAPTERS", value_name = "ADAPTER", value_delimiter = ',')]
    cluster_adapters: Vec<String>,
    /// As --cluster-adapters, for node pools.
    #[arg(long, env = "OUTRIGGER_NODEPOOL_ADAPTERS", value_name = "ADAPTER", value_delimiter = ',')]
    nodepool_adapters: Vec<String>,
}

/// Flags of the all-in-one.
#[derive(Debug, clap::Args)]
#[group(id = "hyperfleet_all")]
pub(crate) struct HyperfleetArgs {
    /// Serve HyperFleet's REST API too, and its kinds; in hyperfleet.db in --data-dir when --hyperfleet-db is not given.
    #[arg(long, env = "OUTRIGGER_HYPERFLEET", help_heading = "HyperFleet")]
    hyperfleet: bool,
    #[command(flatten)]
    records: RecordsArgs,
    #[command(flatten)]
    config: Config,
}

// === impl HyperfleetArgs ===

impl HyperfleetArgs {
    /// The kinds, if they are asked for. The REST API, if it is, is served from here on.
    pub(super) async fn serve(&self, data_dir: &Path, context: &Context) -> anyhow::Result<Vec<Extension>> {
        let embedded = || self.hyperfleet.then(|| Database::Sqlite(data_dir.join("hyperfleet.db")));
        let Some(database) = self.records.hyperfleet_db.clone().or_else(embedded) else { return Ok(Vec::new()) };
        Records::migrate(&database).await.context("making the tables of --hyperfleet-db")?;
        let records = self.records.open(&database, context).await?;
        if self.hyperfleet {
            let server = Server::bind(&self.config, records.clone(), context).await?;
            say(&format!("HyperFleet serves on {}", server.url()))?;
            context.tasks.critical("hyperfleet", server.serve());
        }
        Ok(kinds(&records, &self.config.rules, context))
    }
}

// === impl RecordsArgs ===

impl RecordsArgs {
    /// The kinds, if they are asked for. The tables must be there.
    pub(super) async fn extensions(&self, rules: &Rules, context: &Context) -> anyhow::Result<Vec<Extension>> {
        let Some(database) = &self.hyperfleet_db else { return Ok(Vec::new()) };
        Ok(kinds(&self.open(database, context).await?, rules, context))
    }

    async fn open(&self, database: &Database, context: &Context) -> anyhow::Result<Records> {
        let (cluster_adapters, nodepool_adapters) = (self.cluster_adapters.clone(), self.nodepool_adapters.clone());
        let options = Options { cluster_adapters, nodepool_adapters, ..Options::default() };
        let opened = Records::open(database, options, context).await;
        opened.context("opening --hyperfleet-db: `outrigger hyperfleet migrate` makes its tables")
    }
}

fn kinds(records: &Records, rules: &Rules, context: &Context) -> Vec<Extension> {
    let judge = Judge::load(rules, &context.tasks);
    hyperfleet_view::extensions(
        records,
        Arc::new(move |kind, name, labels, spec| judge.wrong(kind, name, labels, spec)),
    )
}
