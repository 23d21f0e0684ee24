//! Where the Python programs are that run beside us. `cargo xtask test` installs what `requirements.txt` pins.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::peers;

/// The folder of the virtual environment; set by xtask, so that a run uses what it installed.
const VARIABLE: &str = "OUTRIGGER_PYTHON";

/// A virtual environment.
#[derive(Clone, Debug)]
pub struct Python {
    folder: PathBuf,
}

// === impl Python ===

impl Python {
    /// That of `OUTRIGGER_PYTHON`, else the one that `cargo xtask peers` made last.
    pub fn find() -> Result<Self> {
        let folder = match std::env::var_os(VARIABLE) {
            Some(folder) => PathBuf::from(folder),
            None => peers::cache()?.join("outrigger/python/current"),
        };
        let python = Self { folder };
        if !python.python().exists() {
            bail!(
                "{} is missing: run `cargo xtask peers`, or the tests by `cargo xtask test`",
                python.python().display()
            );
        }
        Ok(python)
    }

    /// The interpreter.
    #[must_use]
    pub fn python(&self) -> PathBuf {
        self.bin("python")
    }

    /// A program of one of the packages, such as `moto_server`.
    #[must_use]
    pub fn bin(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(Path::new(name))
    }
}
