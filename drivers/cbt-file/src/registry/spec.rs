//! What a registered snapshot is made of.

use std::path::PathBuf;

use clap::Subcommand;
use proto::cbt::Error;
use serde::{Deserialize, Serialize};

/// Where the data of a registered snapshot is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Subcommand)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Spec {
    /// A raw image, or a block device.
    Raw {
        /// The image.
        path: PathBuf,
    },
    /// A qcow2 image. Its backing files must be in the same folder.
    Qcow2 {
        /// The image.
        path: PathBuf,
        /// A dirty bitmap in the image that has recorded every write since the snapshot of the bitmap's name was taken;
        /// repeatable.
        #[arg(long = "bitmap", value_name = "NAME")]
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        bitmaps: Vec<String>,
    },
    /// A device in the metadata of a thin pool.
    Thin {
        /// The metadata: a copy of it, or a device that nobody writes to.
        metadata: PathBuf,
        /// The number of the device in the pool.
        #[arg(long, value_name = "ID", value_parser = clap::value_parser!(u32).range(..1 << 24))]
        device: u32,
        /// The size of the volume in bytes, which the metadata does not say.
        #[arg(long, value_name = "BYTES")]
        size: u64,
    },
    /// A raw image in a btrfs subvolume, which must be read-only for `btrfs send`.
    Btrfs {
        /// The path of the subvolume, and that of the image within it.
        #[arg(value_name = "SUBVOLUME:FILE", value_parser = pair)]
        file: String,
    },
}

// === impl Spec ===

impl Spec {
    /// The same with paths that do not depend on where the process was started.
    pub(super) fn absolute(self) -> std::io::Result<Self> {
        let absolute = |path: &PathBuf| std::path::absolute(path);
        Ok(match self {
            Self::Raw { path } => Self::Raw { path: absolute(&path)? },
            Self::Qcow2 { path, bitmaps } => Self::Qcow2 { path: absolute(&path)?, bitmaps },
            Self::Thin { metadata, device, size } => Self::Thin { metadata: absolute(&metadata)?, device, size },
            Self::Btrfs { file } => {
                let (subvolume, path) = split(&file).map_err(std::io::Error::other)?;
                Self::Btrfs { file: format!("{}:{path}", absolute(&subvolume.into())?.display()) }
            }
        })
    }
}

/// The subvolume, and the path of the file in it as btrfs writes paths.
pub(crate) fn split(file: &str) -> Result<(&str, &str), String> {
    let plain = |path: &str| path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    let split = file.rsplit_once(':').filter(|(subvolume, path)| !subvolume.is_empty() && plain(path));
    split.ok_or_else(|| format!("{file:?} is not SUBVOLUME:FILE, with the path of FILE from the top of SUBVOLUME"))
}

/// The path of a file in a subvolume.
pub(crate) fn path(file: &str) -> Result<PathBuf, Error> {
    let (subvolume, path) = split(file).map_err(Error::Unavailable)?;
    Ok(PathBuf::from(subvolume).join(path))
}

fn pair(text: &str) -> Result<String, String> {
    split(text).map(|_| text.to_owned())
}
