//! Whose token is this? Asked anew for every review: a token that was disabled is refused by the next one.

use std::{collections::BTreeMap, sync::Arc};

use proto::{
    store::{Key as Place, Result},
    token::{CLUSTER_RANCHER_TOKENS, GROUP, Hash, Presented, RANCHER_TOKENS},
};

use crate::{Tokens, data, kept::State, used::Used};

/// Says whose a token is.
#[derive(Clone)]
pub struct Verifier {
    tokens: Tokens,
    used: Arc<Used>,
}

/// What is to be said of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Who presents it is this user.
    User(Identity),
    /// It was made here, and is good for nothing: why, for its owner.
    Refused(&'static str),
    /// It is none of ours.
    Unknown,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// The groups.
    pub groups: Vec<String>,
    /// Which token says so.
    pub extra: BTreeMap<String, Vec<String>>,
}

// === impl Verifier ===

impl Verifier {
    /// Verifies by what `tokens` has, and tells `used` which of them were.
    pub fn new(tokens: Tokens, used: Arc<Used>) -> Self {
        Self { tokens, used }
    }

    /// Whose token `text` is. The secret is compared before anything is said of the token.
    pub async fn verify(&self, text: &str) -> Result<Verdict> {
        let Some(presented) = Presented::parse(text) else { return Ok(Verdict::Unknown) };
        let place = place(&presented);
        let Some(kept) = self.tokens.find(&place).await? else { return Ok(Verdict::Unknown) };
        if !Hash::stored(kept.data.text(data::HASH)).is_of(&presented.secret) {
            return Ok(Verdict::Unknown);
        }
        let now = self.tokens.now();
        match kept.state(now) {
            State::Active => {}
            State::Disabled => return Ok(Verdict::Refused("the token is disabled")),
            State::Expired => return Ok(Verdict::Refused("the token has expired")),
            State::Deleting => return Ok(Verdict::Refused("the token is being deleted")),
            State::Invalid(_) => return Ok(Verdict::Refused("the token is invalid: its status says why")),
        }
        let (name, extra) =
            (kept.data.text(data::USER).to_owned(), extra(&place, kept.uid(), kept.data.text(data::CLUSTER)));
        self.used.note(place, now);
        Ok(Verdict::User(Identity { name, groups: kept.groups(), extra }))
    }
}

fn place(presented: &Presented) -> Place {
    let resource = if presented.namespace.is_empty() { CLUSTER_RANCHER_TOKENS } else { RANCHER_TOKENS };
    Place {
        group: GROUP.to_owned(),
        resource: resource.to_owned(),
        namespace: presented.namespace.clone(),
        name: presented.name.clone(),
    }
}

fn extra(place: &Place, uid: &str, cluster: &str) -> BTreeMap<String, Vec<String>> {
    let name = match place.namespace.as_str() {
        "" => place.name.clone(),
        namespace => format!("{namespace}/{}", place.name),
    };
    let said = [("token", name.as_str()), ("token-uid", uid), ("cluster-name", cluster)];
    let said = said.into_iter().filter(|(_, value)| !value.is_empty());
    said.map(|(key, value)| (format!("{GROUP}/{key}"), vec![value.to_owned()])).collect()
}
