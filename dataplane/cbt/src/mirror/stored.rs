//! The objects of a scope of a store, followed by a watch.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::TryStreamExt;
use proto::store::{Change, Entry, Key, ListOptions, Result, Scope, Store, WatchOptions};
use runtime::Tasks;

/// Objects by key.
pub(crate) type Entries = BTreeMap<Key, Entry>;

/// Waited before the store is asked again after it failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells `changed` of all objects of `scope`, each time that one of them is another.
pub(crate) fn follow(
    name: &'static str,
    store: Arc<dyn Store>,
    scope: Scope,
    tasks: &Tasks,
    changed: impl Fn(&Entries) + Send + Sync + 'static,
) {
    let draining = tasks.shutdown().draining();
    tasks.spawn(name, async move {
        let following = async {
            loop {
                if let Err(error) = once(&*store, &scope, &changed).await {
                    tracing::warn!("{} cannot be followed: {}", scope.resource, runtime::telemetry::chain(&error));
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::select! {
            () = draining => {}
            never = following => match never {},
        }
    });
}

/// Until the watch ends.
async fn once(store: &dyn Store, scope: &Scope, changed: &(impl Fn(&Entries) + Sync)) -> Result<()> {
    let list = store.list(scope, ListOptions::default()).await?;
    let after = list.revision;
    let chunks: Vec<Vec<Entry>> = list.chunks.try_collect().await?;
    let mut entries: Entries = chunks.into_iter().flatten().map(|entry| (entry.key.clone(), entry)).collect();
    changed(&entries);
    let mut batches = store.watch(scope, WatchOptions { after }).await?;
    while let Some(batch) = batches.try_next().await? {
        let any = !batch.events.is_empty();
        for event in batch.events {
            match event.change {
                Change::Created | Change::Updated => entries.insert(event.entry.key.clone(), event.entry),
                Change::Deleted => entries.remove(&event.entry.key),
            };
        }
        if any {
            changed(&entries);
        }
    }
    Ok(())
}
