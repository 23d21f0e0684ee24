//! `qemu-nbd` processes: started for an image, used by whoever asks about it, ended when nobody has for a while.
//!
//! Each is begun so that it ends by itself when its last client leaves, and has one client that stays: when this process
//! is killed, they go too.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use proto::cbt::{Error, Result};
use tempfile::TempDir;
use tokio::time::Instant;

use super::client::{Client, Fault};
use crate::{
    cancel::Cancel,
    tool::{self, Tool},
};

/// The program, and the Debian package that it is from.
const PROGRAM: &str = "qemu-nbd";
const PACKAGE: &str = "qemu-utils";
/// What the client that stays asks about: every server has it.
const CONTEXT: &str = "base:allocation";
/// How long a server may take to begin.
const START: Duration = Duration::from_secs(30);
/// How long a server is kept that nobody uses.
pub(crate) const IDLE: Duration = Duration::from_secs(10);
/// How often servers are looked after.
const LOOK: Duration = Duration::from_millis(500);

/// The servers of this process.
#[derive(Debug)]
pub(crate) struct Servers {
    /// Where the sockets are, once there are any.
    folder: Mutex<Option<TempDir>>,
    number: AtomicU64,
    idle: Duration,
    running: Mutex<Vec<Running>>,
}

#[derive(Debug)]
struct Running {
    name: String,
    used: Instant,
    server: Arc<Server>,
}

/// A server of one image. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    socket: PathBuf,
    process: Mutex<Process>,
    /// The client that stays. It is never asked for anything: nobody waits for it.
    _client: Client,
}

/// A process that does not outlive this.
#[derive(Debug)]
struct Process(Child);

/// What a server is to serve.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    /// The image, as qemu describes it, with everything that it refers to.
    pub(crate) image: &'a serde_json::Value,
    /// The image without what it refers to, and with locks.
    pub(crate) top: &'a serde_json::Value,
    /// Dirty bitmaps to show.
    pub(crate) bitmaps: &'a [String],
    /// What messages call the image.
    pub(crate) subject: &'a str,
}

// === impl Servers ===

impl Servers {
    /// None yet; each is kept for so long after it was last used.
    pub(crate) fn new(idle: Duration) -> Arc<Self> {
        let (folder, number) = (Mutex::default(), AtomicU64::new(0));
        Arc::new(Self { folder, number, idle, running: Mutex::default() })
    }

    /// The server called `name`, which says everything that it serves; started as `start` says if none runs.
    pub(crate) fn get(self: &Arc<Self>, name: &str, start: &Start<'_>, cancel: &Cancel) -> Result<Arc<Server>> {
        if let Some(server) = self.running(name) {
            return Ok(server);
        }
        // Started without the lock: nobody waits for another's image.
        let server = Arc::new(Server::start(self.socket()?, start, cancel)?);
        let mut running = self.lock();
        if running.is_empty() {
            self.watch()?;
        }
        running.push(Running { name: name.to_owned(), used: Instant::now(), server: Arc::clone(&server) });
        Ok(server)
    }

    /// A new place for a socket.
    fn socket(&self) -> Result<PathBuf> {
        let mut folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = match &mut *folder {
            Some(folder) => folder,
            none => {
                let made = tempfile::Builder::new().prefix("outrigger-nbd-").tempdir();
                none.insert(made.map_err(|error| Error::Unavailable(format!("no folder for sockets: {error}")))?)
            }
        };
        Ok(folder.path().join(self.number.fetch_add(1, Ordering::Relaxed).to_string()))
    }

    fn running(&self, name: &str) -> Option<Arc<Server>> {
        let mut running = self.lock();
        running.retain(|running| running.server.is_alive());
        let found = running.iter_mut().find(|running| running.name == name)?;
        found.used = Instant::now();
        Some(Arc::clone(&found.server))
    }

