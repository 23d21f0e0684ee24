//! Where the programs are that run beside us. `cargo xtask test` builds them once and leaves a link to the current ones.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// The folder that holds the peers; set by xtask, so that a run uses what it built.
const VARIABLE: &str = "OUTRIGGER_PEERS";

/// Paths of etcd and the Kubernetes programs.
#[derive(Clone, Debug)]
pub struct Peers {
    folder: PathBuf,
}

// === impl Peers ===

impl Peers {
    /// Those of `OUTRIGGER_PEERS`, else those that `cargo xtask peers` built last.
    pub fn locate() -> Result<Self> {
        let folder = match std::env::var_os(VARIABLE) {
            Some(folder) => PathBuf::from(folder),
            None => cache()?.join("outrigger/peers/current"),
        };
        let peers = Self { folder };
        for program in [peers.etcd(), peers.kube_apiserver(), peers.kube_controller_manager(), peers.kubectl()] {
            if !program.exists() {
                bail!("{} is missing: run `cargo xtask peers`, or the tests by `cargo xtask test`", program.display());
            }
        }
        Ok(peers)
    }

    /// etcd.
    #[must_use]
    pub fn etcd(&self) -> PathBuf {
        self.folder.join("etcd")
    }

    /// kube-apiserver.
    #[must_use]
    pub fn kube_apiserver(&self) -> PathBuf {
        self.folder.join("kube-apiserver")
    }

    /// kube-controller-manager.
    #[must_use]
    pub fn kube_controller_manager(&self) -> PathBuf {
        self.folder.join("kube-controller-manager")
    }

    /// kubectl.
    #[must_use]
    pub fn kubectl(&self) -> PathBuf {
        self.folder.join("kubectl")
    }
}

/// The CSI driver of the tests.
pub fn csi_peer() -> Result<PathBuf> {
    program("OUTRIGGER_CSI_PEER", "csi-peer")
}

/// The backup software of the tests.
pub fn backup_peer() -> Result<PathBuf> {
    program("OUTRIGGER_BACKUP_PEER", "backup-peer")
}

/// The Go controller of the tests.
pub fn controller_peer() -> Result<PathBuf> {
    program("OUTRIGGER_CONTROLLER_PEER", "controller-peer")
}

/// The sidecar that Kubernetes has for changed blocks; `cargo xtask bench cbt` builds it.
pub fn sidecar_peer() -> Result<PathBuf> {
    program("OUTRIGGER_SIDECAR_PEER", "sidecar-peer")
}

/// The program that a variable names, else the one that `cargo xtask peers` built last.
fn program(variable: &str, name: &str) -> Result<PathBuf> {
    let program = match std::env::var_os(variable) {
        Some(program) => PathBuf::from(program),
        None => cache()?.join("outrigger").join(name).join("current").join(name),
    };
    if !program.exists() {
        bail!("{} is missing: run `cargo xtask peers`, or the tests by `cargo xtask test`", program.display());
    }
    Ok(program)
}

pub(crate) fn cache() -> Result<PathBuf> {
    if let Some(cache) = std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(cache));
    }
    let home = std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?;
    Ok(Path::new(&home).join(".cache"))
}
