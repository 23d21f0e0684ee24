//! From the name of a VolumeSnapshot to its driver, and what that calls it.

mod cluster;
mod objects;
mod standalone;

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use proto::cbt::{Error, Result, Snapshot};

pub use cluster::Cluster;
pub use standalone::Standalone;

/// Knows VolumeSnapshots.
#[async_trait]
pub trait Resolve: Send + Sync + 'static {
    /// Where blocks of `target`, a [`Snapshot::Named`], come from, and what changed since `base`, which may also be a
    /// handle: of a VolumeSnapshot in the namespace of `target`, of the same driver and the same volume.
    ///
    /// [`Error::NotFound`] and [`Error::NotReady`] of either; [`Error::Forbidden`] for a base from elsewhere.
    async fn resolve(&self, target: &Snapshot, base: Option<&Snapshot>) -> Result<Route>;
}

/// Whom to ask, and for what.
#[derive(Clone, PartialEq, Eq)]
pub struct Route {
    /// The CSI driver.
    pub driver: String,
    /// What it calls the target.
    pub target: String,
    /// What it calls the base.
    pub base: Option<String>,
    /// What it needs to know to be let in.
    pub secrets: BTreeMap<String, String>,
}

// === impl Route ===

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { driver, target, base, .. } = self;
        f.debug_struct("Route")
            .field("driver", driver)
            .field("target", target)
            .field("base", base)
            .finish_non_exhaustive()
    }
}

/// Namespace and name of a target.
fn named(target: &Snapshot) -> Result<(&str, &str)> {
    match target {
        Snapshot::Named { namespace, name } => names(namespace, name),
        Snapshot::Handle(_) => {
            Err(Error::Invalid("a handle says nothing of its driver: ask for a VolumeSnapshot by its name".to_owned()))
        }
    }
}

/// Both, if they can be names at all: they become parts of paths.
fn names<'a>(namespace: &'a str, name: &'a str) -> Result<(&'a str, &'a str)> {
    for (what, value, problems) in [
        ("namespace", namespace, machinery::name::dns1123_label(namespace)),
        ("VolumeSnapshot", name, machinery::name::dns1123_subdomain(name)),
    ] {
        if let Some(problem) = problems.first() {
            return Err(Error::Invalid(format!("{value:?} is not the name of a {what}: {problem}")));
        }
    }
    Ok((namespace, name))
}

/// A base that is named must be in the namespace of the target.
fn same_namespace(namespace: &str, base: &str) -> Result<()> {
    if namespace == base {
        return Ok(());
    }
    Err(Error::Forbidden(format!("the base must be a VolumeSnapshot of the namespace {namespace}, not of {base}")))
}
