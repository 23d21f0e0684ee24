//! An engine in memory: for tests, and the plainest reading of what an engine does.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use proto::store::{Batch, Change, Content, Entry, Error, Event, Key, Previous, Result, Revision, Scope};

use tokio::sync::{Mutex as TurnMutex, OwnedMutexGuard, watch};

use crate::engine::{Bounds, CommitError, Current, Engine, Others, Page, Range, Record, Turn};

/// How many records one read or one step of compaction looks at.
const STEP: usize = 500;

/// An engine that forgets everything when it is dropped.
#[derive(Debug, Default)]
pub struct Memory {
    tables: Arc<Mutex<Tables>>,
    turns: Arc<TurnMutex<()>>,
    /// The head, where there are others.
    shared: Option<watch::Sender<Revision>>,
}

#[derive(Debug, Default)]
struct Tables {
    bounds: Bounds,
    history: BTreeMap<Revision, Arc<Record>>,
    objects: BTreeMap<Key, Revision>,
}

/// A turn on a [`Memory`].
#[derive(Debug)]
pub struct MemoryTurn<'a> {
    memory: &'a Memory,
    head: Revision,
    current: HashMap<Key, Current>,
    _turn: OwnedMutexGuard<()>,
}

// === impl Memory ===

impl Memory {
    /// Several engines on the same tables.
    #[must_use]
    pub fn beside(count: usize) -> Vec<Self> {
        let (tables, turns, head) = <(Arc<_>, Arc<_>, watch::Sender<_>)>::default();
        let one = |_| Self { tables: Arc::clone(&tables), turns: Arc::clone(&turns), shared: Some(head.clone()) };
        (0..count).map(one).collect()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Engine for Memory {
    type Turn<'a> = MemoryTurn<'a>;

    async fn bounds(&self) -> Result<Bounds> {
        Ok(self.tables().bounds)
    }

    async fn begin(&self, keys: &[Key]) -> Result<MemoryTurn<'_>> {
        let _turn = Arc::clone(&self.turns).lock_owned().await;
        let tables = self.tables();
        let current = keys.iter().filter_map(|key| Some((key.clone(), tables.current(key)?))).collect();
        Ok(MemoryTurn { memory: self, head: tables.bounds.head, current, _turn })
    }

    async fn committed(&self, last: &Record) -> Result<bool> {
        Ok(self.tables().history.get(&last.revision).is_some_and(|record| **record == *last))
    }

    async fn get(&self, key: &Key, at: Revision) -> Result<Option<Entry>> {
        let tables = self.tables();
        tables.check_kept(at)?;
        Ok(tables.objects.get(key).and_then(|newest| tables.as_of(*newest, at)))
    }

    async fn page(&self, range: &Range<'_>) -> Result<Page> {
        let tables = self.tables();
        tables.check_kept(range.at)?;
        let (mut page, mut bytes) = (Page::default(), 0);
        for (looked, (key, newest)) in tables.range(range.scope, range.after).enumerate() {
            if let Some(entry) = tables.as_of(*newest, range.at) {
                bytes += entry.content.value.json.len();
                page.entries.push(entry);
            }
            if page.entries.len() >= range.rows || bytes >= range.bytes || looked >= STEP {
                page.next = Some((key.namespace.clone(), key.name.clone()));
                break;
            }
        }
        Ok(page)
    }

    async fn count(&self, scope: &Scope, after: Option<(&str, &str)>) -> Result<u64> {
        let tables = self.tables();
        let live = tables.range(scope, after).filter(|(_, newest)| tables.history[newest].change != Change::Deleted);
        Ok(live.count() as u64)
    }

    async fn events(&self, scope: &Scope, after: Revision, upto: Revision) -> Result<Batch> {
        let tables = self.tables();
        tables.check_kept(after)?;
        let last = upto.min(after + STEP as Revision);
        let records = tables.history.range(after + 1..=last).map(|(_, record)| record);
        let events = records.filter(|record| scope.contains(&record.key)).map(|record| tables.event(record));
        Ok(Batch { events: events.collect(), upto: last })
    }

    async fn compact(&self, upto: Revision) -> Result<Revision> {
        let mut tables = self.tables();
        let upto = upto.min(tables.bounds.compacted + STEP as Revision);
        tables.compact(upto);
        Ok(tables.bounds.compacted)
    }

    async fn maintain(&self) {
        std::future::pending().await
    }

    async fn bytes(&self) -> Result<u64> {
        Ok(0)
    }

    async fn close(&self) {}

    fn others(&self) -> Option<&dyn Others> {
        self.shared.is_some().then_some(self)
    }
}

#[async_trait]
impl Others for Memory {
    async fn appended(&self, after: Revision) {
        if let Some(head) = &self.shared {
            // The sender is ours, so this cannot fail.
            head.subscribe().wait_for(|head| *head > after).await.ok();
        }
    }

