//! A raw image in a btrfs subvolume: what changed is in the stream that `btrfs send` makes of two snapshots.
//!
//! Nothing of the data is in it (`--no-data`), and it is read for one file. The stream names files by their paths at
//! that moment, so the file is followed from its path in the base, through every change of name, to its path in the
//! target. Where that does not lead there (the file was replaced, or has several names) the files are compared.

mod command;
mod follow;

use std::{path::PathBuf, sync::Arc};

use blake3::Hash;
use proto::cbt::{Error, Result};

use super::{Base, Context, Opened, Source, raw::Raw};
use crate::{
    file::File,
    image::Image,
    map::{Map, Span, Writer},
    ranges::{Ask, Ranges},
    registry::spec::split,
    tool::Tool,
};
use command::Commands;
use follow::Follow;

/// An image in a subvolume.
pub(crate) struct Btrfs {
    subvolume: PathBuf,
    /// From the top of the subvolume.
    path: String,
    raw: Raw,
    context: Context,
}

// === impl Btrfs ===

impl Btrfs {
    pub(super) fn open(file: &str, subject: &str, context: &Context) -> Result<Self> {
        let (subvolume, path) = split(file).map_err(Error::Unavailable)?;
        let (subvolume, path) = (PathBuf::from(subvolume), path.to_owned());
        let raw = Raw::open(&subvolume.join(&path), subject, context)?;
        Ok(Self { subvolume, path, raw, context: context.clone() })
    }

    fn image_file(&self) -> &Arc<File> {
        self.raw.file().expect("a raw image is a file")
    }

    /// Whether the two are one file at two times: btrfs gives no inode's number twice.
    fn is_same_file(&self, base: &Self) -> bool {
        let one_name = |btrfs: &Self| {
            let metadata = btrfs.image_file().file().metadata();
            metadata.is_ok_and(|metadata| std::os::unix::fs::MetadataExt::nlink(&metadata) == 1)
        };
        let [before, after] = [base, self].map(|btrfs| btrfs.image_file().identity().inode());
        before == after && one_name(base) && one_name(self)
    }

    /// What `btrfs send` tells; `None` when it does not lead from one file to the other.
    fn map(&self, base: &Self) -> Result<Option<Map>> {
        let args = ["send", "--no-data", "--quiet", "-p"].map(AsRef::as_ref);
        let args = args.into_iter().chain([base.subvolume.as_os_str(), self.subvolume.as_os_str()]);
        let (tool, output) = Tool::start(("btrfs", "btrfs-progs"), args, &self.context.cancel)?;
        let mut follow = Follow::new(&base.path, self.capacity());
        let mut commands = match Commands::new(output) {
            Ok(commands) => commands,
            Err(fault) => return Err(tool.misread(&fault.to_string())),
        };
        loop {
            match commands.next() {
                Ok(Some(command)) => follow.take(&command),
                Ok(None) => break,
                Err(fault) => return Err(tool.misread(&fault.to_string())),
            }
        }
        tool.finish()?;
        let Some(changed) = follow.changed(&self.path) else { return Ok(None) };
        let mut writer = Writer::new()?;
        for range in changed {
            writer.push(Span::sure(range))?;
        }
        writer.finish().map(Some)
    }
}

impl Source for Btrfs {
    fn capacity(&self) -> u64 {
        self.raw.capacity()
    }

    fn fingerprint(&self) -> Hash {
        self.raw.fingerprint()
    }

    fn allocated(&self, ask: Ask) -> Result<Box<dyn Ranges>> {
        self.raw.allocated(ask)
    }

    fn delta(&self, base: &Base<'_>, ask: Ask) -> Result<Option<Box<dyn Ranges>>> {
        let Opened::Btrfs(base) = base.opened else { return Ok(None) };
        if !self.is_same_file(base) {
            return Ok(None);
        }
        let of = |btrfs: &Self| format!("{:?} {} {:?}", btrfs.subvolume, btrfs.path, btrfs.image_file().identity());
        let name = format!("btrfs {} {}", of(base), of(self));
        let map = match self.context.maps.get(&name, || self.map(base)) {
            Ok(map) => map,
            Err(error) => {
                self.context.cancel.check()?;
                tracing::info!("btrfs send does not tell what changed, so it is compared: {error}");
                None
            }
        };
        let Some(map) = map else { return Ok(None) };
        Ok(Some(Box::new(map.after(ask.start)?)))
    }

    fn image(&self) -> Result<Option<Arc<dyn Image>>> {
        self.raw.image()
    }

    fn file(&self) -> Option<&Arc<File>> {
        self.raw.file()
    }
}
