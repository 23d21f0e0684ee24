//! The kinds of tokens: RancherToken and ClusterRancherToken of `tomlebreux.com`.
//!
//! | resource | verbs | |
//! |---|---|---|
//! | `ranchertokens`, `clusterranchertokens` | all | kept by a store of their own |
//! | `…/rotate` | create | gives the token another plaintext |
//!
//! Two things here are not as with other kinds, and both are done by a [`session`] that each request has:
//!
//! * **The plaintext is shown once.** It is made for the request, its hash goes to the store with the object, and it is added
//!   to the answer of the request that created, and to no other. No store, event or log ever has it.
//! * **A caller sees their own.** The store does not know who asks, so each request reads and writes through one that does, in
//!   which there are only objects whose `spec.userID` is the caller. That field cannot be changed. Who may `view-all` sees all.

mod kinds;
mod owner;
mod rotate;
mod rules;
mod session;

use std::{collections::BTreeMap, sync::Arc};

use apiserver::Extension;
use proto::{
    store::Store,
    token::{CLUSTER_RANCHER_TOKENS, HUB, RANCHER_TOKENS},
};
use schema::Definition;

/// The definitions, by resource.
const DEFINITIONS: [(&str, &str, &str); 2] = [
    (RANCHER_TOKENS, "rancher_token.yaml", concat!(include_str!("rancher_token.yaml"), include_str!("versions.yaml"))),
    (
        CLUSTER_RANCHER_TOKENS,
        "cluster_rancher_token.yaml",
        concat!(include_str!("cluster_rancher_token.yaml"), include_str!("versions.yaml")),
    ),
];

/// The kinds, to be given to an apiserver. `tokens` keeps them.
pub fn extensions(tokens: &Arc<dyn Store>) -> Vec<Extension> {
    let extension = |(_, origin, definition)| Extension {
        origin,
        definition,
        actor: Arc::new(kinds::Tokens),
        store: Some(Arc::clone(tokens)),
    };
    DEFINITIONS.map(extension).into()
}

/// What the store marks its values with, by resource: those that are read in [`HUB`] pass through unread.
pub fn tags() -> BTreeMap<String, String> {
    const WHY: &str = "it is part of this program, and a test reads it";
    let tag = |(resource, _, definition): (&str, &str, &str)| {
        let definitions = Definition::parse(definition.as_bytes()).expect(WHY);
        let versions = definitions.iter().flat_map(|definition| &definition.versions);
        let hub = versions.into_iter().find(|version| version.name == HUB).expect(WHY);
        (resource.to_owned(), apiserver::Kind::tag_of(hub))
    };
    DEFINITIONS.map(tag).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_can_be_served_and_prefer_types() {
        for (resource, origin, definition) in DEFINITIONS {
            let definitions =
                Definition::parse(definition.as_bytes()).unwrap_or_else(|error| panic!("{origin}: {error}"));
            let [definition] = &definitions[..] else { panic!("{origin}: one definition") };
            let versions: Vec<&str> = definition.versions.iter().map(|version| version.name.as_str()).collect();
            assert_eq!((definition.names.plural.as_str(), versions), (resource, vec![HUB, "v1alpha1"]));
        }
        assert_eq!(tags().len(), 2);
    }
}
