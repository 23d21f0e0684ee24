//! Where the kubeconfig is: the file of `--kubeconfig`, else those of `KUBECONFIG`, else `~/.kube/config`.

use std::{env, ffi::OsStr, path::Path};

use anyhow::{Context as _, Result};
use kube::config::Kubeconfig;

/// The kubeconfig; `None` when there is none. A file that is named by a flag must be there, others need not.
pub(crate) fn read(given: Option<&Path>) -> Result<Option<Kubeconfig>> {
    if let Some(path) = given {
        let read = Kubeconfig::read_from(path);
        return read.map(Some).with_context(|| format!("reading --kubeconfig {}", path.display()));
    }
    match env::var_os("KUBECONFIG").filter(|paths| !paths.is_empty()) {
        Some(paths) => merged(&paths).context("reading the files of KUBECONFIG"),
        None => match env::home_dir() {
            Some(home) => merged(home.join(".kube/config").as_os_str()),
            None => Ok(None),
        },
    }
}

/// Files in the order of a list; what the first says of something holds.
fn merged(paths: &OsStr) -> Result<Option<Kubeconfig>> {
    let mut merged: Option<Kubeconfig> = None;
    for path in env::split_paths(paths).filter(|path| path.exists()) {
        let read = Kubeconfig::read_from(&path).with_context(|| format!("reading {}", path.display()))?;
        merged = Some(match merged {
            Some(before) => before.merge(read).with_context(|| format!("merging {}", path.display()))?,
            None => read,
        });
    }
    Ok(merged)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn of_several_files_the_first_has_the_last_word() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let one = file("one", "current-context: one\nusers: [{name: u, user: {token: first}}]\n");
        let two = file("two", "current-context: two\nusers: [{name: u, user: {token: second}}, {name: v, user: {}}]\n");
        let paths = env::join_paths([one, folder.path().join("missing"), two]).unwrap();
        let merged = merged(&paths).unwrap().unwrap();
        assert_eq!(merged.current_context.as_deref(), Some("one"));
        let users = serde_json::to_value(&merged.auth_infos).unwrap();
        assert_eq!((&users[0]["user"]["token"], &users[1]["name"]), (&"first".into(), &"v".into()));
    }

    #[test]
    fn no_file_is_no_kubeconfig() {
        assert!(merged(OsStr::new("/nowhere/config")).unwrap().is_none());
    }
}
