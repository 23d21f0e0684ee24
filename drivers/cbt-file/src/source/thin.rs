//! A device in the metadata of a thin pool, as the tools for it tell.
//!
//! The metadata maps blocks of a device to blocks of the pool; a block that two devices map to the same place is the
//! same. There is no data here: the pool's data device is not ours to read.

mod xml;

use std::{path::PathBuf, sync::Arc};

use blake3::Hash;
use proto::cbt::{Error, Result};

use super::{Base, Context, Opened, Source};
use crate::{
    file::File,
    image::Image,
    map::{Map, Span, Writer},
    ranges::{Ask, Ranges},
    tool::Tool,
};

/// The Debian package of the tools.
const PACKAGE: &str = "thin-provisioning-tools";

/// A device of a pool.
pub(crate) struct Thin {
    metadata: PathBuf,
    file: File,
    device: u32,
    size: u64,
    block_size: u64,
    subject: String,
    context: Context,
}

// === impl Thin ===

impl Thin {
    pub(super) fn open(metadata: PathBuf, device: u32, size: u64, subject: &str, context: &Context) -> Result<Self> {
        let file = File::open(&metadata, subject, &context.cancel)?;
        let block_size = xml::block_size(&file.head(xml::SUPERBLOCK)?)
            .ok_or_else(|| Error::Broken(format!("{subject} is not in the metadata of a thin pool")))?;
        let (subject, context) = (subject.to_owned(), context.clone());
        Ok(Self { metadata, file, device, size, block_size, subject, context })
    }

    /// What a tool tells of blocks, in bytes; asked once.
    fn map(&self, tool: &'static str, args: &[String], size: u64) -> Result<Arc<Map>> {
        let name = format!("{tool} {args:?} {size} {:?} {:?}", self.metadata, self.file.identity());
        let map = self.context.maps.get(&name, || self.ask(tool, args, size).map(Some))?;
        map.ok_or_else(|| Error::Internal(format!("{tool} told nothing")))
    }

    /// What lies beyond `size` is a fault: it would not be listed.
    fn ask(&self, name: &'static str, args: &[String], size: u64) -> Result<Map> {
        let args = args.iter().map(AsRef::as_ref).chain([self.metadata.as_os_str()]);
        let (tool, output) = Tool::start((name, PACKAGE), args, &self.context.cancel)?;
        let mut writer = Writer::new()?;
        let told = xml::blocks(output, |blocks| {
            if blocks.end > size.div_ceil(self.block_size) {
                let (subject, block) = (&self.subject, blocks.end - 1);
                return Err(Error::Broken(format!(
                    "{subject} has a block {block}, beyond the size it is registered with"
                )));
            }
            writer.push(Span::sure(blocks.start * self.block_size..blocks.end * self.block_size))
        });
        let told = match told {
            Ok(told) => told,
            Err(xml::Fault::Seam(error)) => return Err(error),
            Err(xml::Fault::Xml(what)) => return Err(tool.misread(&what)),
        };
        tool.finish()?;
        self.file.check()?;
        if told.block_size != self.block_size {
            return Err(Error::Broken(format!("{name} and the metadata disagree about the size of a block")));
        }
        match told.found {
            true => writer.finish(),
            false => {
                Err(Error::NotFound(format!("{} is not there: the pool has no device {}", self.subject, self.device)))
            }
        }
    }
}

impl Source for Thin {
    fn capacity(&self) -> u64 {
        self.size
    }

    fn block_size(&self) -> Option<u64> {
        Some(self.block_size)
    }

    fn fingerprint(&self) -> Hash {
        blake3::hash(&self.file.identity().bytes())
    }

    fn allocated(&self, ask: Ask) -> Result<Box<dyn Ranges>> {
        let map = self.map("thin_dump", &["--dev-id".to_owned(), self.device.to_string()], self.size)?;
        Ok(Box::new(map.after(ask.start)?))
    }

    fn delta(&self, base: &Base<'_>, ask: Ask) -> Result<Option<Box<dyn Ranges>>> {
        let Opened::Thin(base) = base.opened else { return Ok(None) };
        if base.metadata != self.metadata {
            return Err(Error::NoDelta("the two snapshots are in the metadata of different pools".to_owned()));
        }
        // The volume may have been larger before.
        let size = self.size.max(base.size);
        let [base, target] = [base.device, self.device].map(|device| device.to_string());
        let map = self.map("thin_delta", &["--snap1".to_owned(), base, "--snap2".to_owned(), target], size)?;
        Ok(Some(Box::new(map.after(ask.start)?)))
    }

    fn image(&self) -> Result<Option<Arc<dyn Image>>> {
        Ok(None)
    }
}
