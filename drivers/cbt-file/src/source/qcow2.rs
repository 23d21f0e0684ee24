//! A qcow2 image, with the images that it is laid over.
//!
//! What qemu opens is decided here: the image names its backing file, and a name can lead anywhere. Every layer is looked
//! up in the folder of the image and nowhere else, and qemu is given the open files.
//!
//! ```text
//! tuesday.qcow2 ──▶ monday.qcow2 ──▶ sunday.img      what changed since monday is what tuesday's own layer has
//! ```

pub(super) mod header;

use std::{
    os::fd::AsRawFd,
    path::{Component, Path},
    process,
    sync::{Arc, OnceLock},
};

use blake3::{Hash, Hasher};
use header::Header;
use proto::cbt::{Error, Result};
use serde_json::{Value, json};

use super::{Base, Context, Opened, Source};
use crate::{
    file::File,
    image::{Allocated, Image},
    nbd::{Export, Statuses, server::Start},
    ranges::{Ask, Ranges},
    registry::{Folder, Format},
};

/// How many images may lie over each other.
const LAYERS: usize = 256;
/// The context that says in which layer an extent is: 1 is the topmost, 0 none.
const DEPTH: &str = "qemu:allocation-depth";

/// An open image.
pub(crate) struct Qcow2 {
    /// The image itself first.
    layers: Vec<Layer>,
    size: u64,
    bitmaps: Vec<String>,
    subject: String,
    context: Context,
    export: OnceLock<Arc<Export>>,
}

struct Layer {
    file: Arc<File>,
    format: Format,
}

// === impl Qcow2 ===

impl Qcow2 {
    pub(super) fn open(path: &Path, subject: &str, bitmaps: Vec<String>, context: &Context) -> Result<Self> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
            return Err(Error::NotFound(format!("{subject} is not there")));
        };
        let folder = Folder::open_root(parent)?;
        let file = folder.open(name, subject)?.ok_or_else(|| Error::NotFound(format!("{subject} is not there")))?;
        Self::new(file, &folder, subject, bitmaps, context)
    }

    /// An image in `folder`.
    pub(super) fn new(
        file: std::fs::File,
        folder: &Folder,
        subject: &str,
        bitmaps: Vec<String>,
        context: &Context,
    ) -> Result<Self> {
        let file = Arc::new(File::new(file, subject, &context.cancel)?);
        let header = Header::read(&file, subject)?;
        let size = header.size;
        let mut layers = vec![Layer { file, format: Format::Qcow2 }];
        let mut backing = header.backing;
        while let Some((name, format)) = backing {
            let layer = format!("a backing file of {subject}");
            if layers.len() == LAYERS {
                return Err(Error::Broken(format!("{subject} lies over more than {LAYERS} images")));
            }
            let named = beside(&name, folder)
                .ok_or_else(|| Error::Invalid(format!("{layer} is not in the folder of the image: {name:?}")))?;
            let file = folder.open(named, &layer)?.ok_or_else(|| Error::NotFound(format!("{layer} is not there")))?;
            let file = Arc::new(File::new(file, &layer, &context.cancel)?);
            backing = match format {
                Format::Raw => None,
                Format::Qcow2 => Header::read(&file, &layer)?.backing,
            };
            layers.push(Layer { file, format });
        }
        let (subject, context) = (subject.to_owned(), context.clone());
        Ok(Self { layers, size, bitmaps, subject, context, export: OnceLock::new() })
    }

    /// The image by its server.
    fn export(&self) -> Result<Arc<Export>> {
        if let Some(export) = self.export.get() {
            return Ok(Arc::clone(export));
        }
        let export = self.serve(&[])?;
        Ok(Arc::clone(self.export.get_or_init(|| export)))
    }

    fn serve(&self, bitmaps: &[String]) -> Result<Arc<Export>> {
        let Context { cancel, servers, .. } = &self.context;
        let subject = &self.subject;
        let identities: Vec<_> = self.layers.iter().map(|layer| layer.file.identity()).collect();
        let name = format!("{bitmaps:?} {identities:?}");
        let (image, top) = (self.describe(), json!({"driver": "qcow2", "file": self.layers[0].describe("on")}));
        let server = servers.get(&name, &Start { image: &image, top: &top, bitmaps, subject }, cancel)?;
        let files = self.layers.iter().map(|layer| Arc::clone(&layer.file)).collect();
        Export::new(server, files, subject, cancel).map(Arc::new)
    }

    /// The image as qemu describes images.
    fn describe(&self) -> Value {
        self.layers.iter().rev().fold(Value::Null, |backing, layer| {
            let file = layer.describe("off");
            match layer.format {
                Format::Raw => json!({"driver": "raw", "file": file}),
                Format::Qcow2 => json!({"driver": "qcow2", "file": file, "backing": backing}),
            }
        })
    }

    /// What a bitmap in the image says.
    fn dirty(&self, bitmap: &String, ask: Ask) -> Result<Statuses> {
        let export = self.serve(std::slice::from_ref(bitmap))?;
        export.statuses(&format!("qemu:dirty-bitmap:{bitmap}"), Box::new(|flags| flags & 1 != 0), ask)
    }

    /// In which of the layers below its own an image has its data.
    fn depth(&self, base: &File, format: Format) -> Option<u32> {
        let depth = self.layers.iter().position(|layer| layer.format == format && layer.file.is_same(base))?;
        u32::try_from(depth).ok()
    }
}

