//! What all cases of a run share: one cluster with every definition installed as an oracle, and us behind it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use kit::{ADMIN, BOB, Client, Cluster, Identity, Outrigger};
use tokio::sync::{Mutex, MutexGuard};

use crate::cx::Cx;
use crate::subject::{SUBJECTS, Subject};
use crate::target::{TARGETS, Target};

/// The shared processes.
#[derive(Debug)]
pub struct World {
    cluster: &'static Cluster,
    outrigger: Option<Outrigger>,
    /// Cases of cluster-scoped kinds see each other's objects, so they take turns.
    turns: BTreeMap<&'static str, Mutex<()>>,
    namespaces: AtomicUsize,
}

// === impl World ===

impl World {
    /// The world of this process, set up on first use.
    ///
    /// # Panics
    /// If it cannot be set up: then no case can run.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<World>> = OnceLock::new();
        match SHARED.get_or_init(Self::set_up) {
            Ok(world) => world,
            Err(error) => panic!("the world was not set up: {error:#}"),
        }
    }

    fn set_up() -> Result<Self> {
        let cluster = Cluster::shared();
        let outrigger = match TARGETS.iter().any(|target| target.ours()) {
            true => Some(start_outrigger(cluster)?),
            false => None,
        };
        kit::block_on(install(cluster, outrigger.as_ref()))?;
        let turns = SUBJECTS.iter().map(|subject| (subject.plural, Mutex::default())).collect();
        Ok(Self { cluster, outrigger, turns, namespaces: AtomicUsize::new(0) })
    }

    /// Waits for its turn, if the kind's objects are in no namespace.
    pub async fn turn(&self, subject: &Subject) -> Option<MutexGuard<'_, ()>> {
        match subject.namespaced {
            true => None,
            false => Some(self.turns.get(subject.plural)?.lock().await),
        }
    }

    /// A hand on a target, with a fresh namespace or an empty collection.
    pub async fn cx(&self, subject: &'static Subject, target: Target) -> Result<Cx> {
        let number = self.namespaces.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("case-{number}-{}", target.name());
        if subject.namespaced {
            self.cluster.namespace(&namespace).await?;
        } else {
            empty(&self.client(target, ADMIN)?, subject, target).await?;
        }
        let others = BTreeMap::from([("bob", self.client(target, BOB)?), ("nobody", self.client(target, "wrong")?)]);
        Ok(Cx::new(subject, target, &namespace, self.client(target, ADMIN)?, others))
    }

    fn client(&self, target: Target, token: &str) -> Result<Client> {
        let identity = Identity::Token(token.to_owned());
        match target {
            Target::Oracle | Target::Twin | Target::Aggregated => Ok(self.cluster.client_for(&identity)),
            Target::Direct => self.outrigger.as_ref().context("we are not running")?.client_for(&identity),
        }
    }
}

fn start_outrigger(cluster: &Cluster) -> Result<Outrigger> {
    let documents: Vec<PathBuf> = SUBJECTS
        .iter()
        .filter(|subject| !subject.built_in)
        .map(|subject| kit::examples::path(subject.document))
        .collect();
    let documents: Vec<&Path> = documents.iter().map(PathBuf::as_path).collect();
    Outrigger::behind(cluster, &documents, &[])
}

async fn install(cluster: &Cluster, outrigger: Option<&Outrigger>) -> Result<()> {
    let admin = cluster.admin();
    let mut registered: Vec<(&str, &str)> = Vec::new();
    for subject in SUBJECTS {
        for target in [Target::Oracle, Target::Twin] {
            let definition = subject.definition(&target.group(subject))?;
            definition.install(&admin).await.with_context(|| format!("installing {}", subject.plural))?;
        }
        if let Some(outrigger) = outrigger
            && !registered.contains(&(subject.group, subject.version))
        {
            registered.push((subject.group, subject.version));
            outrigger.register(cluster, subject.group, subject.version).await?;
        }
    }
    Ok(())
}

/// Deletes every object of a cluster-scoped kind.
async fn empty(client: &Client, subject: &Subject, target: Target) -> Result<()> {
    let collection = format!("/apis/{}/{}/{}", target.group(subject), subject.version, subject.plural);
    client.send("DELETE", &collection, &[], "").await?.success()?;
    let left = client.get(&collection).await?.success()?;
    for object in left["items"].as_array().into_iter().flatten() {
        let name = object["metadata"]["name"].as_str().context("an object has a name")?;
        let headers = [("content-type", crate::cx::patch::MERGE)];
        let patch = r#"{"metadata":{"finalizers":null}}"#;
        client.send("PATCH", &format!("{collection}/{name}"), &headers, patch).await?;
    }
    Ok(())
}
