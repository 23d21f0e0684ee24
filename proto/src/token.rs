//! What a token is to whoever makes one and whoever is shown one.
//!
//! ```text
//!   mint ──▶ Secret (256 random bits) ──▶ Presented  ort/NAMESPACE/NAME/SECRET   to its owner, once
//!                    │
//!                    └──▶ Hash ──▶ Credential ──▶ Store    what is kept
//! ```
//!
//! The rule to know: a [`Secret`] goes to its owner and nowhere else. It has no `Debug`, no `Display` and no serialization;
//! what crosses to the store is its [`struct@Hash`], as a [`Credential`] in the object that is written.

mod hash;
mod presented;
mod secret;
mod version;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::{hash::Hash, presented::Presented, secret::Secret, version::convert};

/// The group of the kinds of tokens.
pub const GROUP: &str = "tomlebreux.com";
/// The resource of tokens in namespaces.
pub const RANCHER_TOKENS: &str = "ranchertokens";
/// The resource of tokens of the cluster.
pub const CLUSTER_RANCHER_TOKENS: &str = "clusterranchertokens";
/// The version that objects are read from and written to the store in. It takes those of the other version too.
pub const HUB: &str = "v1alpha2";

/// The field of an object that a write carries its credential in. The store takes it out; no object that is read has it.
const FIELD: &str = "credential";

/// What a write says besides the object: who can prove to be it from now on, and whom that makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Of the secret.
    pub hash: Hash,
    /// The groups of its user; those of a token that there is already stay as they are.
    #[serde(default)]
    pub groups: Vec<String>,
}

// === impl Credential ===

impl Credential {
    /// Puts it into the object that is to be written.
    pub fn attach(&self, object: &mut Value) {
        object[FIELD] = serde_json::to_value(self).expect("texts are JSON");
    }

    /// Takes it out of an object that was written.
    pub fn detach(object: &mut Value) -> Option<Self> {
        let field = object.as_object_mut()?.remove(FIELD)?;
        serde_json::from_value(field).ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_credential_goes_in_and_comes_out() {
        let credential = Credential { hash: Secret::of([1; 32]).hash([2; 16]), groups: vec!["dev".to_owned()] };
        let mut object = json!({ "kind": "RancherToken" });
        credential.attach(&mut object);
        assert_eq!(Credential::detach(&mut object), Some(credential));
        assert_eq!((Credential::detach(&mut object), object), (None, json!({ "kind": "RancherToken" })));
    }
}
