//! A raw image: sparse or not, a file or a block device.

use std::{fs, path::Path, sync::Arc};

use blake3::Hash;
use proto::cbt::Result;

use super::{Base, Context, Source};
use crate::{
    file::File,
    image::{Allocated, Image},
    ranges::{Ask, Ranges},
};

/// An open raw image.
pub(crate) struct Raw {
    file: Arc<File>,
}

// === impl Raw ===

impl Raw {
    pub(super) fn new(file: fs::File, subject: &str, context: &Context) -> Result<Self> {
        Ok(Self { file: Arc::new(File::new(file, subject, &context.cancel)?) })
    }

    pub(super) fn open(path: &Path, subject: &str, context: &Context) -> Result<Self> {
        Ok(Self { file: Arc::new(File::open(path, subject, &context.cancel)?) })
    }
}

impl Source for Raw {
    fn capacity(&self) -> u64 {
        self.file.size()
    }

    fn fingerprint(&self) -> Hash {
        blake3::hash(&self.file.identity().bytes())
    }

    fn allocated(&self, ask: Ask) -> Result<Box<dyn Ranges>> {
        Ok(Box::new(Allocated::new(self.file.clone(), ask)))
    }

    /// A raw image says nothing about another.
    fn delta(&self, _: &Base<'_>, _: Ask) -> Result<Option<Box<dyn Ranges>>> {
        Ok(None)
    }

    fn image(&self) -> Result<Option<Arc<dyn Image>>> {
        Ok(Some(self.file.clone()))
    }

    fn file(&self) -> Option<&Arc<File>> {
        Some(&self.file)
    }
}
