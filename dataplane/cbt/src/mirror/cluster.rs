//! The objects of one resource of a cluster, followed by a watch, of which only what is needed is kept.
//!
//! What a mirror has was true a moment ago. What it has not, or what is not as one needs it, is worth a direct question
//! ([`Mirror::get`]): the watch may be late, or not begun.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use futures::StreamExt;
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, ListParams},
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use proto::cbt::{Error, Result};
use runtime::Tasks;
use tokio::time::timeout;

/// A question that takes longer gets no answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Namespace, which is empty for what has none, and name.
type Name = (String, String);

/// Objects by name.
type Objects<T> = BTreeMap<Name, Arc<T>>;

/// Objects of one resource, each as `T`.
pub(crate) struct Mirror<T> {
    client: Client,
    resource: ApiResource,
    read: fn(DynamicObject) -> T,
    seen: RwLock<(Sight, Objects<T>)>,
}

/// How much is known of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Nothing yet.
    Unknown,
    /// The cluster has no such resource.
    Absent,
    /// All objects have been seen.
    Complete,
}

// === impl Mirror ===

impl<T: Send + Sync + 'static> Mirror<T> {
    /// Follows a resource of the cluster of `client` as long as `tasks` run.
    pub(crate) fn start(
        name: &'static str,
        client: Client,
        resource: ApiResource,
        read: fn(DynamicObject) -> T,
        tasks: &Tasks,
    ) -> Arc<Self> {
        let seen = RwLock::new((Sight::Unknown, Objects::new()));
        let mirror = Arc::new(Self { client, resource, read, seen });
        let (followed, draining) = (Arc::clone(&mirror), tasks.shutdown().draining());
        tasks.spawn(name, async move {
            tokio::select! {
                () = draining => {}
                () = followed.follow() => {}
            }
        });
        mirror
    }

    /// The object as it was last seen.
    pub(crate) fn seen(&self, namespace: &str, name: &str) -> Option<Arc<T>> {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        seen.1.get(&(namespace.to_owned(), name.to_owned())).cloned()
    }

    /// The objects that were last seen, of those that `matches` says.
    pub(crate) fn find(&self, matches: impl Fn(&T) -> bool) -> Vec<(Name, Arc<T>)> {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        let found = seen.1.iter().filter(|(_, object)| matches(object));
        found.map(|(name, object)| (name.clone(), Arc::clone(object))).collect()
    }

    /// How much is known.
    pub(crate) fn sight(&self) -> Sight {
        self.seen.read().unwrap_or_else(PoisonError::into_inner).0
    }

    /// The object as it is; `None` when there is none.
    pub(crate) async fn get(&self, namespace: &str, name: &str) -> Result<Option<T>> {
        let plural = &self.resource.plural;
        Ok(answered(plural, self.api(namespace).get_opt(name)).await?.map(self.read))
    }

    /// The objects of a namespace as they are.
    pub(crate) async fn list(&self, namespace: &str) -> Result<Vec<(String, T)>> {
        let options = ListParams::default();
        let found = answered(&self.resource.plural, self.api(namespace).list(&options)).await?;
        let named = |object: DynamicObject| (object.metadata.name.clone().unwrap_or_default(), (self.read)(object));
        Ok(found.items.into_iter().map(named).collect())
    }

    fn api(&self, namespace: &str) -> Api<DynamicObject> {
        match namespace {
            "" => Api::all_with(self.client.clone(), &self.resource),
            namespace => Api::namespaced_with(self.client.clone(), namespace, &self.resource),
        }
    }

    async fn follow(&self) {
        let events = watcher(self.api(""), watcher::Config::default()).default_backoff();
        let (mut events, mut listed) = (pin!(events), Objects::new());
        let mut failing = false;
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    failing = false;
                    self.apply(event, &mut listed);
                }
                Err(error) => {
                    if is_absent(&error) {
                        *self.seen.write().unwrap_or_else(PoisonError::into_inner) = (Sight::Absent, Objects::new());
                    }
                    // Once is enough: it is tried again and again.
                    if !std::mem::replace(&mut failing, true) {
                        let (plural, why) = (&self.resource.plural, runtime::telemetry::chain(&error));
                        tracing::warn!("{plural} cannot be followed: {why}");
                    }
                }
            }
        }
    }

    fn apply(&self, event: Event<DynamicObject>, listed: &mut Objects<T>) {
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Init => listed.clear(),
            Event::InitApply(object) => {
                listed.insert(name(&object), Arc::new((self.read)(object)));
            }
            Event::InitDone => *seen = (Sight::Complete, std::mem::take(listed)),
            Event::Apply(object) => {
                seen.1.insert(name(&object), Arc::new((self.read)(object)));
            }
            Event::Delete(object) => {
                seen.1.remove(&name(&object));
            }
        }
    }
}

/// What the cluster answers when it is asked for `what`, in time.
pub(crate) async fn answered<T>(what: &str, asked: impl Future<Output = kube::Result<T>>) -> Result<T> {
    let unavailable = |why: String| Error::Unavailable(format!("the cluster cannot be asked for {what}: {why}"));
    match timeout(PATIENCE, asked).await {
        Ok(answer) => answer.map_err(|error| unavailable(runtime::telemetry::chain(&error))),
        Err(_) => Err(unavailable(format!("no answer within {PATIENCE:?}"))),
    }
}

fn name(object: &DynamicObject) -> Name {
    let metadata = &object.metadata;
    (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default())
}

fn is_absent(error: &watcher::Error) -> bool {
    use watcher::Error::{InitialListFailed, WatchFailed, WatchStartFailed};
    matches!(
        error,
        InitialListFailed(kube::Error::Api(status)) | WatchStartFailed(kube::Error::Api(status))
            | WatchFailed(kube::Error::Api(status)) if status.code == 404
    )
}
