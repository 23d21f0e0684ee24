//! The key that tokens are signed with: from a file that the operator gives, or one of our own.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use anyhow::{Context as _, ensure};

/// The file of our own key in the folder of snapshots.
pub(crate) const FILE: &str = ".cbt-token-key";
/// A shorter secret can be guessed.
const SHORTEST: usize = 16;
/// Says what the key is for, so that the same secret used elsewhere makes another key.
const CONTEXT: &str = "outrigger cbt-file 2026-11 data tokens";

/// The secret of all tokens.
pub(crate) struct Key([u8; blake3::KEY_LEN]);

// === impl Key ===

impl Key {
    pub(crate) fn bytes(&self) -> &[u8; blake3::KEY_LEN] {
        &self.0
    }

    /// The key from a file of at least 16 bytes of any kind.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let path_shown = path.display();
        let secret = fs::read(path).with_context(|| format!("reading --cbt-token-key-file {path_shown}"))?;
        ensure!(secret.len() >= SHORTEST, "--cbt-token-key-file {path_shown} has fewer than {SHORTEST} bytes");
        Ok(Self(blake3::derive_key(CONTEXT, &secret)))
    }

    /// The key kept in `folder`, made at the first start. Where nothing can be written the key is random each time, and
    /// tokens end with the process.
    pub(crate) fn keep(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        if let Some(key) = kept(&path)? {
            return Ok(key);
        }
        let mut secret = [0; blake3::KEY_LEN];
        getrandom::fill(&mut secret).map_err(|error| anyhow::anyhow!("asking for randomness: {error}"))?;
        match make(folder, &path, &secret) {
            Ok(()) => {}
            // Another process was faster: its key is the key.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return kept(&path)?.with_context(|| format!("{} is gone again", path.display()));
            }
            Err(error) => tracing::warn!(
                "cannot keep the key of tokens in {} ({error}): tokens end with this process; give it a key with \
                 --cbt-token-key-file",
                path.display()
            ),
        }
        Ok(Self(blake3::derive_key(CONTEXT, &secret)))
    }
}

fn kept(path: &Path) -> anyhow::Result<Option<Key>> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("looking at {}", path.display())),
    };
    let shown = path.display();
    ensure!(metadata.is_file(), "{shown} should be a file with the key of tokens: remove it");
    ensure!(
        metadata.permissions().mode() & 0o077 == 0,
        "{shown} can be read by others, so tokens can be forged: remove it, a new key is made"
    );
    Key::load(path).map(Some)
}

/// Complete or not there, and nobody's who was first: a link is made only where there is no file.
fn make(folder: &Path, path: &Path, secret: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(secret)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    Ok(())
}
