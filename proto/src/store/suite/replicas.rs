//! Several stores on one database: whichever is asked, it is one store.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures::future::join_all;

use super::*;
use crate::store::{At, List, Status, Written};

/// Stores on one database. As a [`Store`] each call goes to the next of them, so that every case of the suite shows that
/// one sees what another has acknowledged.
pub struct Replicas<S> {
    stores: Vec<Arc<S>>,
    next: AtomicUsize,
    compact: Box<dyn Fn(Arc<S>, Revision) -> futures::future::BoxFuture<'static, ()> + Send + Sync>,
}

// === impl Replicas ===

impl<S: Store> Replicas<S> {
    /// `stores` on one database, which one of them compacts by `compact`.
    pub fn new<F>(stores: Vec<Arc<S>>, compact: impl Fn(Arc<S>, Revision) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self { stores, next: AtomicUsize::new(0), compact: Box::new(move |store, upto| Box::pin(compact(store, upto))) }
    }

    fn next(&self) -> &S {
        &self.stores[self.next.fetch_add(1, Ordering::Relaxed) % self.stores.len()]
    }
}

#[async_trait]
impl<S: Store> Subject for Replicas<S> {
    fn store(&self) -> &dyn Store {
        self
    }

    async fn compact(&self, upto: Revision) {
        let one = self.next.fetch_add(1, Ordering::Relaxed) % self.stores.len();
        (self.compact)(Arc::clone(&self.stores[one]), upto).await;
    }
}

#[async_trait]
impl<S: Store> Store for Replicas<S> {
    async fn get(&self, key: &Key, at: At) -> Result<Option<Entry>> {
        self.next().get(key, at).await
    }

    async fn list(&self, scope: &Scope, options: ListOptions) -> Result<List> {
        self.next().list(scope, options).await
    }

    async fn watch(&self, scope: &Scope, options: WatchOptions) -> Result<BoxStream<'static, Result<Batch>>> {
        self.next().watch(scope, options).await
    }

    async fn write(&self, write: Write) -> Result<Written> {
        self.next().write(write).await
    }

    async fn status(&self) -> Result<Status> {
        self.next().status().await
    }
}

/// Writers on every replica get revisions without gaps, and watchers on every replica see the same events in their order,
/// each with what the object was before.
pub async fn writers_on_all_replicas_make_one_order_that_all_watchers_see<S: Store>(replicas: &Replicas<S>) {
    const WRITERS: usize = 8;
    const WRITES: usize = 30;
    let start = head(replicas).await;
    let mut watches = Vec::new();
    for store in &replicas.stores {
        watches.push(watched(&**store, &widgets(), start).await);
    }
    let writers = (0..WRITERS).map(|writer| {
        let store = &replicas.stores[writer % replicas.stores.len()];
        async move {
            let mut made = Vec::new();
            for write in 0..WRITES {
                let key = widget("default", &format!("w{}", (writer + write) % 3));
                let text = content("u", format!("{writer}.{write}"));
                let written = match write % 3 {
                    0 => create(&**store, &key, text).await,
                    1 => update(&**store, &key, text, Expect::default()).await,
                    _ => delete(&**store, &key, Expect::default()).await,
                };
                match written {
                    Ok(revision) => made.push(revision),
                    Err(Error::AlreadyExists { .. } | Error::NotFound { .. } | Error::Conflict { .. }) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
            made
        }
    });
    let mut made = join_all(writers).await.concat();
    made.sort_unstable();
    let end = head(replicas).await;
    assert_eq!(made, (start + 1..=end).collect::<Vec<_>>(), "the acknowledged writes are the log");
    let mut seen = Vec::new();
    for watch in &mut watches {
        seen.push(events_until(watch, end).await);
    }
    assert_eq!(revisions(&seen[0]), made);
    assert!(seen.iter().all(|events| *events == seen[0]), "all watchers see the same");
    let mut kept = std::collections::HashMap::new();
    for Event { entry, previous, .. } in &seen[0] {
        if let Some(previous) = previous {
            assert_eq!(
                kept.get(&entry.key),
                Some(&(previous.revision, previous.content.clone())),
                "at {}",
                entry.revision
            );
        }
        kept.insert(entry.key.clone(), (entry.revision, entry.content.clone()));
    }
}
