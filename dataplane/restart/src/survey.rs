//! A look at everything that decides whether a node can be restarted: the node, its machine, and what the guards say.

use proto::node::Instance;

use crate::{
    cluster::Node,
    drivers::Driver,
    guard::{self, Facts, Other, Verdict},
    machine::{Gate, Opening, begins},
    node_restart::{Found, Guarded, Plan, Spec},
    parts::Parts,
    provider_id,
    refusal::Refusal,
};

/// What was found.
pub(crate) struct Survey {
    pub(crate) node: Node,
    pub(crate) provider: String,
    pub(crate) instance: Instance,
    pub(crate) plan: Plan,
    pub(crate) verdicts: Vec<Verdict>,
}

/// Looks. `own` is the restart's own name, once it has one.
pub(crate) async fn survey(parts: &Parts, spec: &Spec, own: Option<&str>) -> Result<Survey, Refusal> {
    let failed = |error| Refusal::cluster(&error);
    let name = &spec.node_name;
    let node = parts.cluster.node(name).await.map_err(failed)?.ok_or_else(|| Refusal::no_node(name))?;
    let (provider, driver) = driver(parts, &node)?;
    let refused = |error| Refusal::driver(name, &error);
    let instance = driver.describe(&node.hint()).await.map_err(refused)?;
    let plan = driver.plan(&node.hint(), spec.mode).await.map_err(refused)?;
    let nodes = parts.cluster.nodes().await.map_err(failed)?;
    let others = others(parts, own).await?;
    let facts = Facts { node: &node, nodes: &nodes, provider: &provider, instance: &instance, others: &others };
    let verdicts = guard::look(&facts, &parts.limits());
    Ok(Survey { node, provider, instance, plan, verdicts })
}

fn driver<'a>(parts: &'a Parts, node: &Node) -> Result<(String, Driver<'a>), Refusal> {
    let unknown = |error| Refusal::provider_id(&node.name, &node.provider_id, &error);
    let provider = provider_id::provider(&node.provider_id).map_err(unknown)?;
    match parts.drivers.get(&provider.name) {
        Some(driver) => Ok((provider.name, driver)),
        None if provider.known => Err(Refusal::no_driver(&provider.name)),
        None => Err(unknown(provider_id::Error::Unknown(node.provider_id.clone()))),
    }
}

async fn others(parts: &Parts, own: Option<&str>) -> Result<Vec<Other>, Refusal> {
    let (_, unended) = parts.records.unended().await.map_err(|error| Refusal::store(&error))?;
    let now = parts.now();
    let restarts = unended.into_iter().map(|kept| kept.restart).filter(|restart| own != Some(restart.name()));
    let other = restarts.map(|restart| Other {
        name: restart.metadata.name.clone(),
        node: restart.spec.node_name.clone(),
        begun: restart.status.began_at.is_some(),
        due: begins(&restart, now) <= now,
    });
    Ok(other.collect())
}

// === impl Survey ===

impl Survey {
    /// The first guard that does not let it pass; with `lasting`, the first that waiting does not help with.
    pub(crate) fn refusal(&self, lasting: bool) -> Option<Refusal> {
        let refusals = self.verdicts.iter().filter_map(|verdict| Refusal::guard(&self.node.name, verdict));
        refusals.into_iter().find(|refusal| !lasting || !refusal.passing)
    }

    /// Whether the restart may begin.
    pub(crate) fn gate(self) -> Gate {
        // What waiting does not help with is not hidden behind what it does.
        match self.refusal(true).or_else(|| self.refusal(false)) {
            Some(refusal) => refusal.gate(),
            None => Gate::Open(Box::new(Opening {
                provider: self.provider,
                node: Found { uid: self.node.uid, provider_id: self.node.provider_id, boot_id: self.node.boot_id },
                instance: self.instance,
                plan: self.plan,
            })),
        }
    }

    /// The guards as a plan lists them.
    pub(crate) fn guards(&self) -> Vec<Guarded> {
        let guarded = |verdict: &Verdict| Guarded {
            name: verdict.guard.as_str().to_owned(),
            passes: verdict.refusal.is_none(),
            message: verdict.refusal.clone().unwrap_or_default(),
        };
        self.verdicts.iter().map(guarded).collect()
    }
}

// === impl Refusal ===

impl Refusal {
    pub(crate) fn gate(self) -> Gate {
        let Self { reason, passing, status } = self;
        Gate::Shut { reason: reason.to_owned(), message: status.message, passing }
    }
}
