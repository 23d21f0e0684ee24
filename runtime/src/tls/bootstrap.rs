//! Certificates of our own, for those who bring none.
//!
//! What is in the folder and still good is kept, so that clients go on trusting it; what is missing, is not of our CA, is
//! not for the names that are asked for, or ends within thirty days is made anew. A folder that holds a serving
//! certificate without our CA's key belongs to somebody else: it is used as it is.
//!
//! To renew while running, call the same function again from time to time ([`renew`]); [`super::Identity`] follows.

mod keep;

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{Error, mint::Use};
use crate::{Tasks, clock::Clock, files};
use keep::Folder;

/// How often certificates are looked at.
const RENEW_EVERY: Duration = Duration::from_secs(12 * 60 * 60);

/// The files of a certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The certificate, with its chain.
    pub cert: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// What [`serving`] leaves behind.
#[derive(Debug, Clone)]
pub struct Serving {
    /// The CA to trust; `None` when the certificate is somebody else's.
    pub ca: Option<PathBuf>,
    /// The serving certificate.
    pub pair: Pair,
}

/// What [`standalone`] leaves behind.
#[derive(Debug, Clone)]
pub struct Standalone {
    /// The CA of both: clients trust it, and the server trusts clients that show a certificate of it.
    pub ca: PathBuf,
    /// The serving certificate.
    pub serving: Pair,
    /// The certificate of `admin` in `system:masters`.
    pub admin: Pair,
    /// A kubeconfig for that admin.
    pub kubeconfig: PathBuf,
}

/// What [`peers`] leaves behind.
#[derive(Debug, Clone)]
pub struct Peers {
    /// The CA of both, which is nobody else's: an API client's certificate opens no storage.
    pub ca: PathBuf,
    /// The server's certificate.
    pub server: Pair,
    /// The client's certificate.
    pub client: Pair,
}

/// A serving certificate in `dir` (`tls.crt`, `tls.key`, `ca.crt`) for `names` and this machine.
pub fn serving(dir: &Path, names: &[String], now: SystemTime) -> Result<Serving, Error> {
    let folder = Folder::open(dir)?;
    let pair = folder.pair("tls");
    if pair.cert.exists() && !folder.pair("ca").key.exists() {
        return Ok(Serving { ca: None, pair });
    }
    let ca = folder.authority("outrigger", now)?;
    folder.leaf(&ca, "tls", &Use::Server { names: with_local(names) }, now)?;
    Ok(Serving { ca: Some(folder.pair("ca").cert), pair })
}

/// Everything for a server without a cluster, in `dir/pki`, and `dir/admin.kubeconfig` that leads to `url`.
pub fn standalone(dir: &Path, names: &[String], url: &str, now: SystemTime) -> Result<Standalone, Error> {
    let folder = Folder::open(&dir.join("pki"))?;
    let ca = folder.authority("outrigger", now)?;
    folder.leaf(&ca, "serving", &Use::Server { names: with_local(names) }, now)?;
    let admin = folder.leaf(&ca, "admin", &Use::Client { user: "admin", group: Some("system:masters") }, now)?;
    let path = dir.join("admin.kubeconfig");
    let config = kubeconfig(url, &ca.cert, &admin.cert, &admin.key);
    if std::fs::read_to_string(&path).is_ok_and(|old| old == config) {
        tracing::debug!("{} is up to date", path.display());
    } else {
        files::write_private(&path, config.as_bytes())?;
    }
    Ok(Standalone {
        ca: folder.pair("ca").cert,
        serving: folder.pair("serving"),
        admin: folder.pair("admin"),
        kubeconfig: path,
    })
}

/// Certificates for a server and a client of our own, in `dir`: give each process its half.
pub fn peers(dir: &Path, names: &[String], now: SystemTime) -> Result<Peers, Error> {
    let folder = Folder::open(dir)?;
    let ca = folder.authority("outrigger peers", now)?;
    folder.leaf(&ca, "server", &Use::Server { names: with_local(names) }, now)?;
    folder.leaf(&ca, "client", &Use::Client { user: "outrigger", group: None }, now)?;
    Ok(Peers { ca: folder.pair("ca").cert, server: folder.pair("server"), client: folder.pair("client") })
}

/// Calls `make`, which should be one of the functions above, twice a day.
pub fn renew<T>(tasks: &Tasks, clock: Clock, make: impl Fn(SystemTime) -> Result<T, Error> + Send + 'static) {
    let draining = tasks.shutdown().draining();
    let forever = async move {
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            if let Err(error) = make(clock()) {
                tracing::error!("could not renew our certificates: {}", crate::telemetry::chain(&error));
            }
        }
    };
    tasks.spawn("renew certificates", async move {
        tokio::select! {
            () = draining => {}
            () = forever => {}
        }
    });
}

/// The names that a server on this machine is reached by, besides those that are given.
fn with_local(names: &[String]) -> Vec<String> {
    let hostname = rustix::system::uname();
    let local = [
        "localhost".to_owned(),
        Ipv4Addr::LOCALHOST.to_string(),
        Ipv6Addr::LOCALHOST.to_string(),
        hostname.nodename().to_string_lossy().into_owned(),
    ];
    let all: BTreeSet<String> =
        local.into_iter().chain(names.iter().cloned()).filter(|name| !name.is_empty()).collect();
    all.into_iter().collect()
}

fn kubeconfig(url: &str, ca: &str, cert: &str, key: &str) -> String {
    let [ca, cert, key] = [ca, cert, key].map(|pem| STANDARD.encode(pem));
    format!(
        "apiVersion: v1
kind: Config
clusters:
- name: outrigger
  cluster:
    server: {url}
    certificate-authority-data: {ca}
users:
- name: admin
  user:
    client-certificate-data: {cert}
    client-key-data: {key}
contexts:
- name: outrigger
  context:
    cluster: outrigger
    user: admin
current-context: outrigger
"
    )
}
