//! `snapshots.toml`: the snapshots that were registered by hand.
//!
//! It is replaced as a whole, so that whoever reads it sees what was there before or what is there after. Those who
//! change it wait for each other.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use proto::cbt::{Error, Result};
use serde::{Deserialize, Serialize};

use super::{Entry, name, spec::Spec};
use crate::file::Identity;

/// Its name in the folder of snapshots.
const FILE: &str = "snapshots.toml";

/// A snapshot that was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registered {
    /// The namespace of its VolumeSnapshot.
    pub namespace: String,
    /// The name of its VolumeSnapshot.
    pub name: String,
    /// Deltas are between snapshots of one volume.
    pub volume: String,
    /// When it was registered.
    pub created: Timestamp,
    /// Where its data is.
    pub source: Spec,
}

/// The file, and what it said when it was last read.
#[derive(Debug)]
pub(super) struct Manifest {
    path: PathBuf,
    read: Mutex<Option<(Identity, Arc<Vec<Registered>>)>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    snapshot: Vec<Registered>,
}

/// The snapshots registered in a folder.
pub fn list(folder: &Path) -> anyhow::Result<Vec<Registered>> {
    Ok(load(&folder.join(FILE))?.snapshot)
}

/// Registers a snapshot; its name must be new and one that Kubernetes allows.
pub fn register(folder: &Path, new: Registered) -> anyhow::Result<()> {
    let Registered { namespace, name, .. } = &new;
    ensure!(name::is_namespace(namespace), "--namespace {namespace:?} is not the name of a namespace");
    ensure!(name::is_name(name), "--name {name:?} is not the name of a VolumeSnapshot");
    ensure!(!new.volume.is_empty(), "--volume is empty");
    let new = Registered { source: new.source.clone().absolute()?, ..new };
    change(folder, |snapshots| {
        let there = snapshots.iter().any(|old| old.namespace == new.namespace && old.name == new.name);
        ensure!(!there, "{}/{} is registered already: remove it first", new.namespace, new.name);
        snapshots.push(new);
        Ok(())
    })
}

/// Forgets a snapshot; its data is not touched.
pub fn remove(folder: &Path, namespace: &str, name: &str) -> anyhow::Result<()> {
    change(folder, |snapshots| {
        let before = snapshots.len();
        snapshots.retain(|old| old.namespace != namespace || old.name != name);
        ensure!(snapshots.len() < before, "{namespace}/{name} is not registered");
        Ok(())
    })
}

fn change(folder: &Path, change: impl FnOnce(&mut Vec<Registered>) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let shown = folder.display();
    let lock = fs::File::open(folder).with_context(|| format!("opening --cbt-dir {shown}"))?;
    lock.lock().with_context(|| format!("waiting for others who change {shown}"))?;
    let path = folder.join(FILE);
    let mut document = load(&path)?;
    change(&mut document.snapshot)?;
    let text = toml::to_string_pretty(&document).context("writing TOML")?;
    store(folder, &path, &text).with_context(|| format!("writing {}", path.display()))
}

fn store(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    fs::File::open(folder)?.sync_all()
}

fn load(path: &Path) -> anyhow::Result<Document> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Document::default()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    };
    toml::from_str(&text).with_context(|| format!("reading {}", path.display()))
}

// === impl Manifest ===

impl Manifest {
    pub(super) fn new(folder: &Path) -> Self {
        Self { path: folder.join(FILE), read: Mutex::default() }
    }

    /// What is registered now; the file is read again when it is another.
    pub(super) fn read(&self) -> Result<Arc<Vec<Registered>>> {
        let fault = |error: &dyn std::fmt::Display| Error::Unavailable(format!("{FILE} cannot be read: {error}"));
        let identity = match fs::metadata(&self.path) {
            Ok(metadata) => Identity::of(&metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Arc::default()),
            Err(error) => return Err(fault(&error)),
        };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, read)) = read.as_ref().filter(|(before, _)| *before == identity) {
            return Ok(Arc::clone(read));
        }
        let snapshots = load(&self.path).map_err(|error| fault(&format!("{error:#}")))?.snapshot;
        let snapshots = Arc::new(snapshots);
        *read = Some((identity, Arc::clone(&snapshots)));
        Ok(snapshots)
    }
}

// === impl Entry ===

impl From<&Registered> for Entry {
    fn from(registered: &Registered) -> Self {
        let Registered { namespace, name, volume, created, .. } = registered;
        let created = Some((*created).into());
        Self { namespace: namespace.clone(), name: name.clone(), volume: volume.clone(), created }
    }
}