    async fn events(&self, after: Revision) -> Result<Vec<Event>> {
        let tables = self.tables();
        tables.check_kept(after)?;
        Ok(tables.history.range(after + 1..).take(STEP).map(|(_, record)| tables.event(record)).collect())
    }
}

#[async_trait]
impl Turn for MemoryTurn<'_> {
    fn head(&self) -> Revision {
        self.head
    }

    fn current(&mut self) -> HashMap<Key, Current> {
        std::mem::take(&mut self.current)
    }

    async fn commit(self, records: &[Arc<Record>]) -> Result<(), CommitError> {
        let mut tables = self.memory.tables();
        for record in records {
            tables.objects.insert(record.key.clone(), record.revision);
            tables.history.insert(record.revision, record.clone());
            tables.bounds.head = record.revision;
        }
        if let Some(head) = &self.memory.shared {
            head.send_replace(tables.bounds.head);
        }
        Ok(())
    }
}

// === impl Tables ===

impl Tables {
    fn check_kept(&self, requested: Revision) -> Result<()> {
        match self.bounds.compacted {
            oldest if requested < oldest => Err(Error::Compacted { requested, oldest }),
            _ => Ok(()),
        }
    }

    fn current(&self, key: &Key) -> Option<Current> {
        let revision = *self.objects.get(key)?;
        let record = &self.history[&revision];
        let content = (record.change != Change::Deleted).then(|| record.content.clone());
        Some(Current { revision, content })
    }

    /// The object whose newest record is `newest`, as it was at `at`.
    fn as_of(&self, newest: Revision, at: Revision) -> Option<Entry> {
        let mut record = self.history.get(&newest)?;
        while record.revision > at {
            record = self.history.get(&record.previous)?;
        }
        let entry = || Entry { key: record.key.clone(), revision: record.revision, content: owned(&record.content) };
        (record.change != Change::Deleted).then(entry)
    }

    /// The keys of `scope` behind a namespace and name, each with its newest record.
    fn range<'a>(
        &'a self,
        scope: &'a Scope,
        after: Option<(&str, &str)>,
    ) -> impl Iterator<Item = (&'a Key, &'a Revision)> {
        let key = |namespace: &str, name: &str| Key {
            group: scope.group.clone(),
            resource: scope.resource.clone(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        let first = Bound::Included(key(scope.namespace.as_deref().unwrap_or(""), ""));
        let after = after.map_or(Bound::Unbounded, |(namespace, name)| Bound::Excluded(key(namespace, name)));
        let start = match (&after, &first) {
            (Bound::Excluded(after), Bound::Included(start)) if after >= start => Bound::Excluded(after.clone()),
            _ => first,
        };
        self.objects.range((start, Bound::Unbounded)).take_while(|(key, _)| scope.contains(key))
    }

    fn event(&self, record: &Record) -> Event {
        let entry = Entry { key: record.key.clone(), revision: record.revision, content: owned(&record.content) };
        let previous = (record.change == Change::Updated)
            .then(|| Previous { revision: record.previous, content: owned(&self.history[&record.previous].content) });
        Event { change: record.change, entry, previous }
    }

    fn compact(&mut self, upto: Revision) {
        let records: Vec<_> =
            self.history.range(self.bounds.compacted + 1..=upto).map(|(_, record)| record.clone()).collect();
        for record in records {
            self.history.remove(&record.previous);
            if record.change == Change::Deleted {
                self.history.remove(&record.revision);
                if self.objects.get(&record.key) == Some(&record.revision) {
                    self.objects.remove(&record.key);
                }
            }
        }
        self.bounds.compacted = upto;
    }
}

fn owned(content: &Arc<Content>) -> Content {
    Content::clone(content)
}
