//! Who to be in the cluster: the one of a snapshot's secrets, or of the flags.
//!
//! A key of the secrets goes to `rbd` by a keyring that only we can read, and that is gone when nobody needs it.

use std::{collections::BTreeMap, io::Write as _, path::Path, path::PathBuf, sync::Arc};

use proto::cbt::{Error, Result};
use tempfile::NamedTempFile;

/// An identity. It has no `Debug`: where its keyring is matters to nobody.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) id: Option<String>,
    keyring: Keyring,
}

#[derive(Clone)]
enum Keyring {
    /// None, or the one that the configuration names.
    Default,
    /// That of the flags.
    Given(PathBuf),
    /// Ours, with a key of the secrets; removed with the last clone.
    Temporary(Arc<NamedTempFile>),
}

// === impl Access ===

impl Access {
    /// That of the flags.
    pub(crate) fn given(id: Option<String>, keyring: Option<PathBuf>) -> Self {
        Self { id, keyring: keyring.map_or(Keyring::Default, Keyring::Given) }
    }

    /// That of the secrets, `userID` and `userKey` as ceph-csi names them; `None` when they have neither.
    pub(crate) fn of_secrets(secrets: &BTreeMap<String, String>, folder: &Path) -> Result<Option<Self>> {
        let (id, key) = match (secrets.get("userID"), secrets.get("userKey")) {
            (Some(id), Some(key)) => (id.trim(), key.trim()),
            (None, None) => return Ok(None),
            _ => return Err(Error::Invalid("of userID and userKey the secret has only one".to_owned())),
        };
        let plain = |text: &str, more: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        if !plain(id, "-_.") || id.starts_with('-') || !plain(key, "+/=") {
            return Err(Error::Invalid("userID or userKey of the secret is not what Ceph has".to_owned()));
        }
        let keyring = write(id, key, folder).map_err(|error| Error::Internal(format!("writing a keyring: {error}")))?;
        Ok(Some(Self { id: Some(id.to_owned()), keyring: Keyring::Temporary(Arc::new(keyring)) }))
    }

    /// The keyring to use.
    pub(crate) fn keyring(&self) -> Option<&Path> {
        match &self.keyring {
            Keyring::Default => None,
            Keyring::Given(path) => Some(path),
            Keyring::Temporary(file) => Some(file.path()),
        }
    }
}

/// Temporary files are made with mode 0600.
fn write(id: &str, key: &str, folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("outrigger-keyring-").tempfile_in(folder)?;
    write!(file, "[client.{id}]\n\tkey = {key}\n")?;
    Ok(file)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn secrets(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn a_key_is_in_a_file_that_only_we_can_read_while_it_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = secrets(&[("userID", "backup"), ("userKey", "AQD0+/==\n"), ("other", "x")]);
        let access = Access::of_secrets(&secrets, folder.path()).unwrap().unwrap();
        let path = access.keyring().unwrap().to_owned();
        assert_eq!(fs::read_to_string(&path).unwrap(), "[client.backup]\n\tkey = AQD0+/==\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let clone = access.clone();
        drop(access);
        assert!(path.exists());
        drop(clone);
        assert!(!path.exists());
    }

    #[test]
    fn what_would_be_another_line_or_option_is_refused_and_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        for pairs in [
            &[("userID", "a\n[client.admin]"), ("userKey", "hush")][..],
            &[("userID", "a"), ("userKey", "hush\n[x]")],
            &[("userID", "-a"), ("userKey", "hush")],
            &[("userID", ""), ("userKey", "hush")],
            &[("userKey", "hush")],
        ] {
            let Err(error) = Access::of_secrets(&secrets(pairs), folder.path()) else { panic!("{pairs:?}") };
            assert!(!error.to_string().contains("hush"));
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
        assert!(Access::of_secrets(&BTreeMap::new(), folder.path()).unwrap().is_none());
    }
}
