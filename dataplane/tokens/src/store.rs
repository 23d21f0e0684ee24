//! The store of tokens: a [`Store`] of RancherTokens over a store of the Secrets that keep them.
//!
//! ```text
//!   RancherToken ──▶ Tokens ──seal──▶ Secret ──▶ Secrets (kube-rs) ──▶ kube-apiserver
//!                                            └─▶ the SQL store, where there is no cluster
//! ```
//!
//! Keys, uids and revisions are those of the Secrets. What a token is made in two writes: first a Secret that says nothing, so
//! that it has a uid, then its data with the seal over that uid. In between, and after a crash there, it is not shown, and
//! [`crate::expiry`] removes it.
//!
//! The rule to know: **a seal is only put where one was.** What somebody planted or edited stays invalid, whatever is written
//! to it through the API; else an update of its labels would make it somebody's.

use std::{collections::BTreeMap, sync::Arc, time::UNIX_EPOCH};

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream, stream::BoxStream};
use machinery::{selector::FieldSelector, time::Timestamp};
use proto::{
    store::{
        At, Batch, Change, Content, Entry, Error, Event, Expect, Key as Place, List, ListOptions, Op, Previous, Result,
        Scope, Status, Store, Value as Stored, WatchOptions, Write, Written,
    },
    token::{self, Credential, HUB},
};
use runtime::clock::Clock;
use serde_json::Value;

use crate::{
    data::{self, Data},
    kept::{self, Kept},
    seal::Keyring,
};

/// Tokens, over the Secrets that keep them. Cheap to clone.
#[derive(Clone)]
pub struct Tokens {
    secrets: Arc<dyn Store>,
    ring: Keyring,
    clock: Clock,
    tags: Arc<BTreeMap<String, String>>,
}

// === impl Tokens ===

