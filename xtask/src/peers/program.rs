//! Programs of ours in Go that the tests run beside us: each a module of its own in a folder of `xtask/peers`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::go::Go;
use crate::{cache, shell};

/// All of them.
const PROGRAMS: &[Program] = &[
    // Ours, on the specification's own Go code.
    Program { name: "csi-peer", module: "csi", what: "the CSI driver of the tests", variable: "OUTRIGGER_CSI_PEER" },
    // Kubernetes' own client library for changed blocks, as it is.
    Program {
        name: "backup-peer",
        module: "backup",
        what: "the backup software of the tests",
        variable: "OUTRIGGER_BACKUP_PEER",
    },
    // Ours, on Kubernetes' own client library.
    Program {
        name: "controller-peer",
        module: "controller",
        what: "the Go controller of the tests",
        variable: "OUTRIGGER_CONTROLLER_PEER",
    },
];

/// The peer of benchmarks for changed blocks: the sidecar of Kubernetes, as it is.
const SIDECAR: Program = Program {
    name: "sidecar-peer",
    module: "sidecar",
    what: "the sidecar of Kubernetes for changed blocks",
    variable: "OUTRIGGER_SIDECAR_PEER",
};

struct Program {
    /// The name of its file.
    name: &'static str,
    /// Its folder in `xtask/peers`.
    module: &'static str,
    /// What it is, for people.
    what: &'static str,
    /// The variable that tells tests where it is.
    variable: &'static str,
}

/// Builds what is missing and returns the path of each, with the variable that tells tests where it is.
pub(crate) fn build() -> Result<Vec<(&'static str, PathBuf)>> {
    PROGRAMS.iter().map(|program| Ok((program.variable, program.build()?))).collect()
}

/// Builds the sidecar, which only benchmarks need, and returns its path with the variable that tells them.
pub(crate) fn sidecar() -> Result<(&'static str, PathBuf)> {
    Ok((SIDECAR.variable, SIDECAR.build()?))
}

// === impl Program ===

impl Program {
    fn build(&self) -> Result<PathBuf> {
        let go = Go::ensure()?;
        let sources = shell::root().join("xtask/peers").join(self.module);
        let parent = cache::folder(self.name)?;
        let folder = parent.join(cache::name(inputs(&sources)?.into_iter(), &go.version)?);
        if !folder.exists() {
            println!("building {} with {}: this takes a minute or two, once", self.what, go.version);
            let building =
                tempfile::Builder::new().prefix("building-").tempdir_in(&parent).context("preparing the build")?;
            self.compile(&go, &sources, building.path())?;
            super::publish(building.keep(), &folder)?;
        }
        cache::point(&parent.join("current"), &folder)?;
        fs::canonicalize(folder.join(self.name)).with_context(|| format!("finding {}", self.what))
    }

    fn compile(&self, go: &Go, sources: &Path, folder: &Path) -> Result<()> {
        let mut command = go.command();
        command.current_dir(sources).env("CGO_ENABLED", "0").args(["build", "-trimpath", "-ldflags", "-s -w", "-o"]);
        shell::run(command.arg(folder.join(self.name)).arg("."))
    }
}

/// The files that a module is made of.
fn inputs(sources: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(sources).with_context(|| format!("reading {}", sources.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>();
    let mut files = paths.with_context(|| format!("reading {}", sources.display()))?;
    files.retain(|path| path.extension().is_some_and(|kind| ["go", "mod", "sum"].iter().any(|known| kind == *known)));
    files.sort();
    Ok(files)
}
