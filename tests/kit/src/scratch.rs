//! A folder for one test or one process of tests: removed at the end, kept when something panicked.

use std::fs;
use std::io::Write as _;
use std::panic;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, Once};

use anyhow::{Context as _, Result};

/// Folders in use, so that the panic hook can mark them as worth keeping.
static LIVE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
static HOOK: Once = Once::new();

/// The file whose presence keeps a folder.
const KEEP: &str = "failed";

/// Waits until its stdin ends, which is when the test process has gone, then removes the folder unless it is to be kept.
const SWEEPER: &str = r#"read -r _; sleep 1; [ -e "$1/failed" ] || rm -rf -- "$1""#;

/// A folder that goes away with the test process, also when that is killed.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    sweeper: Child,
}

// === impl Scratch ===

impl Scratch {
    /// A new, empty folder; `name` is for the reader of a failure.
    pub fn new(name: &str) -> Result<Self> {
        HOOK.call_once(keep_folders_on_panic);
        let path = tempfile::Builder::new()
            .prefix(&format!("outrigger-{name}-"))
            .tempdir()
            .context("creating a temporary folder")?
            .keep();
        let sweeper = Command::new("sh")
            .args(["-c", SWEEPER, "sweeper"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting the sweeper of a temporary folder")?;
        LIVE.lock().expect("no panic happens under this lock").push(path.clone());
        Ok(Self { path, sweeper })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file in it and returns its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.file(name);
        fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        LIVE.lock().expect("no panic happens under this lock").retain(|path| *path != self.path);
        if !self.path.join(KEEP).exists() {
            let _ = fs::remove_dir_all(&self.path);
        }
        drop(self.sweeper.stdin.take());
        let _ = self.sweeper.kill();
        let _ = self.sweeper.wait();
    }
}

fn keep_folders_on_panic() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        before(info);
        let live = LIVE.lock().map(|live| live.clone()).unwrap_or_default();
        for path in live.iter().filter(|path| path.exists()) {
            let _ = fs::write(path.join(KEEP), "a test panicked\n");
            let _ = writeln!(std::io::stderr(), "logs are kept in {}", path.display());
        }
    }));
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_value() {
        let scratch = Scratch::new("test").unwrap();
        let file = scratch.write("a", "b").unwrap();
        assert!(file.exists());
        drop(scratch);
        assert!(!file.exists());
    }
}
