//! A file, or a block device, as an image.

use std::{
    fs,
    io::{self, Read as _},
    ops::Range,
    os::unix::fs::{FileExt, FileTypeExt, MetadataExt},
    path::Path,
    time::SystemTime,
};

use proto::cbt::{Error, Result};
use rustix::{
    fs::{Mode, OFlags, SeekFrom},
    io::Errno,
};

use crate::{cancel::Cancel, fault, image::Image};

/// An open file of a snapshot.
#[derive(Debug)]
pub(crate) struct File {
    file: fs::File,
    size: u64,
    identity: Identity,
    /// What messages call it.
    subject: String,
    cancel: Cancel,
}

/// What a file is known by: a file that is replaced or written to has another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

/// For opening: a pipe in the place of a file must not make anybody wait.
pub(crate) const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

// === impl File ===

impl File {
    /// Opens a path.
    pub(crate) fn open(path: &Path, subject: &str, cancel: &Cancel) -> Result<Self> {
        let opened = rustix::fs::open(path, FLAGS, Mode::empty());
        let file = opened.map_err(|errno| fault::io(subject, &errno.into()))?;
        Self::new(file.into(), subject, cancel)
    }

    /// Takes an open file; what is neither a file nor a block device is refused.
    pub(crate) fn new(file: fs::File, subject: &str, cancel: &Cancel) -> Result<Self> {
        let metadata = file.metadata().map_err(|error| fault::io(subject, &error))?;
        if !metadata.is_file() && !metadata.file_type().is_block_device() {
            return Err(Error::Broken(format!("{subject} is neither a file nor a block device")));
        }
        // A block device has no size of its own.
        let size = rustix::fs::seek(&file, SeekFrom::End(0)).map_err(|errno| fault::io(subject, &errno.into()))?;
        let identity = Identity::of(&metadata);
        Ok(Self { file, size, identity, subject: subject.to_owned(), cancel: cancel.clone() })
    }

    pub(crate) fn file(&self) -> &fs::File {
        &self.file
    }

    /// Whether it is a block device.
    pub(crate) fn is_device(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.file_type().is_block_device())
    }

    /// Whether the two are one file.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let place = |file: &Self| file.file.metadata().map(|metadata| (metadata.dev(), metadata.ino()));
        matches!((place(self), place(other)), (Ok(a), Ok(b)) if a == b)
    }

    /// When it was last written to.
    pub(crate) fn modified(&self) -> Option<SystemTime> {
        self.file.metadata().and_then(|metadata| metadata.modified()).ok()
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The beginning of the file, up to `limit` bytes.
    pub(crate) fn head(&self, limit: u64) -> Result<Vec<u8>> {
        let mut head = Vec::new();
        let file = &self.file;
        let read = rustix::fs::seek(file, SeekFrom::Start(0))
            .map_err(io::Error::from)
            .and_then(|_| file.take(limit).read_to_end(&mut head));
        read.map(|_| head).map_err(|error| fault::io(&self.subject, &error))
    }

    /// The first byte at or after `from` that is data, or that is none; the end if there is no such byte. File systems
    /// and devices that know no holes have data everywhere.
    fn seek(&self, to: SeekFrom, from: u64) -> Result<u64> {
        match rustix::fs::seek(&self.file, to) {
            Ok(found) => Ok(found.min(self.size)),
            // There is no data from there on; for a hole, `from` is beyond the end.
            Err(Errno::NXIO) => Ok(self.size),
            Err(Errno::INVAL) if matches!(to, SeekFrom::Data(_)) => Ok(from),
            Err(Errno::INVAL) => Ok(self.size),
            Err(errno) => Err(fault::io(&self.subject, &errno.into())),
        }
    }
}

impl Image for File {
    fn size(&self) -> u64 {
        self.size
    }

    fn skip(&self, from: u64) -> Result<Option<u64>> {
        if from >= self.size {
            return Ok(None);
        }
        let found = self.seek(SeekFrom::Data(from), from)?;
        Ok((found < self.size).then_some(found))
    }

    fn data(&self, within: Range<u64>) -> Result<Vec<Range<u64>>> {
        let (mut found, mut at, end) = (Vec::new(), within.start, within.end.min(self.size));
        while at < end {
            self.cancel.check()?;
            let data = self.seek(SeekFrom::Data(at), at)?;
            let hole = self.seek(SeekFrom::Hole(data.max(at)), data)?.min(end);
            if data >= hole {
                break;
            }
            found.push(data..hole);
            at = hole;
        }
        Ok(found)
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.cancel.check()?;
        let inside = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX).min(buffer.len());
        let (data, beyond) = buffer.split_at_mut(inside);
        beyond.fill(0);
        self.file.read_exact_at(data, offset).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => fault::replaced(&self.subject),
            _ => fault::io(&self.subject, &error),
        })
    }

    fn check(&self) -> Result<()> {
        self.cancel.check()?;
        let metadata = self.file.metadata().map_err(|error| fault::io(&self.subject, &error))?;
        match Identity::of(&metadata) == self.identity {
            true => Ok(()),
            false => Err(fault::replaced(&self.subject)),
        }
    }
}

// === impl Identity ===

impl Identity {
    pub(crate) fn of(metadata: &fs::Metadata) -> Self {
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        Self { device: metadata.dev(), inode: metadata.ino(), size: metadata.size(), modified }
    }

    pub(crate) fn inode(&self) -> u64 {
        self.inode
    }

    /// What of it stays when the machine starts again, as bytes to be hashed: devices get other numbers.
    pub(crate) fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        let (seconds, nanoseconds) = self.modified;
        let fields = [self.inode, self.size, seconds.cast_unsigned(), nanoseconds.cast_unsigned()];
        for (place, field) in bytes.chunks_exact_mut(8).zip(fields) {
            place.copy_from_slice(&field.to_le_bytes());
        }
        bytes
    }
}
