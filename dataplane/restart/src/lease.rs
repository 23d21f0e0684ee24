//! The lease: of several workers one works, and another takes over when it is heard of no more.
//!
//! It is an object in the store that its holder writes again and again. Who finds it unchanged for its whole duration, by
//! its own clock, takes it. It spares work; that nothing is done twice does not rest on it, but on compare-and-write of
//! every state, and on [`Intent`](crate::machine::Intent): a holder that was away and does not know it yet can write
//! nothing that the next has written since.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use proto::store::{At, Content, Entry, Error, Expect, Key, Labels, Op, Result, Revision, Store, Value, Write};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::node_restart::GROUP;

/// A worker's claim to the lease.
pub(crate) struct Lease {
    store: Arc<dyn Store>,
    holder: String,
    duration: Duration,
    /// Until when nobody else takes it.
    until: Mutex<Option<Instant>>,
}

/// The lease, held.
#[derive(Debug)]
pub(crate) struct Held {
    revision: Revision,
    renewals: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// The worker, or nobody.
    holder: String,
    /// How often it has been renewed: so that each renewal is another value, also to who reads the store by hand.
    renewals: u64,
}

// === impl Lease ===

impl Lease {
    pub(crate) fn new(store: Arc<dyn Store>, holder: &str, duration: Duration) -> Self {
        Self { store, holder: holder.to_owned(), duration, until: Mutex::default() }
    }

    /// Whether it is held for sure. Asked before a provider is.
    pub(crate) fn valid(&self) -> bool {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    /// Waits until it is ours.
    pub(crate) async fn acquire(&self) -> Held {
        let mut seen: Option<(Revision, Instant)> = None;
        loop {
            match self.attempt(&mut seen).await {
                Ok(Some(held)) => return held,
                Ok(None) => {}
                Err(error) => tracing::warn!("the lease of the restart worker cannot be read or written: {error}"),
            }
            sleep(self.duration / 5).await;
        }
    }

    /// Renews it until it is lost.
    pub(crate) async fn keep(&self, mut held: Held) {
        loop {
            sleep(self.duration / 3).await;
            match self.renew(&held).await {
                Ok(renewed) => held = renewed,
                Err(Error::Unavailable { .. } | Error::Internal { .. } | Error::OutOfSpace { .. }) if self.valid() => {}
                Err(error) => {
                    tracing::warn!("the lease of the restart worker is lost: {error}");
                    return self.set(None);
                }
            }
        }
    }

    /// Lets the next worker take it at once.
    pub(crate) async fn release(&self) {
        self.set(None);
        let Ok(Some(entry)) = self.store.get(&key(), At::Latest).await else { return };
        let record = read(&entry);
        if record.holder == self.holder {
            let nobody = Record { holder: String::new(), ..record };
            // Who cannot write this lets it run out.
            let _ = self.write(Op::Update(content(&nobody), at(entry.revision))).await;
        }
    }

    async fn attempt(&self, seen: &mut Option<(Revision, Instant)>) -> Result<Option<Held>> {
        let now = Instant::now();
        let (op, renewals) = match self.store.get(&key(), At::Latest).await? {
            None => (Op::Create(content(&self.record(0))), 0),
            Some(entry) => {
                let Record { holder, renewals } = read(&entry);
                let (_, since) = *seen.get_or_insert((entry.revision, now));
                if seen.is_some_and(|(revision, _)| revision != entry.revision) {
                    *seen = Some((entry.revision, now));
                    return Ok(None);
                }
                if !holder.is_empty() && now.duration_since(since) < self.duration {
                    return Ok(None);
                }
                (Op::Update(content(&self.record(renewals + 1)), at(entry.revision)), renewals + 1)
            }
        };
        match self.write(op).await {
            Ok(revision) => {
                self.set(Some(now + self.duration));
                Ok(Some(Held { revision, renewals }))
            }
            Err(Error::Conflict { .. } | Error::AlreadyExists { .. } | Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn renew(&self, held: &Held) -> Result<Held> {
        let (now, renewals) = (Instant::now(), held.renewals + 1);
        let op = |revision| Op::Update(content(&self.record(renewals)), at(revision));
        let revision = match self.write(op(held.revision)).await {
            // A renewal that was not acknowledged may have happened.
            Err(Error::Conflict { revision, .. }) if self.is_ours().await? => self.write(op(revision)).await?,
            result => result?,
        };
        self.set(Some(now + self.duration));
        Ok(Held { revision, renewals })
    }

    async fn is_ours(&self) -> Result<bool> {
        let entry = self.store.get(&key(), At::Latest).await?;
        Ok(entry.is_some_and(|entry| read(&entry).holder == self.holder))
    }

    async fn write(&self, op: Op) -> Result<Revision> {
        Ok(self.store.write(Write { key: key(), op }).await?.revision)
    }

    fn record(&self, renewals: u64) -> Record {
        Record { holder: self.holder.clone(), renewals }
    }

    fn set(&self, until: Option<Instant>) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}

fn key() -> Key {
    let text = |text: &str| text.to_owned();
    Key { group: text(GROUP), resource: text("restartworkers"), namespace: String::new(), name: text("leader") }
}

fn at(revision: Revision) -> Expect {
    Expect { revision: Some(revision), uid: None }
}

fn content(record: &Record) -> Content {
    let json = Bytes::from(serde_json::to_vec(record).expect("strings and numbers"));
    let value = Value { json, splice: 0, schema: String::new() };
    Content { uid: String::new(), labels: Labels::new(), fields: Labels::new(), value }
}

/// What cannot be read is nobody's.
fn read(entry: &Entry) -> Record {
    let nobody = Record { holder: String::new(), renewals: 0 };
    serde_json::from_slice(&entry.content.value.json).unwrap_or(nobody)
}