impl Source for Qcow2 {
    fn capacity(&self) -> u64 {
        self.size
    }

    fn fingerprint(&self) -> Hash {
        let mut hasher = Hasher::new();
        for layer in &self.layers {
            hasher.update(&layer.file.identity().bytes());
        }
        hasher.finalize()
    }

    fn allocated(&self, ask: Ask) -> Result<Box<dyn Ranges>> {
        Ok(Box::new(Allocated::new(self.export()?, ask)))
    }

    fn delta(&self, base: &Base<'_>, ask: Ask) -> Result<Option<Box<dyn Ranges>>> {
        if let Some(bitmap) = self.bitmaps.iter().find(|bitmap| *bitmap == base.name) {
            match self.dirty(bitmap, ask) {
                Ok(ranges) => return Ok(Some(Box::new(ranges))),
                Err(error) => {
                    self.context.cancel.check()?;
                    tracing::warn!("the dirty bitmap {bitmap} does not tell what changed: {error}");
                }
            }
        }
        let below = match base.opened {
            Opened::Qcow2(base) => self.depth(&base.layers[0].file, Format::Qcow2),
            Opened::Raw(base) => base.file().and_then(|base| self.depth(base, Format::Raw)),
            Opened::Btrfs(_) | Opened::Thin(_) => None,
        };
        let Some(below) = below else { return Ok(None) };
        let own = Box::new(move |depth| (1..=below).contains(&depth));
        Ok(Some(Box::new(self.export()?.statuses(DEPTH, own, ask)?)))
    }

    fn image(&self) -> Result<Option<Arc<dyn Image>>> {
        Ok(Some(self.export()?))
    }
}

// === impl Layer ===

impl Layer {
    /// The file that is open here, as qemu describes files.
    fn describe(&self, locking: &str) -> Value {
        let driver = if self.file.is_device() { "host_device" } else { "file" };
        let path = format!("/proc/{}/fd/{}", process::id(), self.file.file().as_raw_fd());
        json!({"driver": driver, "filename": path, "locking": locking})
    }
}

/// The name of a backing file in `folder`, as the image says it; `None` if it says that it is anywhere else.
fn beside<'a>(backing: &'a str, folder: &Folder) -> Option<&'a str> {
    let path = Path::new(backing);
    let name = path.file_name()?.to_str()?;
    let parent = path.parent()?;
    let here = parent.components().all(|component| component == Component::CurDir);
    (here || (parent.is_absolute() && folder.is(parent))).then_some(name)
}
