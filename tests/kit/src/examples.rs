//! The definitions and objects that the tests share, in the repository.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::Crd;

/// A file of the repository.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// The text of a file of the repository.
pub fn read(name: &str) -> Result<String> {
    let path = path(name);
    std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
}

/// The definition of BundleDeployment that is built in.
pub fn bundle_deployment() -> Result<Crd> {
    Ok(Crd::new(&read("apiserver/src/kinds/bundle_deployment.yaml")?))
}

/// The path of a test definition, as `--crds` takes it.
#[must_use]
pub fn crd(name: &str) -> PathBuf {
    path(&format!("tests/examples/crds/{name}.yaml"))
}

/// The path of a BundleDeployment as Fleet leaves it.
#[must_use]
pub fn fleet(name: &str) -> PathBuf {
    path(&format!("tests/examples/fleet/{name}.yaml"))
}
