//! Starts what `cargo xtask bench` compares: etcd and a kube-apiserver, Outrigger behind it, and the same kind as a CRD.
//!
//! ```text
//! load ─┬──────────────────────────▶ outrigger ─▶ SQLite
//!       ├─▶ kube-apiserver (proxy) ──────┘
//!       └─▶ kube-apiserver (CRD) ────▶ etcd
//! ```
//! To add a peer: start it here and push its targets, its store and its processes.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use kit::{Cluster, Outrigger, Scratch};

use crate::procstat::{children, command_line};
use crate::target::{Auth, Endpoint, Peers, Process, Size, Store, Target};

/// The group that Outrigger serves, and the one of its twin, the CRD.
const GROUP: &str = "fleet.cattle.io";
const TWIN: &str = "crd.bench.example.org";
const VERSION: &str = "v1alpha1";

/// The programs that work for a measure; what else this process starts only watches over them.
const PROGRAMS: &[&str] = &["etcd", "kube-apiserver", "outrigger"];

/// What asks SQLite for the bytes of the pages that it uses.
const PAGES: &str = "SELECT (page_count - freelist_count) * page_size \
                     FROM pragma_page_count, pragma_freelist_count, pragma_page_size";

/// What runs until the report is written.
pub(crate) struct Running {
    outrigger: Outrigger,
    cluster: Cluster,
    credentials: Scratch,
}

/// Starts everything.
pub(crate) async fn start() -> Result<(Peers, Running)> {
    let options = kit::Options { durable: true, ..kit::Options::default() };
    let cluster = Cluster::start(&options).context("starting etcd and the kube-apiserver")?;
    let outrigger = Outrigger::behind(&cluster, &[], &[]).context("starting outrigger")?;
    outrigger.register(&cluster, GROUP, VERSION).await.context("registering outrigger")?;
    let twin = kit::examples::bundle_deployment()?.in_group(GROUP, TWIN);
    twin.install(&cluster.admin()).await.context("installing the CRD")?;
    let running = Running { outrigger, cluster, credentials: Scratch::new("bench")? };
    Ok((running.peers()?, running))
}

// === impl Running ===

impl Running {
    fn peers(&self) -> Result<Peers> {
        let auth = self.identity()?;
        let endpoint = |name: &str, port: u16, ca: &str| -> Result<Endpoint> {
            let ca = self.credentials.write(&format!("{name}-ca.crt"), ca)?;
            Ok(Endpoint { url: format!("https://127.0.0.1:{port}"), ca, auth: auth.clone() })
        };
        let kube = endpoint("kube-apiserver", self.cluster.port(), self.cluster.authority().cert())?;
        let direct = endpoint("outrigger", self.outrigger.port(), self.outrigger.ca())?;
        let target = |name: &str, endpoint: &Endpoint, group: &str, store: &str| Target {
            name: name.to_owned(),
            baseline: group == TWIN,
            endpoint: endpoint.clone(),
            group: group.to_owned(),
            version: VERSION.to_owned(),
            plural: "bundledeployments".to_owned(),
            kind: "BundleDeployment".to_owned(),
            store: store.to_owned(),
            namespaces: Some(kube.clone()),
        };
        let processes: Vec<Process> =
            children().into_iter().filter(|process| PROGRAMS.contains(&process.name.as_str())).collect();
        Ok(Peers {
            targets: vec![
                target("direct", &direct, GROUP, "SQLite"),
                target("aggregated", &kube, GROUP, "SQLite"),
                target("CRD", &kube, TWIN, "etcd"),
            ],
            stores: self.stores(&processes)?,
            notes: notes(&processes),
            processes,
        })
    }

    /// The administrator, by certificate: neither server asks anybody about one of system:masters.
    fn identity(&self) -> Result<Auth> {
        let pair = self.cluster.authority().client("bench", Some("system:masters"))?;
        let cert = self.credentials.write("bench.crt", &pair.cert)?;
        let key = self.credentials.write("bench.key", &pair.key)?;
        Ok(Auth::Certificate { cert, key })
    }

    /// Of both databases the pages in use: files grow in steps, and a log beside a file is written over.
    fn stores(&self, processes: &[Process]) -> Result<Vec<Store>> {
        let data: PathBuf = self.outrigger.folder().join("data");
        let ask = [kit::binary()?.display().to_string(), "sql".to_owned(), PAGES.to_owned()];
        let which = format!("--data-dir={}", data.display());
        let size = Size::Command(ask.into_iter().chain([which]).collect());
        let mut stores = vec![Store { name: "SQLite".to_owned(), size }];
        if let Some(url) = flag(processes, "etcd", "--listen-client-urls") {
            let name = "etcd_mvcc_db_total_size_in_use_in_bytes".to_owned();
            stores.push(Store { name: "etcd".to_owned(), size: Size::Gauge { url: format!("{url}/metrics"), name } });
        }
        Ok(stores)
    }
}

/// The value of a flag that a process was started with.
fn flag(processes: &[Process], program: &str, flag: &str) -> Option<String> {
    let process = processes.iter().find(|process| process.name == program)?;
    let value = |argument: String| argument.strip_prefix(flag)?.strip_prefix('=').map(str::to_owned);
    command_line(process.pid).into_iter().find_map(value)
}

/// A store that does not wait for its disk is not compared in silence with one that does.
fn notes(processes: &[Process]) -> Vec<String> {
    let reckless = |process: &&Process| command_line(process.pid).iter().any(|arg| arg == "--unsafe-no-fsync");
    let note = |process: &Process| {
        format!("{} runs with --unsafe-no-fsync: its writes are acknowledged before they are durable.", process.name)
    };
    processes.iter().filter(reckless).map(note).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_was_started_with_is_read_from_it() {
        let args = ["-c", "read -r _", "sh", "--listen=http://127.0.0.1:1", "--unsafe-no-fsync"];
        let mut child =
            std::process::Command::new("sh").args(args).stdin(std::process::Stdio::piped()).spawn().unwrap();
        let processes = [Process { name: "etcd".into(), pid: child.id() }];
        kit::eventually!(!command_line(child.id()).is_empty(), "the program has begun");
        let value = flag(&processes, "etcd", "--listen");
        let notes = notes(&processes);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(value.as_deref(), Some("http://127.0.0.1:1"));
        assert!(notes[0].starts_with("etcd runs with --unsafe-no-fsync"));
        assert_eq!(flag(&processes, "etcd", "--listen"), None, "a process that has ended");
    }
}
