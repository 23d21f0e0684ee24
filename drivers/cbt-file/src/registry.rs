//! Which snapshots there are: images in a folder, and those that were registered.
//!
//! ```text
//! DIR/monday.img           default/monday   a raw image of the volume "default"
//! DIR/tuesday.qcow2        default/tuesday  a qcow2 image of the same volume
//! DIR/shop/monday.img      shop/monday      of the volume "shop"
//! DIR/snapshots.toml       what was registered
//! ```
//! A snapshot's handle is `namespace/name`. What was registered comes before an image of the same name.

mod folder;
pub(crate) mod manifest;
mod name;
pub(crate) mod spec;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use proto::cbt::{Error, Result};

pub(crate) use folder::Folder;
use manifest::Manifest;
use spec::Spec;

use crate::fault;

/// The namespace of the folder's own images.
const DEFAULT: &str = "default";

/// The snapshots of a folder.
#[derive(Debug)]
pub(crate) struct Registry {
    root: PathBuf,
    manifest: Manifest,
}

/// A snapshot that is there.
#[derive(Debug)]
pub(crate) struct Found {
    /// What messages call it.
    pub(crate) subject: String,
    /// Its name in its namespace.
    pub(crate) name: String,
    /// Snapshots of one volume can be compared.
    pub(crate) volume: String,
    pub(crate) place: Place,
}

/// Where a snapshot's data is.
#[derive(Debug)]
pub(crate) enum Place {
    /// An open image, the folder it was found in, and its name there.
    Image { folder: Arc<Folder>, file: fs::File, format: Format },
    /// What somebody registered.
    Registered(Spec),
}

/// The format of an image in the folder, by the ending of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Raw,
    Qcow2,
}

/// A snapshot's name, wherever it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) volume: String,
    /// When it was registered.
    pub(crate) created: Option<SystemTime>,
}

// === impl Registry ===

impl Registry {
    /// The folder must be there.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        fs::read_dir(root)?;
        Ok(Self { root: root.to_owned(), manifest: Manifest::new(root) })
    }

    /// The snapshot that is called `handle`.
    pub(crate) fn find(&self, handle: &str) -> Result<Found> {
        let missing = || Error::NotFound(format!("there is no snapshot {handle:?}"));
        let (namespace, name) = name::parse(handle).ok_or_else(missing)?;
        let subject = format!("snapshot {handle}");
        let registered = self.manifest.read()?;
        if let Some(found) = registered.iter().find(|found| found.namespace == namespace && found.name == name) {
            let (volume, place) = (found.volume.clone(), Place::Registered(found.source.clone()));
            return Ok(Found { subject, name: name.to_owned(), volume, place });
        }
        let folder = Arc::new(self.folder(namespace)?.ok_or_else(missing)?);
        let images = [Format::Raw, Format::Qcow2].map(|format| {
            let opened = folder.open(&format!("{name}.{}", format.ending()), &subject)?;
            Ok(opened.map(|file| (file, format)))
        });
        let (file, format) = match images {
            [Err(error), _] | [_, Err(error)] => return Err(error),
            [Ok(Some(_)), Ok(Some(_))] => {
                let what = format!("{subject} could be {name}.img or {name}.qcow2: remove one of the two images");
                return Err(Error::Invalid(what));
            }
            [Ok(raw), Ok(qcow2)] => raw.or(qcow2).ok_or_else(missing)?,
        };
        let (name, volume) = (name.to_owned(), namespace.to_owned());
        Ok(Found { subject, name, volume, place: Place::Image { folder, file, format } })
    }

    /// Everything that has a name, in order of namespace and name.
    pub(crate) fn entries(&self) -> io::Result<Vec<Entry>> {
        let registered = self.manifest.read().map_err(io::Error::other)?;
        let mut entries: Vec<Entry> = registered.iter().map(Entry::from).collect();
        entries.extend(images(&self.root, DEFAULT)?);
        for folder in names(&self.root)?.filter(|name| name::is_namespace(name) && name != DEFAULT) {
            // A file, or a folder that went away, has none.
            entries.extend(images(&self.root.join(&folder), &folder).into_iter().flatten());
        }
        // The sort is stable: of two with one name, what was registered stays first.
        entries.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
        entries.dedup_by(|b, a| a.namespace == b.namespace && a.name == b.name);
        Ok(entries)
    }

    /// Whether there is a snapshot whose data can be read, or may be once there is one.
    pub(crate) fn has_data(&self) -> Result<bool> {
        let entries = self.entries().map_err(|error| fault::io("the folder of snapshots", &error))?;
        let registered = self.manifest.read()?;
        let without = registered.iter().filter(|snapshot| matches!(snapshot.source, Spec::Thin { .. })).count();
        Ok(without == 0 || without < entries.len())
    }

    fn folder(&self, namespace: &str) -> Result<Option<Folder>> {
        let root = Folder::open_root(&self.root)?;
        if namespace == DEFAULT { Ok(Some(root)) } else { root.folder(namespace) }
    }
}

// === impl Format ===

impl Format {
    fn ending(self) -> &'static str {
        match self {
            Self::Raw => "img",
            Self::Qcow2 => "qcow2",
        }
    }
}

// === impl Entry ===

impl Entry {
    pub(crate) fn handle(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

/// The images of one folder whose names can be those of snapshots.
fn images(folder: &Path, namespace: &str) -> io::Result<impl Iterator<Item = Entry>> {
    let endings = [Format::Raw, Format::Qcow2].map(Format::ending);
    let named = names(folder)?.filter_map(move |file| {
        let (name, ending) = file.rsplit_once('.')?;
        (endings.contains(&ending) && name::is_name(name)).then(|| name.to_owned())
    });
    let namespace = namespace.to_owned();
    Ok(named.map(move |name| Entry { namespace: namespace.clone(), name, volume: namespace.clone(), created: None }))
}

/// The names in a folder, but for those that are no text.
fn names(folder: &Path) -> io::Result<impl Iterator<Item = String>> {
    Ok(fs::read_dir(folder)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok()))
}
