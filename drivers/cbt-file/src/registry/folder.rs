//! A folder that nothing leads out of: the kernel resolves names beneath it, whatever links there are.

use std::{fs, os::fd::OwnedFd, path::Path};

use proto::cbt::{Error, Result};
use rustix::{
    fs::{CWD, Mode, OFlags, ResolveFlags, openat2},
    io::Errno,
};

use crate::{fault, file::FLAGS};

/// An open folder.
#[derive(Debug)]
pub(crate) struct Folder {
    folder: OwnedFd,
}

// === impl Folder ===

impl Folder {
    /// The folder at `path`, which the operator gave.
    pub(crate) fn open_root(path: &Path) -> Result<Self> {
        let opened = rustix::fs::openat(CWD, path, FLAGS | OFlags::DIRECTORY, Mode::empty());
        let folder = opened.map_err(|errno| fault::io("the folder of snapshots", &errno.into()))?;
        Ok(Self { folder })
    }

    /// A folder in this one, if it is there.
    pub(crate) fn folder(&self, name: &str) -> Result<Option<Self>> {
        let folder = self.beneath(name, OFlags::DIRECTORY, &format!("the folder of namespace {name}"))?;
        Ok(folder.map(|folder| Self { folder }))
    }

    /// A file in this folder, if it is there.
    pub(crate) fn open(&self, name: &str, subject: &str) -> Result<Option<fs::File>> {
        Ok(self.beneath(name, OFlags::empty(), subject)?.map(fs::File::from))
    }

    /// Whether this is the folder at `path`.
    pub(crate) fn is(&self, path: &Path) -> bool {
        let (here, there) = (rustix::fs::fstat(&self.folder), rustix::fs::stat(path));
        matches!((here, there), (Ok(a), Ok(b)) if (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino))
    }

    fn beneath(&self, name: &str, flags: OFlags, subject: &str) -> Result<Option<OwnedFd>> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        match openat2(&self.folder, name, FLAGS | flags, Mode::empty(), resolve) {
            Ok(opened) => Ok(Some(opened)),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(Errno::XDEV | Errno::LOOP) => {
                Err(Error::Invalid(format!("{subject} is a link that leads out of its folder")))
            }
            Err(errno) => Err(fault::io(subject, &errno.into())),
        }
    }
}