impl Tokens {
    /// Tokens in `secrets`, sealed with the key in `ring`. `tags` says of each resource what its values are marked with when they are
    /// of the version that they are read in.
    pub fn new(secrets: Arc<dyn Store>, ring: Keyring, clock: Clock, tags: BTreeMap<String, String>) -> Self {
        Self { secrets, ring, clock, tags: Arc::new(tags) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let since = (self.clock)().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    /// The token at `place` as it is now.
    pub(crate) async fn find(&self, place: &Place) -> Result<Option<Kept>> {
        let key = self.ring.key()?;
        let entry = self.secrets.get(place, At::Latest).await?;
        Ok(entry.and_then(|entry| Kept::open(&entry, key)))
    }

    /// The Secrets themselves, those included that are no tokens yet.
    pub(crate) fn secrets(&self) -> &Arc<dyn Store> {
        &self.secrets
    }

    pub(crate) fn ring(&self) -> &Keyring {
        &self.ring
    }

    /// Writes `data` to the Secret of `kept`, if that is still as it was.
    pub(crate) async fn put(&self, kept: &Kept, data: &Data) -> Result<Written> {
        let object = serde_json::json!({ "metadata": kept.metadata });
        let expect = Expect { revision: Some(kept.revision), uid: Some(kept.uid().to_owned()) };
        self.write_secret(&object, &kept.place, data, |content| Op::Update(content, expect)).await
    }

    /// Notes when a token was last used. It is not a change of the token: nothing is sealed, and its generation stays. Who is
    /// writing to it at the time is not disturbed.
    pub(crate) async fn touch(&self, place: &Place, used: Timestamp) -> Result<()> {
        let Some(kept) = self.find(place).await? else { return Ok(()) };
        let mut data = kept.data.clone();
        data.set(data::LAST_USED, &used.to_string());
        match self.put(&kept, &data).await {
            Err(Error::Conflict { .. } | Error::NotFound { .. }) => Ok(()),
            outcome => outcome.map(|_| ()),
        }
    }

    /// The token that a Secret is, if it is one. Only to be asked when the key is there.
    fn shown(&self, entry: &Entry) -> Option<Entry> {
        let key = self.ring.key().ok()?;
        let tag = self.tags.get(&entry.key.resource).map_or(HUB, String::as_str);
        Some(Kept::open(entry, key)?.entry(key, self.now(), tag))
    }

    fn shown_event(&self, event: Event) -> Option<Event> {
        let Event { change, entry, previous } = event;
        let before = previous.and_then(|previous| {
            let before = Entry { key: entry.key.clone(), revision: previous.revision, content: previous.content };
            self.shown(&before)
        });
        let now = self.shown(&entry);
        let previous = |entry: Entry| Previous { revision: entry.revision, content: entry.content };
        match (change, before, now) {
            (Change::Updated, None, Some(entry)) => Some(Event { change: Change::Created, entry, previous: None }),
            (Change::Updated, Some(before), None) => {
                let entry = Entry { revision: entry.revision, ..before };
                Some(Event { change: Change::Deleted, entry, previous: None })
            }
            (change, before, Some(entry)) => Some(Event { change, entry, previous: before.map(previous) }),
            (_, _, None) => None,
        }
    }

    async fn write_secret(
        &self,
        object: &Value,
        place: &Place,
        data: &Data,
        op: impl FnOnce(Content) -> Op,
    ) -> Result<Written> {
        let secret = kept::secret(object, place, data);
        let meta = machinery::meta::ObjectMeta::of(object);
        let content = Content {
            uid: meta.uid().to_owned(),
            labels: meta.labels(),
            fields: BTreeMap::new(),
            value: Stored { json: secret.to_string().into(), splice: 0, schema: "Secret".to_owned() },
        };
        self.secrets.write(Write { key: place.clone(), op: op(content) }).await
    }

    async fn create(&self, place: &Place, content: &Content) -> Result<Written> {
        let key = self.ring.key()?;
        let (object, credential) = read(content)?;
        let credential = credential.ok_or_else(|| invalid("a token cannot be made without a credential"))?;
        let mut pending = Data::default();
        pending.set(data::PENDING, &self.now().to_string());
        let reserved = self.write_secret(&object, place, &pending, Op::Create).await?;
        let made = self.secrets.get(place, At::Latest).await?.filter(|made| made.revision == reserved.revision);
        let made =
            made.ok_or_else(|| invalid("somebody changed the Secret while the token was being made: try again"))?;
        let secret: Value = serde_json::from_slice(&made.content.value.json).unwrap_or_default();
        let mut data = Data::default();
        describe(&mut data, &object);
        data.set(data::USER, text(&object, "userID"));
        data.set(data::GROUPS, &Value::from(credential.groups).to_string());
        data.set(data::HASH, credential.hash.as_str());
        key.seal(place, &made.content.uid, &mut data);
        let expect = Expect { revision: Some(made.revision), uid: Some(made.content.uid.clone()) };
        self.write_secret(&secret, place, &data, |content| Op::Update(content, expect)).await
    }

    async fn update(&self, place: &Place, content: &Content, expect: Expect) -> Result<Written> {
        let key = self.ring.key()?;
        let (object, credential) = read(content)?;
        let kept = self.find(place).await?.ok_or_else(|| Error::NotFound { key: place.clone() })?;
        let as_expected = expect.revision.is_none_or(|revision| revision == kept.revision)
            && expect.uid.as_deref().is_none_or(|uid| uid == kept.uid());
        if !as_expected {
            let (uid, revision) = (kept.uid().to_owned(), kept.revision);
            return Err(Error::Conflict { key: place.clone(), expected: expect, uid, revision });
        }
        if kept.is_sound() && text(&object, "userID") != kept.data.text(data::USER) {
            return Err(invalid("whose a token is cannot be changed"));
        }
        let mut data = kept.data.clone();
        describe(&mut data, &object);
        if let Some(credential) = &credential {
            data.set(data::HASH, credential.hash.as_str());
        }
        match (kept.broken, credential) {
            (None, _) => key.seal(place, kept.uid(), &mut data),
            (Some(_), None) => data.set(data::MAC, ""),
            (Some(broken), Some(_)) => return Err(invalid(broken)),
        }
        let expect = Expect { revision: Some(kept.revision), uid: Some(kept.uid().to_owned()) };
        self.write_secret(&object, place, &data, |content| Op::Update(content, expect)).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Store for Tokens {
    async fn get(&self, key: &Place, at: At) -> Result<Option<Entry>> {
        self.ring.key()?;
        let entry = self.secrets.get(key, at).await?;
        Ok(entry.and_then(|entry| self.shown(&entry)))
    }

    /// What is selected by fields is selected here: a Secret has none of them. So is a limit counted here.
    async fn list(&self, scope: &Scope, options: ListOptions) -> Result<List> {
        self.ring.key()?;
        let ListOptions { fields, limit, count, .. } = options.clone();
        let asked =
            ListOptions { fields: FieldSelector::default(), limit: None, count: count && limit.is_none(), ..options };
        let List { revision, chunks, .. } = self.secrets.list(scope, asked).await?;
        let tokens = self.clone();
        let chunks = chunks.map_ok(move |chunk| {
            let shown = chunk.iter().filter_map(|entry| tokens.shown(entry));
            shown.filter(|entry| selects(&fields, entry)).collect::<Vec<_>>()
        });
        Ok(List { revision, count: None, chunks: cut(chunks.boxed(), limit) })
    }

    async fn watch(&self, scope: &Scope, options: WatchOptions) -> Result<BoxStream<'static, Result<Batch>>> {
        self.ring.key()?;
        let batches = self.secrets.watch(scope, options).await?;
        let tokens = self.clone();
        let shown = batches.map_ok(move |Batch { events, upto }| {
            let events = events.into_iter().filter_map(|event| tokens.shown_event(event)).collect();
            Batch { events, upto }
        });
        Ok(shown.boxed())
    }

    async fn write(&self, write: Write) -> Result<Written> {
        write.check()?;
        let Write { key, op } = write;
        match op {
            Op::Create(content) => self.create(&key, &content).await,
            Op::Update(content, expect) => self.update(&key, &content, expect).await,
            Op::Delete(expect) => self.secrets.write(Write { key, op: Op::Delete(expect) }).await,
        }
    }

    async fn status(&self) -> Result<Status> {
        self.ring.key()?;
        self.secrets.status().await
    }
}

/// The object of a write, in the words of [`HUB`], and the credential that it carries.
fn read(content: &Content) -> Result<(Value, Option<Credential>)> {
    let mut object: Value =
        serde_json::from_slice(&content.value.json).map_err(|_| invalid("the object is not JSON"))?;
    let credential = Credential::detach(&mut object);
    token::convert(&mut object, HUB);
    Ok((object, credential))
}

/// What of the object may change, into the data.
fn describe(data: &mut Data, object: &Value) {
    for (key, field) in [(data::CLUSTER, "clusterName"), (data::DESCRIPTION, "description")] {
        data.set(key, text(object, field));
    }
    // The same time in other words is no change.
    if kept::ttl(data.text(data::TTL)) != kept::ttl(text(object, "ttl")) || !data.has(data::TTL) {
        data.set(data::TTL, text(object, "ttl"));
    }
    data.set(data::ENABLED, if object["spec"]["enabled"] == true { "true" } else { "false" });
    let generation = machinery::meta::ObjectMeta::of(object).generation();
    data.set(data::GENERATION, &generation.to_string());
    let managed = &object["metadata"]["managedFields"];
    data.set(data::MANAGED_FIELDS, &if managed.is_array() { managed.to_string() } else { String::new() });
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object["spec"][field].as_str().unwrap_or_default()
}

fn selects(fields: &FieldSelector, entry: &Entry) -> bool {
    fields.matches(&|field| match field {
        "metadata.name" => Some(entry.key.name.as_str()),
        "metadata.namespace" => Some(entry.key.namespace.as_str()),
        _ => entry.content.fields.get(field).map(String::as_str),
    })
}

/// The first `limit` entries. What comes after is not asked for.
fn cut(chunks: BoxStream<'static, Result<Vec<Entry>>>, limit: Option<u64>) -> BoxStream<'static, Result<Vec<Entry>>> {
    let Some(limit) = limit else { return chunks };
    let left = usize::try_from(limit).unwrap_or(usize::MAX);
    stream::try_unfold((chunks, left), |(mut chunks, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let Some(mut chunk) = chunks.try_next().await? else { return Ok(None) };
        chunk.truncate(left);
        let left = left - chunk.len();
        Ok(Some((chunk, (chunks, left))))
    })
    .boxed()
}

fn invalid(reason: &str) -> Error {
    Error::Invalid { reason: reason.to_owned() }
}
