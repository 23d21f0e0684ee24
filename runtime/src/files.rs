//! Small files that are followed while the process runs: certificates, keys, CA bundles.
//!
//! They are polled by content. A Kubernetes Secret is mounted through a symbolic link that is swapped, and some volumes
//! tell nobody about changes, so neither inotify nor modification times can be relied on.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::Tasks;

/// A change is seen within this time.
pub const POLL: Duration = Duration::from_secs(10);

/// A file could not be read.
#[derive(Debug, thiserror::Error)]
#[error("reading {}", path.display())]
pub struct Error {
    path: PathBuf,
    source: io::Error,
}

// === impl Error ===

impl Error {
    pub(crate) fn new(path: &Path, source: io::Error) -> Self {
        Self { path: path.to_owned(), source }
    }
}

/// The contents of files, in their order.
pub type Contents = Vec<Vec<u8>>;

/// Reads files whole.
pub fn read(paths: &[PathBuf]) -> Result<Contents, Error> {
    let read = |path: &PathBuf| fs::read(path).map_err(|source| Error::new(path, source));
    paths.iter().map(read).collect()
}

/// Calls `changed` with the files' contents whenever these are not what they were; `seen` is what the caller has.
/// A file that cannot be read is no change: it is logged once, and what was read last stays.
pub fn follow(tasks: &Tasks, paths: Vec<PathBuf>, seen: Contents, changed: impl FnMut(&Contents) + Send + 'static) {
    let draining = tasks.shutdown().draining();
    tasks.spawn("follow files", async move {
        tokio::select! {
            () = draining => {}
            () = poll(paths, seen, changed) => {}
        }
    });
}

async fn poll(paths: Vec<PathBuf>, mut seen: Contents, mut changed: impl FnMut(&Contents)) {
    let mut readable = true;
    loop {
        tokio::time::sleep(POLL).await;
        match read_async(&paths).await {
            Ok(contents) if contents == seen => readable = true,
            Ok(contents) => {
                readable = true;
                changed(&contents);
                seen = contents;
            }
            Err(error) if readable => {
                readable = false;
                tracing::warn!("keeping what was read before: {}", crate::telemetry::chain(&error));
            }
            Err(_) => {}
        }
    }
}

async fn read_async(paths: &[PathBuf]) -> Result<Contents, Error> {
    let mut contents = Contents::with_capacity(paths.len());
    for path in paths {
        contents.push(tokio::fs::read(path).await.map_err(|source| Error::new(path, source))?);
    }
    Ok(contents)
}

/// Writes a file that only its owner may read, whole or not at all.
pub fn write_private(path: &Path, contents: &[u8]) -> Result<(), Error> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let write = || {
        let new = path.with_extension("new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(contents)?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().map_err(|source| Error::new(path, source))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tokio::{sync::mpsc, time::timeout};

    use super::*;
    use crate::Shutdown;

    #[tokio::test]
    async fn changes_are_told_and_a_missing_file_is_not_one() {
        tokio::time::pause();
        let dir = tempfile::tempdir().unwrap();
        let paths = vec![dir.path().join("a"), dir.path().join("b")];
        for path in &paths {
            fs::write(path, "1").unwrap();
        }
        let tasks = Tasks::new(Shutdown::new());
        let (send, mut changes) = mpsc::unbounded_channel();
        follow(&tasks, paths.clone(), read(&paths).unwrap(), move |contents| send.send(contents.clone()).unwrap());

        assert!(timeout(POLL * 3, changes.recv()).await.is_err(), "nothing has changed");
        fs::remove_file(&paths[0]).unwrap();
        assert!(timeout(POLL * 3, changes.recv()).await.is_err(), "what is missing is not changed");
        fs::write(&paths[0], "2").unwrap();
        assert_eq!(changes.recv().await.unwrap(), [b"2".to_vec(), b"1".to_vec()]);

        tasks.shutdown().drain();
        tasks.ended().await;
    }

    #[test]
    fn private_files_are_replaced_and_are_their_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.key");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        write_private(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left over");
    }
}
