//! The database's files: who may read them, and that one process alone writes them.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// A process's claim on a database, until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Claims `database`; `None` when another process has it. The lock is a file of its own, because closing any handle of
/// the database itself would drop SQLite's own locks on it.
pub(crate) fn lock(database: &Path) -> io::Result<Option<Lock>> {
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(beside(database, ".lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock { _file: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Makes `file` if it is not there, empty and only for its owner, and its folder. Says whether it made it.
pub(crate) fn create(file: &Path) -> io::Result<bool> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(_) => sync_folder(file).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes the entry of `file` in its folder survive the loss of power.
pub(crate) fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// The file beside `path` whose name is longer by `suffix`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// How many bytes the database takes, its write-ahead log included.
pub(crate) fn bytes(database: &Path) -> io::Result<u64> {
    let log = fs::metadata(beside(database, "-wal")).map_or(0, |log| log.len());
    Ok(fs::metadata(database)?.len() + log)
}
