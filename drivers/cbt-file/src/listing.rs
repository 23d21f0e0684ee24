//! Which snapshots there are, for whoever shows them.

use std::{path::Path, time::SystemTime};

use anyhow::Context as _;
use proto::cbt::Result;

use crate::{
    Driver, Spec,
    cancel::Cancel,
    driver::Shared,
    file::File,
    image::Image,
    registry::{Entry, Format, Place, spec},
    source::Header,
};

/// A snapshot that the driver knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The namespace of its VolumeSnapshot.
    pub namespace: String,
    /// The name of its VolumeSnapshot.
    pub name: String,
    /// What the driver calls it: the CSI snapshot handle.
    pub handle: String,
    /// Deltas are between snapshots of one volume.
    pub volume: String,
    /// When it was registered, or its image was last written to; `None` when that cannot be told now.
    pub created: Option<SystemTime>,
    /// Of the volume, in bytes; `None` when that cannot be told now, and nothing can be read then.
    pub size: Option<u64>,
}

/// Where the size of a volume is to be had.
enum Size {
    In(Format),
    Said(u64),
}

// === impl Driver ===

impl Driver {
    /// The snapshots there are now, in order of namespace and name. Only headers are read; it blocks all the same.
    pub fn snapshots(&self) -> anyhow::Result<Vec<Listed>> {
        let shared = self.shared();
        let entries = shared.registry.entries().context("listing --cbt-dir")?;
        Ok(entries.into_iter().map(|entry| shared.listed(entry)).collect())
    }
}

// === impl Shared ===

impl Shared {
    fn listed(&self, entry: Entry) -> Listed {
        let handle = entry.handle();
        let seen = self.look(&handle).inspect_err(|error| tracing::debug!("a snapshot cannot be read: {error}"));
        let (size, written) = seen.map_or((None, None), |(size, written)| (Some(size), written));
        let Entry { namespace, name, volume, created } = entry;
        Listed { namespace, name, handle, volume, created: created.or(written), size }
    }

    /// The size of a snapshot's volume, and when its file was last written to.
    fn look(&self, handle: &str) -> Result<(u64, Option<SystemTime>)> {
        let cancel = Cancel::default();
        let found = self.registry.find(handle)?;
        let subject = &found.subject;
        let open = |path: &Path| File::open(path, subject, &cancel);
        let (file, size) = match found.place {
            Place::Image { file, format, .. } => (File::new(file, subject, &cancel)?, Size::In(format)),
            Place::Registered(Spec::Raw { path }) => (open(&path)?, Size::In(Format::Raw)),
            Place::Registered(Spec::Qcow2 { path, .. }) => (open(&path)?, Size::In(Format::Qcow2)),
            Place::Registered(Spec::Thin { metadata, size, .. }) => (open(&metadata)?, Size::Said(size)),
            Place::Registered(Spec::Btrfs { file }) => (open(&spec::path(&file)?)?, Size::In(Format::Raw)),
        };
        let size = match size {
            Size::In(Format::Raw) => file.size(),
            Size::In(Format::Qcow2) => Header::read(&file, subject)?.size,
            Size::Said(size) => size,
        };
        Ok((size, file.modified()))
    }
}
