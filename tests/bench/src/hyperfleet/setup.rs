//! Starts what is compared, and fills it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::Method;
use kit::{Postgres, Process, Scratch, free_ports};
use serde_json::Value;

use crate::hyperfleet::client::Client;
use crate::hyperfleet::measure::{API, Call, Fleet, MEASURES, Measure, cluster, drive};
use crate::hyperfleet::{pgbench, settings::Settings};
use crate::outcome::Outcome;
use crate::procstat::with_children;

/// Clients that fill a server.
const FILLERS: usize = 16;

/// What runs until the report is written.
pub(crate) struct Setup {
    pub(crate) targets: Vec<Target>,
    clusters: usize,
    postgres: Postgres,
    scratch: Scratch,
    _servers: Vec<Process>,
}

/// One column.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    way: Way,
    /// The server's process, and PostgreSQL's.
    server: Option<u32>,
    database: Option<u32>,
}

enum Way {
    /// A server of the API, and the clusters that it has.
    Api(String, Arc<Fleet>),
    /// The server that knows its answers.
    Constant(String, Arc<Fleet>),
    /// pgbench, on a database.
    Statement(String),
}

// === impl Setup ===

impl Setup {
    pub(crate) async fn start(settings: &Settings) -> Result<Self> {
        let scratch = Scratch::new("bench-hyperfleet")?;
        let mut postgres = Postgres::start().context("starting PostgreSQL")?;
        let database = Some(postgres.process().id());
        let mut servers = Vec::new();
        let mut targets = Vec::new();
        let (file, url) = (format!("sqlite:{}", scratch.file("hyperfleet.db").display()), postgres.url());
        for (name, db, database) in [("SQLite", &file, None), ("PostgreSQL", &url, database)] {
            let (server, authority) =
                serve(&scratch, name, db).await.with_context(|| format!("starting it on {name}"))?;
            let fleet = Arc::new(fill(&authority, settings.clusters).await?);
            targets.push(Target { name, way: Way::Api(authority, fleet), server: Some(server.id()), database });
            servers.push(server);
        }
        postgres.sql(&url, "VACUUM ANALYZE").context("letting PostgreSQL know its tables")?;
        let Way::Api(authority, fleet) = &targets[0].way else { anyhow::bail!("the first target is the API") };
        let (authority, fleet) = (authority.clone(), Arc::clone(fleet));
        let document = answers(&scratch, &authority, &fleet).await?;
        let (server, authority) = constant(&scratch).await.context("starting the server that knows its answers")?;
        let way = Way::Constant(authority, fleet);
        targets.push(Target { name: super::BASELINE, way, server: Some(server.id()), database: None });
        servers.push(server);
        let url = postgres.url();
        pgbench::prepare(&postgres, &url, &document, settings.clusters)?;
        targets.push(Target { name: "pgbench", way: Way::Statement(url), server: None, database });
        Ok(Self { targets, clusters: settings.clusters, postgres, scratch, _servers: servers })
    }
}

// === impl Target ===

impl Target {
    pub(crate) fn has_server(&self) -> bool {
        self.server.is_some()
    }

    pub(crate) fn has_database(&self) -> bool {
        self.database.is_some()
    }

    /// Processor seconds of the server and of the database since they began.
    pub(crate) fn cost(&self) -> (f64, f64) {
        let of = |process: Option<u32>| process.map(with_children).unwrap_or_default();
        (of(self.server), of(self.database))
    }

    /// Runs a measure for a time.
    pub(crate) async fn run(
        &self,
        setup: &Setup,
        measure: &'static Measure,
        clients: usize,
        time: Duration,
    ) -> Result<Outcome> {
        match &self.way {
            Way::Api(authority, fleet) => {
                drive(authority, clients, time, fleet, |fleet, number| measure.call(fleet, number)).await
            }
            Way::Constant(authority, fleet) => {
                let call = |fleet: &Fleet, number: usize| Call {
                    target: format!("/{}", measure.word),
                    ..measure.call(fleet, number)
                };
                drive(authority, clients, time, fleet, call).await
            }
            Way::Statement(url) => {
                let Setup { postgres, scratch, clusters, .. } = setup;
                pgbench::run(postgres, url, scratch, measure, clients, *clusters, time).await
            }
        }
    }
}

