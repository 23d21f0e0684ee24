//! Which store a resource is kept in: the server's own, or the one that its kind brings.
//!
//! Each store has revisions of its own, so everything about a resource is asked of one store: reads, writes, the watch
//! cache's upstream watch, and where "now" is. A store that is away takes its resources with it and no other.

use std::{collections::HashMap, sync::Arc};

use admission::hook::Services;
use auth::User;
use machinery::GroupResource;
use proto::store::{Scope, Store};

use crate::{
    conversion::{self, Seen},
    kinds::{Kind, Kinds},
};

/// The server's own store, and those that are for some resources only. Cheap to clone.
#[derive(Clone)]
pub struct Stores {
    own: Arc<dyn Store>,
    /// A handful, so it is searched from front to back.
    apart: Arc<[(GroupResource, Arc<dyn Store>)]>,
    /// What versions see of a store whose kind a webhook converts.
    converted: Arc<HashMap<Seen, Arc<dyn Store>>>,
}

tokio::task_local! {
    /// The name of who asks for what is being done. Keys and objects say nothing of it, and most stores need not know.
    static WRITER: String;
}

/// Who asks for the write that a kind's own store is about to do, for one that records it.
pub fn writer() -> Option<String> {
    WRITER.try_with(Clone::clone).ok()
}

/// Does `work`, in which [`writer`] is `user`.
pub(crate) async fn written_for<F: Future>(user: &User, work: F) -> F::Output {
    WRITER.scope(user.name.clone(), work).await
}

// === impl Stores ===

impl Stores {
    /// Everything is in `own` but the resources named in `apart`.
    pub fn new(own: Arc<dyn Store>, apart: Vec<(GroupResource, Arc<dyn Store>)>) -> Self {
        Self { own, apart: apart.into(), converted: Arc::default() }
    }

    /// The same, in which the kinds that have a webhook for it are seen through that.
    pub(crate) fn converting(mut self, kinds: &Kinds, services: &Services) -> Self {
        let store = |kind: &Kind| Arc::clone(self.of(&kind.scope(None)));
        self.converted = Arc::new(conversion::views(kinds, store, services));
        self
    }

    /// What a version of a kind sees of its store, where a webhook converts it.
    pub(crate) fn view(&self, kind: &Kind) -> Option<&Arc<dyn Store>> {
        kind.converter()?;
        let definition = kind.definition();
        let seen = (definition.group.clone(), definition.names.plural.clone(), kind.version().name.clone());
        self.converted.get(&seen)
    }

    /// The store of everything that has no other.
    pub fn own(&self) -> &Arc<dyn Store> {
        &self.own
    }

    /// Where the objects of `scope` are.
    pub fn of(&self, scope: &Scope) -> &Arc<dyn Store> {
        self.find(&scope.group, &scope.resource).unwrap_or(&self.own)
    }

    /// Where the objects of a resource are, if that is not in the server's own store.
    pub(crate) fn find(&self, group: &str, resource: &str) -> Option<&Arc<dyn Store>> {
        let found = self.apart.iter().find(|(of, _)| of.group == group && of.resource == resource);
        found.map(|(_, store)| store)
    }

    /// The resources that are not in the server's own store, and where they are.
    pub fn apart(&self) -> &[(GroupResource, Arc<dyn Store>)] {
        &self.apart
    }
}
