//! What may change or refuse a write behind a cluster, in the kube-apiserver's order. Without a cluster there is nothing.

use std::sync::Arc;

use admission::{
    Chain, Namespaces, Plugin,
    hook::Services,
    quota::Quotas,
    webhooks::{Mutating, Parts, Validating},
};
use apiserver::Identities;
use policies::{MutatingPolicies, ValidatingPolicies};
use runtime::Context;

/// The stages of a server.
pub(super) fn chain(identities: &Identities, context: &Context) -> Chain {
    let Some(client) = identities.cluster() else { return Chain::default() };
    let (client, tasks) = (client.clone(), context.tasks.clone());
    let authorizer = || Arc::clone(identities.authorizer());
    let parts = Parts {
        namespaces: Namespaces::start(client.clone(), &tasks),
        services: Services::of(client.clone()),
        compiler: policies::compiler(authorizer()),
        client,
        tasks,
    };
    let Parts { client, tasks, namespaces, .. } = &parts;
    let stages: [Arc<dyn Plugin>; 5] = [
        Arc::new(MutatingPolicies::start(client, namespaces.clone(), authorizer(), tasks)),
        Mutating::start(&parts),
        Arc::new(ValidatingPolicies::start(client, namespaces.clone(), authorizer(), tasks)),
        Validating::start(&parts),
        Quotas::start(client.clone(), tasks),
    ];
    Chain::new(stages)
}
