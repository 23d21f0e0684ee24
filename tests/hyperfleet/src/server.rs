//! A server of HyperFleet's API: one of ours on either database, started for the tests, or one that is there already.

use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, ensure};
use kit::{Postgres, Process, Response, Scratch, eventually, free_ports};

/// Where a server keeps its records.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Database {
    /// A file.
    Sqlite,
    /// A database of the PostgreSQL that the tests of this process share.
    Postgres,
}

/// A running `outrigger hyperfleet serve`, on loopback ports, without TLS.
#[derive(Debug)]
pub struct Server {
    process: Process,
    flags: Vec<String>,
    env: Vec<(String, String)>,
    ports: Ports,
    scratch: Scratch,
}

/// Where it listens, on 127.0.0.1.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// The API.
    pub api: u16,
    /// Whether it is well.
    pub health: u16,
    /// Its metrics.
    pub metrics: u16,
}

/// What the cases ask.
#[derive(Clone, Debug)]
pub struct Target {
    /// `HOST:PORT`.
    pub authority: String,
    /// The token to show, if any.
    pub token: Option<String>,
}

// === impl Database ===

impl Database {
    /// Each, with its name in tests.
    pub const ALL: [(&str, Self); 2] = [("sqlite", Self::Sqlite), ("postgres", Self::Postgres)];

    /// The server on it that all tests of this process share.
    ///
    /// # Panics
    /// If it does not start: then no test of the process can run.
    pub fn server(self) -> &'static Server {
        static SERVERS: [OnceLock<Result<Server>>; 2] = [OnceLock::new(), OnceLock::new()];
        match SERVERS[self as usize].get_or_init(|| Server::start(self, &[])) {
            Ok(server) => server,
            Err(error) => panic!("the shared server on {self:?} did not start: {error:#}"),
        }
    }
}

// === impl Server ===

impl Server {
    /// Makes the tables, serves, and waits until it is well.
    pub fn start(database: Database, flags: &[&str]) -> Result<Self> {
        let scratch = Scratch::new("hyperfleet")?;
        let db = match database {
            Database::Sqlite => format!("sqlite:{}", scratch.file("hyperfleet.db").display()),
            Database::Postgres => Postgres::shared().url(),
        };
        Self::start_on(scratch, &db, flags, &[])
    }

    /// As [`Server::start`], on the database of a URL, with its files in a folder and more environment variables.
    pub fn start_on(scratch: Scratch, db: &str, flags: &[&str], env: &[(&str, &str)]) -> Result<Self> {
        migrate(&scratch, db)?;
        let env: Vec<(String, String)> = env.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut server = Self::spawn(scratch, db, flags, env)?;
        while let Err(error) = server.await_health() {
            // Somebody was faster at a port that was free a moment ago.
            ensure!(server.log().contains("in use"), error);
            let Self { scratch, env, .. } = server;
            server = Self::spawn(scratch, db, flags, env)?;
        }
        Ok(server)
    }

    fn spawn(scratch: Scratch, db: &str, more: &[&str], env: Vec<(String, String)>) -> Result<Self> {
        let [api, health, metrics] = free_ports()?;
        let ports = Ports { api, health, metrics };
        let address = |flag: &str, port: u16| format!("--{flag}=127.0.0.1:{port}");
        let mut flags: Vec<String> = ["hyperfleet", "serve"].map(str::to_owned).to_vec();
        flags.extend([
            format!("--db={db}"),
            address("api-server-bindaddress", api),
            address("health-check-server-bindaddress", health),
            address("metrics-server-bindaddress", metrics),
        ]);
        flags.extend(more.iter().map(|&flag| flag.to_owned()));
        let process = spawn(&scratch, &flags, &env)?;
        Ok(Self { process, flags, env, ports, scratch })
    }

    /// Where it listens.
    #[must_use]
    pub fn ports(&self) -> Ports {
        self.ports
    }

    /// The API.
    #[must_use]
    pub fn target(&self) -> Target {
        Target { authority: format!("127.0.0.1:{}", self.ports.api), token: None }
    }

    /// One request to its health port.
    pub async fn health(&self, method: &str, path: &str) -> Result<Response> {
        crate::http::send(&format!("127.0.0.1:{}", self.ports.health), method, path, &[], "").await
    }

    /// Its metrics, as text.
    pub async fn metrics(&self) -> Result<String> {
        let answer =
            crate::http::send(&format!("127.0.0.1:{}", self.ports.metrics), "GET", "/metrics", &[], "").await?;
        ensure!(answer.status == 200, "/metrics answered {}", answer.status);
        Ok(answer.text())
    }

    /// The process itself.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Everything that it logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.output()
    }

    /// A file beside its log.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.scratch.file(name)
    }

    /// Starts it again with the same flags; it must not be running.
    pub fn start_again(&mut self) -> Result<()> {
        self.process = spawn(&self.scratch, &self.flags, &self.env)?;
        self.await_health()
    }

    fn await_health(&mut self) -> Result<()> {
        let Self { process, ports, .. } = self;
        let healthy = || {
            let asked = kit::block_on(async {
                crate::http::send(&format!("127.0.0.1:{}", ports.health), "GET", "/healthcheck", &[], "").await
            });
            asked.is_ok_and(|answer| answer.status == 200)
        };
        // The one that ended says why.
        eventually!(process.ensure_running().is_err() || healthy(), "it is well; its log ends:\n{}", process.tail());
        process.ensure_running()
    }
}

/// `outrigger hyperfleet migrate`.
fn migrate(scratch: &Scratch, db: &str) -> Result<()> {
    let flags = ["hyperfleet".to_owned(), "migrate".to_owned(), format!("--db={db}")];
    let mut process = Process::spawn("hyperfleet migrate", &kit::binary()?, &flags, &scratch.file("migrate.log"))?;
    let status = process.wait(kit::PATIENCE)?;
    ensure!(status.success(), "migrate ended with {status}:\n{}", process.tail());
    Ok(())
}

fn spawn(scratch: &Scratch, flags: &[String], env: &[(String, String)]) -> Result<Process> {
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Process::spawn_with("hyperfleet serve", &kit::binary()?, flags, &env, &scratch.file("serve.log"))
}

// === impl Target ===

impl Target {
    /// That of `HYPERFLEET_URL`, if it is set.
    pub fn given() -> Result<Option<Self>> {
        let variable = |name: &str| std::env::var_os(name).and_then(|value| value.into_string().ok());
        let Some(url) = variable("HYPERFLEET_URL") else { return Ok(None) };
        let authority = url.trim_end_matches('/').strip_prefix("http://");
        let authority = authority.with_context(|| format!("HYPERFLEET_URL is {url}, not http://HOST:PORT"))?.to_owned();
        Ok(Some(Self { authority, token: variable("HYPERFLEET_TOKEN") }))
    }
}