/// Starts a server of the API on a database.
async fn serve(scratch: &Scratch, name: &str, url: &str) -> Result<(Process, String)> {
    let binary = kit::binary()?;
    let db = format!("--db={url}");
    let migrate = ["hyperfleet".to_owned(), "migrate".to_owned(), db.clone()];
    let mut migrate = Process::spawn("migrate", &binary, &migrate, &scratch.file(&format!("migrate-{name}.log")))?;
    anyhow::ensure!(migrate.wait(kit::PATIENCE)?.success(), "{}", migrate.tail());
    let [api, health, metrics] = free_ports()?;
    let address = |flag: &str, port: u16| format!("--{flag}=127.0.0.1:{port}");
    let flags = [
        "hyperfleet".to_owned(),
        "serve".to_owned(),
        db,
        address("api-server-bindaddress", api),
        address("health-check-server-bindaddress", health),
        address("metrics-server-bindaddress", metrics),
    ];
    let server = Process::spawn("hyperfleet", &binary, &flags, &scratch.file(&format!("serve-{name}.log")))?;
    await_answer(server, &format!("127.0.0.1:{api}"), &format!("{API}/compatibility")).await
}

async fn constant(scratch: &Scratch) -> Result<(Process, String)> {
    let [port] = free_ports()?;
    let answers = scratch.file("answers").display().to_string();
    let flags = ["constant".to_owned(), format!("--port={port}"), format!("--answers={answers}")];
    let server = Process::spawn("constant", &std::env::current_exe()?, &flags, &scratch.file("constant.log"))?;
    await_answer(server, &format!("127.0.0.1:{port}"), "/get").await
}

/// Waits until a server answers.
async fn await_answer(mut server: Process, authority: &str, target: &str) -> Result<(Process, String)> {
    let deadline = kit::deadline(kit::PATIENCE);
    loop {
        let asked = async { Client::connect(authority).await?.call(Method::GET, target, Bytes::new()).await };
        match asked.await {
            Ok(_) => return Ok((server, authority.to_owned())),
            Err(error) if kit::deadline(Duration::ZERO) > deadline => return Err(error.context(server.tail())),
            Err(_) => server.ensure_running()?,
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Creates the clusters; they are in order of their numbers.
async fn fill(authority: &str, clusters: usize) -> Result<Fleet> {
    let mut tasks = tokio::task::JoinSet::new();
    for filler in 0..FILLERS {
        let mut client = Client::connect(authority).await?;
        tasks.spawn(async move {
            let mut ids = Vec::new();
            for number in (filler..clusters).step_by(FILLERS) {
                let body = cluster(number).to_string().into();
                let made = client.call(Method::POST, &format!("{API}/clusters"), body).await?;
                let made: Value = serde_json::from_slice(&made).context("reading a new cluster")?;
                ids.push((number, made["id"].as_str().context("it has an id")?.to_owned()));
            }
            anyhow::Ok(ids)
        });
    }
    let mut ids = Vec::with_capacity(clusters);
    for part in tasks.join_all().await {
        ids.extend(part.context("creating the clusters")?);
    }
    ids.sort_unstable();
    Ok(Fleet::new(ids.into_iter().map(|(_, id)| id).collect()))
}

/// Keeps an answer to each measure for the server that knows them; the document of one cluster.
async fn answers(scratch: &Scratch, authority: &str, fleet: &Fleet) -> Result<String> {
    let folder = scratch.file("answers");
    std::fs::create_dir(&folder).context("creating the folder of answers")?;
    let mut client = Client::connect(authority).await?;
    let mut document = String::new();
    for measure in MEASURES {
        // Of a number that no measure comes to.
        let number = if measure.word == "create" { usize::MAX } else { 0 };
        let Call { method, target, body } = measure.call(fleet, number);
        let answer = client.call(method, &target, body).await.with_context(|| measure.title.to_owned())?;
        std::fs::write(folder.join(measure.word), &answer).context("keeping an answer")?;
        if measure.word == "get" {
            document = String::from_utf8(answer.to_vec()).context("a document is text")?;
        }
    }
    Ok(document)
}
