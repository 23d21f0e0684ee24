//! What a snapshot is made of, and who knows what changed in it.
//!
//! To add one: a file in `source/` with a type that implements [`Source`], a variant of [`Opened`], and one of
//! [`Spec`] so that it can be registered.

mod btrfs;
mod qcow2;
mod raw;
mod reflink;
mod thin;

use std::sync::Arc;

use blake3::Hash;
use proto::cbt::{Error, Kind, Result};

use crate::{
    cancel::Cancel,
    compare::Compare,
    file::File,
    image::Image,
    map::Maps,
    nbd::server::Servers,
    ranges::{Ask, Ranges},
    registry::{Format, Found, Place, spec::Spec},
};

pub(crate) use qcow2::header::Header;

/// What sources need to do their work.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// Whether somebody waits for it.
    pub(crate) cancel: Cancel,
    pub(crate) maps: Arc<Maps>,
    pub(crate) servers: Arc<Servers>,
}

/// The data of a snapshot, or what is known about it. All methods block.
pub(crate) trait Source: Send + Sync {
    /// The volume's size in bytes.
    fn capacity(&self) -> u64;

    /// The size of its blocks, where the source has blocks of one size.
    fn block_size(&self) -> Option<u64> {
        None
    }

    /// What the snapshot is known by: another file in its place has another.
    fn fingerprint(&self) -> Hash;

    /// What is allocated.
    fn allocated(&self, ask: Ask) -> Result<Box<dyn Ranges>>;

    /// What changed since `base`, where something better than comparing tells; `None` where nothing does.
    fn delta(&self, base: &Base<'_>, ask: Ask) -> Result<Option<Box<dyn Ranges>>>;

    /// The data, where it can be read.
    fn image(&self) -> Result<Option<Arc<dyn Image>>>;

    /// The file that the data is in as it is, if it is in one.
    fn file(&self) -> Option<&Arc<File>> {
        None
    }
}

/// What a delta is from.
#[derive(Clone, Copy)]
pub(crate) struct Base<'a> {
    /// Its name in its namespace.
    pub(crate) name: &'a str,
    pub(crate) opened: &'a Opened,
}

/// A snapshot that was opened.
pub(crate) enum Opened {
    Raw(raw::Raw),
    Qcow2(qcow2::Qcow2),
    Thin(thin::Thin),
    Btrfs(btrfs::Btrfs),
}

// === impl Opened ===

impl Opened {
    /// Opens what the registry found.
    pub(crate) fn open(found: Found, context: &Context) -> Result<Self> {
        let Found { subject, place, .. } = found;
        Ok(match place {
            Place::Image { file, format: Format::Raw, .. } => Self::Raw(raw::Raw::new(file, &subject, context)?),
            Place::Image { folder, file, format: Format::Qcow2 } => {
                Self::Qcow2(qcow2::Qcow2::new(file, &folder, &subject, Vec::new(), context)?)
            }
            Place::Registered(Spec::Raw { path }) => Self::Raw(raw::Raw::open(&path, &subject, context)?),
            Place::Registered(Spec::Qcow2 { path, bitmaps }) => {
                Self::Qcow2(qcow2::Qcow2::open(&path, &subject, bitmaps, context)?)
            }
            Place::Registered(Spec::Thin { metadata, device, size }) => {
                Self::Thin(thin::Thin::open(metadata, device, size, &subject, context)?)
            }
            Place::Registered(Spec::Btrfs { file }) => Self::Btrfs(btrfs::Btrfs::open(&file, &subject, context)?),
        })
    }

    pub(crate) fn source(&self) -> &dyn Source {
        match self {
            Self::Raw(raw) => raw,
            Self::Qcow2(qcow2) => qcow2,
            Self::Thin(thin) => thin,
            Self::Btrfs(btrfs) => btrfs,
        }
    }

    /// Whether [`proto::cbt::Shape::Ranges`] has blocks of one size.
    pub(crate) fn kind(&self) -> Kind {
        match self.source().block_size() {
            Some(_) => Kind::Fixed,
            None => Kind::Variable,
        }
    }
}

/// What changed from `base` to `target`, by the cheapest witness.
pub(crate) fn delta(base: Base<'_>, target: &Opened, ask: Ask, context: &Context) -> Result<Box<dyn Ranges>> {
    if let Some(ranges) = target.source().delta(&base, ask)? {
        return Ok(ranges);
    }
    let (before, after) = (base.opened.source(), target.source());
    if let (Some(before), Some(after)) = (before.file(), after.file())
        && let Some(ranges) = reflink::delta(before, after, ask, context)?
    {
        return Ok(ranges);
    }
    match (before.image()?, after.image()?) {
        (Some(before), Some(after)) => Ok(Box::new(Compare::new(before, after, ask))),
        _ => Err(Error::NoDelta(
            "one of the two snapshots has no data to compare, and they are not of the same kind".to_owned(),
        )),
    }
}
