//! Records in a database of their own, and short ways to write to them.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context as _, Result};
use hyperfleet_records::{
    Database, Json, Key, Kind, New, Options, Page, Phase, Query, Records, Report, Reported, ReportedCondition,
    Resource, Search, Status,
};
use kit::Postgres;
use runtime::Context;

pub(crate) struct World {
    pub(crate) records: Records,
    pub(crate) database: Database,
    process: Process,
    _folder: tempfile::TempDir,
}

/// What runs in the background, until this is dropped.
pub(crate) struct Process(Context);

// === impl Process ===

impl Drop for Process {
    fn drop(&mut self) {
        self.0.shutdown.drain();
    }
}

// === impl World ===

impl World {
    pub(crate) async fn sqlite() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let database = Database::Sqlite(folder.path().join("records.db"));
        Self::open(folder, database, Options::default()).await
    }

    pub(crate) async fn postgres() -> Result<Self> {
        Self::open(tempfile::tempdir()?, Database::Postgres(Postgres::shared().url()), Options::default()).await
    }

    async fn open(folder: tempfile::TempDir, database: Database, options: Options) -> Result<Self> {
        runtime::tls::install_provider();
        Records::migrate(&database).await?;
        let context = Context::new();
        let records = Records::open(&database, options, &context).await?;
        Ok(Self { records, database, process: Process(context), _folder: folder })
    }

    /// The same database, opened again, as another process would.
    pub(crate) async fn again(&self, options: Options) -> Result<(Records, Process)> {
        let context = Context::new();
        Ok((Records::open(&self.database, options, &context).await?, Process(context)))
    }

    /// The metrics of this process.
    pub(crate) fn metrics(&self) -> String {
        self.process.0.metrics.encode()
    }

    /// The answer of the database's own program to a statement.
    pub(crate) fn sql(&self, statement: &str) -> Result<String> {
        match &self.database {
            Database::Sqlite(path) => sqlite(path, statement),
            Database::Postgres(url) => Postgres::shared().sql(url, statement),
        }
    }

    pub(crate) async fn cluster(&self, name: &str) -> Result<Resource> {
        Ok(self.records.create(cluster(name, &[])).await?)
    }

    pub(crate) async fn node_pool(&self, owner: &Resource, name: &str) -> Result<Resource> {
        Ok(self.records.create(node_pool(owner, name)).await?)
    }

    /// The record as it is now.
    pub(crate) async fn read(&self, resource: &Resource) -> Result<Resource> {
        Ok(self.records.get(&key(resource)).await?)
    }

    pub(crate) async fn status(&self, resource: &Resource) -> Result<Status> {
        status(&self.read(resource).await?)
    }

    pub(crate) async fn phase(&self, resource: &Resource) -> Result<Phase> {
        Ok(self.status(resource).await?.phase)
    }

    /// A report that is expected to count.
    pub(crate) async fn reports(
        &self,
        resource: &Resource,
        adapter: &str,
        generation: i64,
        conditions: &[(&str, &str)],
    ) -> Result<()> {
        match self.records.report(&key(resource), report(adapter, generation, conditions)).await? {
            Reported::Stored(_) => Ok(()),
            Reported::Stale(why, _) => anyhow::bail!("stale: {why}"),
        }
    }

    pub(crate) async fn list(&self, search: &str) -> Result<Page<Resource>> {
        let search = Some(Search::parse(search, Kind::Cluster)?);
        Ok(self.records.list(Kind::Cluster, None, &Query { search, limit: 1000, ..Query::default() }).await?)
    }

    /// The names of the clusters that a search finds, in order.
    pub(crate) async fn found(&self, search: &str) -> Result<Vec<String>> {
        let page = self.list(search).await.with_context(|| search.to_owned())?;
        assert_eq!(page.total, page.items.len() as u64, "{search}");
        let mut names: Vec<_> = page.items.into_iter().map(|cluster| cluster.name).collect();
        names.sort();
        Ok(names)
    }
}

fn sqlite(path: &PathBuf, statement: &str) -> Result<String> {
    let output = std::process::Command::new("sqlite3").arg(path).arg(statement).output().context("running sqlite3")?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

pub(crate) fn json(text: &str) -> Json {
    serde_json::from_str(text).expect("JSON")
}

pub(crate) fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn cluster(name: &str, pairs: &[(&str, &str)]) -> New {
    New {
        kind: Kind::Cluster,
        owner: None,
        name: name.to_owned(),
        spec: json("{}"),
        labels: labels(pairs),
        by: "tester".to_owned(),
    }
}

pub(crate) fn node_pool(owner: &Resource, name: &str) -> New {
    New { kind: Kind::NodePool, owner: Some(owner.id.clone()), ..cluster(name, &[]) }
}

pub(crate) fn key(resource: &Resource) -> Key {
    Key { kind: resource.kind, owner: resource.owner.as_ref().map(|owner| owner.id.clone()), id: resource.id.clone() }
}

pub(crate) fn status(resource: &Resource) -> Result<Status> {
    Ok(serde_json::from_str(resource.status.get())?)
}

pub(crate) fn report(adapter: &str, generation: i64, conditions: &[(&str, &str)]) -> Report {
    let condition = |(r#type, status): &(&str, &str)| ReportedCondition {
        last_transition_time: None,
        message: None,
        reason: None,
        status: (*status).to_owned(),
        r#type: (*r#type).to_owned(),
        others: serde_json::Map::new(),
    };
    Report {
        adapter: adapter.to_owned(),
        observed_generation: generation,
        observed_time: None,
        conditions: conditions.iter().map(condition).collect(),
        data: serde_json::Map::new(),
        metadata: None,
    }
}
