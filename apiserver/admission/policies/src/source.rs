//! The policies and bindings of a cluster, compiled when they change.

use std::{sync::Arc, time::Duration};

use admission::{Attributes, Follow, follow::Objects};
use kube::Client;
use runtime::Tasks;
use serde_json::Value;

use crate::{
    binding::Binding,
    definition::Definition,
    params::{ParamKind, Source as ParamSource},
};

const ROOT: &str = "/apis/admissionregistration.k8s.io/v1";
/// Waited for policies that have not been listed yet.
const PATIENCE: Duration = Duration::from_secs(10);

/// A policy of either kind.
pub(crate) trait Policy: Send + Sync + 'static {
    /// Reads and compiles it.
    fn of(policy: &Value) -> Self;

    /// The common part.
    fn definition(&self) -> &Definition;
}

/// The resources and tasks of one kind of policies.
pub(crate) struct Names {
    pub(crate) policies: &'static str,
    pub(crate) bindings: &'static str,
    pub(crate) follow_policies: &'static str,
    pub(crate) follow_bindings: &'static str,
    pub(crate) follow_params: &'static str,
}

/// Policies and bindings.
pub(crate) struct Source<P> {
    policies: Follow<P>,
    bindings: Follow<Binding>,
    pub(crate) params: Arc<ParamSource>,
}

/// What is in force.
pub(crate) struct Hooks<P> {
    policies: Arc<Objects<P>>,
    bindings: Arc<Objects<Binding>>,
}

// === impl Source ===

impl<P: Policy> Source<P> {
    /// Follows those of a cluster.
    pub(crate) fn start(names: &Names, client: &Client, tasks: &Tasks) -> Self {
        let path = |resource: &str| format!("{ROOT}/{resource}");
        let read = |policy: Value| P::of(&policy);
        let policies = Follow::start(names.follow_policies, client.clone(), &path(names.policies), tasks, read);
        let read = |binding: Value| Binding::of(&binding);
        let bindings = Follow::start(names.follow_bindings, client.clone(), &path(names.bindings), tasks, read);
        let params = Arc::new(ParamSource::new(client.clone(), tasks));
        let (mut seen, kept, draining) = (policies.clone(), Arc::clone(&params), tasks.shutdown().draining());
        tasks.spawn(names.follow_params, async move {
            let prepare = async {
                loop {
                    seen.changed().await;
                    kept.keep(&kinds(&seen)).await;
                }
            };
            tokio::select! {
                () = draining => {}
                () = prepare => {}
            }
        });
        Self { policies, bindings, params }
    }

    /// What does not change.
    #[cfg(test)]
    pub(crate) fn fixed(policies: &[Value], bindings: &[Value], params: ParamSource) -> Self {
        let name = |object: &Value| (String::new(), object["metadata"]["name"].as_str().unwrap_or_default().to_owned());
        Self {
            policies: Follow::fixed(policies.iter().map(|policy| (name(policy), P::of(policy))).collect::<Vec<_>>()),
            bindings: Follow::fixed(bindings.iter().map(|one| (name(one), Binding::of(one))).collect::<Vec<_>>()),
            params: Arc::new(params),
        }
    }

    /// Whether any policy that is bound could be about such a request. While that is not known it is.
    pub(crate) fn handles(&self, attributes: &Attributes) -> bool {
        let (Some(policies), Some(bindings)) = (self.policies.snapshot(), self.bindings.snapshot()) else {
            return true;
        };
        let hooks = Hooks { policies, bindings };
        hooks.all().any(|(policy, _)| policy.definition().constraints.by_rules(attributes).is_some())
    }

    /// What is in force; `None` as long as that is not known.
    pub(crate) async fn hooks(&self) -> Option<Hooks<P>> {
        Some(Hooks { policies: self.policies.ready(PATIENCE).await?, bindings: self.bindings.ready(PATIENCE).await? })
    }
}

fn kinds<P: Policy>(policies: &Follow<P>) -> Vec<ParamKind> {
    let seen = policies.snapshot().unwrap_or_default();
    seen.values().filter_map(|policy| policy.definition().params.clone()).collect()
}

// === impl Hooks ===

impl<P: Policy> Hooks<P> {
    /// Each policy that is bound, with its bindings.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&P, Vec<&Binding>)> {
        self.policies.values().filter_map(|policy| {
            let of_policy = |binding: &&Binding| binding.policy == policy.definition().name;
            let bindings: Vec<_> = self.bindings.values().map(Arc::as_ref).filter(of_policy).collect();
            (!bindings.is_empty()).then_some((policy.as_ref(), bindings))
        })
    }
}