    /// Starts the thread that ends servers, and itself with the last of them.
    fn watch(self: &Arc<Self>) -> Result<()> {
        let servers = Arc::downgrade(self);
        let started = thread::Builder::new().name(format!("{PROGRAM} watch")).spawn(move || watch(&servers));
        started.map(drop).map_err(|error| Error::Unavailable(format!("no thread can be started: {error}")))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn watch(servers: &Weak<Servers>) {
    while let Some(servers) = servers.upgrade() {
        let ended: Vec<Running> = {
            let mut running = servers.lock();
            // Used by nobody else, and not for a while.
            let idle = |running: &mut Running| {
                Arc::strong_count(&running.server) == 1 && running.used.elapsed() > servers.idle
                    || !running.server.is_alive()
            };
            let ended = running.extract_if(.., idle).collect();
            if running.is_empty() {
                return;
            }
            ended
        };
        drop((ended, servers));
        thread::sleep(LOOK);
    }
}

// === impl Server ===

impl Server {
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    fn is_alive(&self) -> bool {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(process.0.try_wait(), Ok(None))
    }

    fn start(socket: PathBuf, start: &Start<'_>, cancel: &Cancel) -> Result<Self> {
        start.check(cancel)?;
        let cannot = |error: io::Error| match error.kind() {
            ErrorKind::NotFound => Error::Unavailable(format!("{PROGRAM} is not installed: install {PACKAGE}")),
            _ => Error::Unavailable(format!("{PROGRAM} cannot be started: {error}")),
        };
        let complaints = tempfile::tempfile().map_err(cannot)?;
        let mut command = Command::new(PROGRAM);
        command.args(["--read-only", "--allocation-depth", "--shared=0", "--socket"]).arg(&socket);
        command.args(start.bitmaps.iter().map(|bitmap| format!("--bitmap={bitmap}")));
        command.arg(format!("json:{}", start.image));
        command.env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(complaints.try_clone().map_err(cannot)?);
        let mut process = Process(command.spawn().map_err(cannot)?);
        match process.connect(&socket, cancel)? {
            Some(client) => Ok(Self { socket, process: Mutex::new(process), _client: client }),
            None => {
                let complaint = tool::complaint(&complaints);
                Err(Error::Broken(format!("{} cannot be opened: {complaint}", start.subject)))
            }
        }
    }
}

// === impl Start ===

impl Start<'_> {
    /// Fails when somebody has the image open to write to it. The server itself locks nothing: whoever wants to do
    /// something with an image that was read should not have to wait until the server has gone.
    fn check(&self, cancel: &Cancel) -> Result<()> {
        let (tool, mut output) = Tool::start(("qemu-img", PACKAGE), ["info", &format!("json:{}", self.top)], cancel)?;
        let _ = io::copy(&mut output, &mut io::sink());
        match tool.finish() {
            Err(Error::Unavailable(why)) if why.contains(" lock") => {
                Err(Error::NotReady(format!("{} is being written to by another process", self.subject)))
            }
            // What else is wrong with it, the server says.
            _ => cancel.check(),
        }
    }
}

// === impl Process ===

impl Process {
    /// Waits until it serves; `None` if it ends instead.
    fn connect(&mut self, socket: &Path, cancel: &Cancel) -> Result<Option<Client>> {
        let began = Instant::now();
        loop {
            cancel.check()?;
            // The connection stays after the one who waits has gone.
            match Client::connect(socket, CONTEXT, &Cancel::default()) {
                Ok(client) => return Ok(Some(client)),
                // It does not listen yet, or it has ended.
                Err(Fault::Io(_)) => {}
                Err(fault) => return Err(Error::Unavailable(format!("{PROGRAM} does not serve: {fault}"))),
            }
            if !matches!(self.0.try_wait(), Ok(None)) {
                return Ok(None);
            }
            if began.elapsed() > START {
                return Err(Error::Unavailable(format!("{PROGRAM} did not begin within {} s", START.as_secs())));
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn image(folder: &Path) -> Value {
        let path = folder.join("image.qcow2");
        let made = Command::new("qemu-img").args(["create", "-q", "-f", "qcow2"]).arg(&path).arg("1M").status();
        assert!(made.unwrap().success());
        json!({"driver": "qcow2", "file": {"driver": "file", "filename": path}})
    }

    fn get(servers: &Arc<Servers>, image: &Value, bitmaps: &[String]) -> Result<Arc<Server>> {
        servers.get("image", &Start { image, top: image, bitmaps, subject: "it" }, &Cancel::default())
    }

    #[test]
    fn a_server_is_used_again_and_one_that_died_is_not() {
        let (folder, servers) = (tempfile::tempdir().unwrap(), Servers::new(IDLE));
        let image = image(folder.path());
        let first = get(&servers, &image, &[]).unwrap();
        assert!(Arc::ptr_eq(&first, &get(&servers, &image, &[]).unwrap()));
        first.process.lock().unwrap().0.kill().unwrap();
        kit::eventually!(!first.is_alive(), "it is dead");
        let second = get(&servers, &image, &[]).unwrap();
        assert!(!Arc::ptr_eq(&first, &second) && second.is_alive());
    }

    #[test]
    fn a_server_ends_when_nobody_uses_it() {
        let (folder, servers) = (tempfile::tempdir().unwrap(), Servers::new(Duration::ZERO));
        let image = image(folder.path());
        let server = get(&servers, &image, &[]).unwrap();
        let process = PathBuf::from(format!("/proc/{}", server.process.lock().unwrap().0.id()));
        assert!(process.exists() && server.is_alive());
        drop(server);
        kit::eventually!(!process.exists(), "it has ended");
        kit::eventually!(servers.lock().is_empty(), "it is forgotten");
        assert!(get(&servers, &image, &[]).unwrap().is_alive());
    }

    #[test]
    fn servers_end_with_their_owner() {
        let (folder, servers) = (tempfile::tempdir().unwrap(), Servers::new(IDLE));
        let id = get(&servers, &image(folder.path()), &[]).unwrap().process.lock().unwrap().0.id();
        drop(servers);
        kit::eventually!(!PathBuf::from(format!("/proc/{id}")).exists(), "it has ended");
    }

    #[test]
    fn what_it_complains_about_is_said() {
        let (folder, servers) = (tempfile::tempdir().unwrap(), Servers::new(IDLE));
        let image = image(folder.path());
        let refused = get(&servers, &image, &["monday".to_owned()]).unwrap_err();
        assert!(matches!(&refused, Error::Broken(why) if why.contains("monday")), "{refused:?}");
    }
}
