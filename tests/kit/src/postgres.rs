//! A private PostgreSQL server: on a free loopback port, in a temporary folder, gone with the test.
//!
//! PostgreSQL refuses to run as root, so root hands it to an account that may do nothing else; the server's folders are that
//! account's. It ends by SIGQUIT, its immediate shutdown, which, unlike SIGKILL, leaves no shared memory behind.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::{PATIENCE, Process, Scratch, deadline, free_ports};

/// Where Debian keeps each version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// The superuser of the databases; it needs no password.
const USER: &str = "outrigger";
/// Accounts of which root hands the server to the first that exists.
const ACCOUNTS: &[&str] = &["postgres", "nobody"];

/// A running server; stopped when dropped, and when the test process ends.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    programs: PathBuf,
    account: Option<Account>,
    settings: Vec<String>,
    port: u16,
    databases: AtomicU32,
    scratch: Scratch,
}

/// Whom root hands the server to.
#[derive(Clone, Copy, Debug)]
struct Account {
    user: u32,
    group: u32,
}

// === impl Postgres ===

impl Postgres {
    /// The server that all tests of this process share. They keep out of each other's way by databases.
    ///
    /// # Panics
    /// If it does not start: then no test of the process can run.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<Postgres>> = OnceLock::new();
        match SHARED.get_or_init(Self::start) {
            Ok(postgres) => postgres,
            Err(error) => panic!("the shared PostgreSQL did not start: {error:#}"),
        }
    }

    /// Starts one, durable as in earnest, and waits until it answers.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// As [`Postgres::start`], with more settings, such as `fsync=off`.
    pub fn start_with(settings: &[&str]) -> Result<Self> {
        let (programs, account, scratch) = (programs()?, Account::find()?, Scratch::new("postgres")?);
        fs::set_permissions(scratch.path(), Permissions::from_mode(0o755))
            .context("opening the folder to the account")?;
        for folder in ["data", "socket"].map(|name| scratch.file(name)) {
            fs::create_dir(&folder).with_context(|| format!("creating {}", folder.display()))?;
            if let Some(account) = account {
                chown(&folder, Some(account.user), Some(account.group)).context("giving a folder to the account")?;
            }
        }
        let data = scratch.file("data").display().to_string();
        let initdb = ["-D", &data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"];
        let (program, args) = as_account(account, &programs.join("initdb"), &initdb.map(str::to_owned));
        // From a folder that the account may enter.
        succeed(Command::new(program).args(args).current_dir(scratch.path()))?;
        let [port] = free_ports()?;
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect::<Vec<_>>();
        let process = spawn(&programs, account, &settings, port, &scratch)?;
        let mut postgres = Self { process, programs, account, settings, port, databases: AtomicU32::new(0), scratch };
        postgres.await_ready()?;
        Ok(postgres)
    }

    /// The URL of a new, empty database.
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    pub fn url(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql(&self.url_of("postgres"), &format!("CREATE DATABASE {name}"))
            .expect("a running server makes a database");
        self.url_of(&name)
    }

    /// What a statement answers, as text: a line for each row, `|` between columns.
    pub fn sql(&self, url: &str, statement: &str) -> Result<String> {
        let psql = ["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statement];
        let output = succeed(Command::new(self.programs.join("psql")).args(psql))?;
        String::from_utf8(output.stdout).context("reading the answer of psql")
    }

    /// Cuts every client's connection; each may connect again.
    pub fn terminate_connections(&self) -> Result<()> {
        const ALL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        self.sql(&self.url_of("postgres"), ALL).map(drop)
    }

    /// Stops it as an operator would who does not wait for clients: connections are cut, transactions rolled back.
    pub fn stop(&mut self) -> Result<()> {
        self.process.signal("INT")?;
        self.process.wait(PATIENCE).map(drop)
    }

    /// `kill -9`, and waits until its children have noticed.
    pub fn kill(&mut self) -> Result<()> {
        let children = children(self.process.id());
        self.process.kill()?;
        let gone = || children.iter().all(|child| !Path::new(&format!("/proc/{child}")).exists());
        let deadline = deadline(PATIENCE);
        while !gone() {
            ensure!(crate::deadline(Duration::ZERO) < deadline, "children of a killed PostgreSQL live on");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Starts it again on the same port and data; it must not be running.
    pub fn start_again(&mut self) -> Result<()> {
        self.process = spawn(&self.programs, self.account, &self.settings, self.port, &self.scratch)?;
        self.await_ready()
    }

    /// A server that follows this one, and is synchronous from now on: nothing is acknowledged before it is applied there.
    pub fn standby(&self) -> Result<Self> {
        let scratch = Scratch::new("postgres")?;
        fs::set_permissions(scratch.path(), Permissions::from_mode(0o755))
            .context("opening the folder to the account")?;
        let (data, socket) = (scratch.file("data"), scratch.file("socket"));
        for folder in [&data, &socket] {
            fs::create_dir(folder).with_context(|| format!("creating {}", folder.display()))?;
            if let Some(account) = self.account {
                chown(folder, Some(account.user), Some(account.group)).context("giving a folder to the account")?;
            }
        }
        fs::set_permissions(&data, Permissions::from_mode(0o700)).context("closing the folder to others")?;
        let (to, from) = (data.display().to_string(), self.url_of("postgres"));
        let backup = ["-D", &to, "-d", &from, "-R", "-X", "stream", "-c", "fast", "--no-sync"].map(str::to_owned);
        let (program, args) = as_account(self.account, &self.programs.join("pg_basebackup"), &backup);
        succeed(Command::new(program).args(args).current_dir(scratch.path()))?;
        let [port] = free_ports()?;
        let process = spawn(&self.programs, self.account, &self.settings, port, &scratch)?;
        let mut standby = Self {
            process,
            programs: self.programs.clone(),
            account: self.account,
            settings: self.settings.clone(),
            port,
            databases: AtomicU32::new(self.databases.load(Ordering::Relaxed)),
            scratch,
        };
        standby.await_ready()?;
        self.sql(&from, "ALTER SYSTEM SET synchronous_standby_names = '*'")?;
        self.sql(&from, "ALTER SYSTEM SET synchronous_commit = 'remote_apply'")?;
        self.sql(&from, "SELECT pg_reload_conf()")?;
        const SYNCHRONOUS: &str = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        crate::eventually!(
            self.sql(&from, SYNCHRONOUS).is_ok_and(|count| count == "1\n"),
            "the standby is synchronous"
        );
        Ok(standby)
    }

    /// Makes a standby the server at `port`, where the one that it followed must be gone; it has no standby itself.
    pub fn take_over(&mut self, port: u16) -> Result<()> {
        self.stop()?;
        self.port = port;
        self.start_again()?;
        let url = self.url_of("postgres");
        self.sql(&url, "SELECT pg_promote(true, 60)")?;
        self.sql(&url, "ALTER SYSTEM RESET synchronous_standby_names")?;
        self.sql(&url, "SELECT pg_reload_conf()").map(drop)
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its Unix socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.scratch.file("socket")
    }

    /// A program of the same version, such as `pgbench`.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// The process itself.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    fn await_ready(&mut self) -> Result<()> {
        let deadline = deadline(PATIENCE);
        while let Err(error) = self.sql(&self.url_of("postgres"), "SELECT 1") {
            self.process.ensure_running()?;
            if crate::deadline(Duration::ZERO) > deadline {
                return Err(error).with_context(|| format!("PostgreSQL's log ends:\n{}", self.process.tail()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.process.signal("QUIT");
        let _ = self.process.wait(PATIENCE);
    }
}

// === impl Account ===

impl Account {
    /// `None` when we are not root ourselves.
    fn find() -> Result<Option<Self>> {
        let id = |args: &[&str]| -> Result<u32> {
            let output = succeed(Command::new("id").args(args))?;
            String::from_utf8_lossy(&output.stdout).trim().parse().context("reading an id")
        };
        if id(&["-u"])? != 0 {
            return Ok(None);
        }
        let named = |name: &&str| Ok(Self { user: id(&["-u", name])?, group: id(&["-g", name])? });
        let found = ACCOUNTS.iter().map(named).find_map(|account: Result<Self>| account.ok());
        found.map(Some).with_context(|| format!("root cannot run PostgreSQL, and none of {ACCOUNTS:?} exists"))
    }
}

/// The programs of the newest version.
fn programs() -> Result<PathBuf> {
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|version| Some((version.file_name().to_str()?.parse::<u32>().ok()?, version.path().join("bin"))))
        .filter(|(_, programs)| programs.join("postgres").exists())
        .max();
    newest.map(|(_, programs)| programs).with_context(|| {
        format!("no PostgreSQL in {VERSIONS}: install Debian's postgresql, or run the tests by `cargo xtask test`")
    })
}

fn spawn(
    programs: &Path,
    account: Option<Account>,
    settings: &[String],
    port: u16,
    scratch: &Scratch,
) -> Result<Process> {
    let path = |name: &str| scratch.file(name).display().to_string();
    let mut args = vec!["-D".to_owned(), path("data"), "-k".to_owned(), path("socket")];
    args.extend(["-h".to_owned(), "127.0.0.1".to_owned(), "-p".to_owned(), port.to_string()]);
    let defaults = std::iter::once("max_connections=200".to_owned());
    args.extend(defaults.chain(settings.iter().cloned()).flat_map(|setting| ["-c".to_owned(), setting]));
    let (program, args) = as_account(account, &programs.join("postgres"), &args);
    Process::spawn_ended_by("QUIT", "PostgreSQL", &program, &args, &[], &scratch.file("postgres.log"))
}

/// What to run so that a program runs as an account.
fn as_account(account: Option<Account>, program: &Path, args: &[String]) -> (PathBuf, Vec<String>) {
    let Some(Account { user, group }) = account else { return (program.to_owned(), args.to_vec()) };
    let mut all = vec![format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()];
    all.push(program.display().to_string());
    all.extend_from_slice(args);
    (PathBuf::from("setpriv"), all)
}

fn children(parent: u32) -> Vec<String> {
    let list = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    list.split_whitespace().map(str::to_owned).collect()
}

fn succeed(command: &mut Command) -> Result<Output> {
    let program = command.get_program().to_owned();
    let output = command.output().with_context(|| format!("starting {}", program.display()))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} failed: {}: {errors}", program.display(), output.status);
    Ok(output)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn databases_are_apart_and_outlive_both_ways_of_ending() {
        let mut postgres = Postgres::start().unwrap();
        let (one, two) = (postgres.url(), postgres.url());
        postgres.sql(&one, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)").unwrap();
        assert!(postgres.sql(&two, "SELECT n FROM kept").unwrap_err().to_string().contains("does not exist"));
        postgres.stop().unwrap();
        assert!(postgres.sql(&one, "SELECT 1").is_err());
        postgres.start_again().unwrap();
        postgres.kill().unwrap();
        postgres.start_again().unwrap();
        assert_eq!(postgres.sql(&one, "SELECT n FROM kept").unwrap(), "1\n");
        assert_ne!(postgres.url(), one);
    }

    #[test]
    fn clients_are_cut_off() {
        let postgres = Postgres::shared();
        let url = postgres.url();
        let mut client = Command::new(postgres.program("psql"))
            .args(["-Xd", &url, "-c", "SELECT pg_sleep(600)"])
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        const SLEEPERS: &str = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'";
        crate::eventually!(postgres.sql(&url, SLEEPERS).unwrap() == "1\n", "the client sleeps in the server");
        postgres.terminate_connections().unwrap();
        assert!(!client.wait().unwrap().success());
    }
}
