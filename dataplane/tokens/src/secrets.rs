//! Secrets of a cluster as a [`Store`]: each resource is a type of Secret.
//!
//! An object of `GROUP` and `RESOURCE` is the Secret of its namespace and name whose type is `GROUP/RESOURCE`; what has no
//! namespace is in one that was chosen. Lists and watches are the kube-apiserver's, narrowed to the type, so they carry no
//! other Secret. Revisions are etcd's, and what the kube-apiserver says of one that is gone is said here.
//!
//! What differs from the contract of [`Store`]: revisions have gaps, because others write too; uid, creation and deletion
//! times are the kube-apiserver's, whatever a write says; and the revision of a deletion is that of what was deleted. An
//! object with finalizers goes as a Secret does: a write that says it is being deleted has it deleted there, and a deletion
//! of one that is being deleted takes the last finalizers away.

use std::collections::BTreeMap;

use async_stream::try_stream;
use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client,
    api::{DeleteParams, GetParams, ListParams, PostParams, Preconditions, VersionMatch, WatchEvent, WatchParams},
};
use machinery::continue_token::Token;
use proto::store::{
    At, Batch, Change, Content, Entry, Error, Event, Expect, Key as Place, List, ListOptions, Op, Previous, Result,
    Revision, Scope, Status, Store, Value as Stored, WatchOptions, Write, Written,
};
use proto::token::{CLUSTER_RANCHER_TOKENS, GROUP};
use serde_json::Value;

/// Secrets that are asked for at once.
const PAGE: u32 = 500;
/// How long the kube-apiserver is asked to watch; kube-rs takes no more.
const WATCH_SECONDS: u32 = 290;

/// The Secrets of a cluster.
#[derive(Clone)]
pub struct Secrets {
    client: Client,
    home: String,
}

// === impl Secrets ===

impl Secrets {
    /// Those of the cluster of `client`. Objects without a namespace are in `home`.
    pub fn new(client: Client, home: &str) -> Self {
        Self { client, home: home.to_owned() }
    }

    fn api(&self, place: &Place) -> Api<Secret> {
        let namespace = if place.namespace.is_empty() { &self.home } else { &place.namespace };
        Api::namespaced(self.client.clone(), namespace)
    }

    fn api_of(&self, scope: &Scope) -> Api<Secret> {
        match self.namespace(scope) {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }

    fn namespace<'a>(&'a self, scope: &'a Scope) -> Option<&'a str> {
        match scope.resource.as_str() {
            CLUSTER_RANCHER_TOKENS => Some(&self.home),
            _ => scope.namespace.as_deref(),
        }
    }

    async fn find(&self, place: &Place, at: At) -> Result<Option<Secret>> {
        let params = match at {
            At::Latest => GetParams::default(),
            At::NotOlderThan(revision) => GetParams::at(&revision.to_string()),
            At::Exact(_) => return Err(invalid("an object cannot be read as of an exact revision")),
        };
        match self.api(place).get_with(&place.name, &params).await {
            Ok(secret) => Ok(Some(secret).filter(|secret| secret.type_.as_deref() == Some(&kind_of(&place.scope())))),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(failed(error, Some(place), revision_of(at))),
        }
    }

    async fn create(&self, place: &Place, content: &Content) -> Result<Written> {
        let mut secret = secret_of(place, content)?;
        secret.metadata.uid = None;
        secret.metadata.creation_timestamp = None;
        match self.api(place).create(&PostParams::default(), &secret).await {
            Ok(made) => Ok(Written { revision: revision(&made) }),
            Err(kube::Error::Api(status)) if status.code == 409 && status.reason == "AlreadyExists" => {
                Err(Error::AlreadyExists { key: place.clone(), revision: 0 })
            }
            Err(kube::Error::Api(status)) if status.code == 404 => {
                Err(unavailable(&format!("{}: create it, or name another with --token-namespace", status.message)))
            }
            Err(error) => Err(failed(error, Some(place), 0)),
        }
    }

    async fn update(&self, place: &Place, content: &Content, expect: &Expect) -> Result<Written> {
        let mut secret = secret_of(place, content)?;
        // The kube-apiserver's to say: one that is deleted says so itself.
        let deleting = secret.metadata.deletion_timestamp.take().is_some();
        secret.metadata.deletion_grace_period_seconds = None;
        secret.metadata.resource_version = expect.revision.map(|revision| revision.to_string());
        secret.metadata.uid.clone_from(&expect.uid);
        let written = self.api(place).replace(&place.name, &PostParams::default(), &secret).await;
        let written = written.map_err(|error| lost(error, place, expect))?;
        if deleting && written.metadata.deletion_timestamp.is_none() {
            let marked = self.delete_at(place, &written).await?;
            return Ok(Written { revision: marked.as_ref().map_or_else(|| revision(&written), revision) });
        }
        Ok(Written { revision: revision(&written) })
    }

    async fn delete(&self, place: &Place, expect: &Expect) -> Result<Written> {
        let found = self.find(place, At::Latest).await?.ok_or_else(|| Error::NotFound { key: place.clone() })?;
        let uid = found.metadata.uid.clone().unwrap_or_default();
        let as_expected = expect.revision.is_none_or(|wanted| wanted == revision(&found))
            && expect.uid.as_ref().is_none_or(|wanted| *wanted == uid);
        if !as_expected {
            return Err(Error::Conflict {
                key: place.clone(),
                expected: expect.clone(),
                uid,
                revision: revision(&found),
            });
        }
        if found.metadata.deletion_timestamp.is_none() {
            self.delete_at(place, &found).await?;
        } else {
            let mut freed = found.clone();
            freed.metadata.finalizers = None;
            let freed = self.api(place).replace(&place.name, &PostParams::default(), &freed).await;
            freed.map_err(|error| lost(error, place, expect))?;
        }
        Ok(Written { revision: revision(&found) })
    }

    /// Deletes `secret` as it is; what finalizers leave of it comes back.
    async fn delete_at(&self, place: &Place, secret: &Secret) -> Result<Option<Secret>> {
        let metadata = &secret.metadata;
        let preconditions =
            Preconditions { resource_version: metadata.resource_version.clone(), uid: metadata.uid.clone() };
        let params = DeleteParams::default().preconditions(preconditions);
        let expect = Expect { revision: Some(revision(secret)), uid: metadata.uid.clone() };
        let deleted = self.api(place).delete(&place.name, &params).await;
        Ok(deleted.map_err(|error| lost(error, place, &expect))?.left())
    }

    async fn page(&self, scope: &Scope, params: &ListParams, asked: Revision) -> Result<Page> {
        let list = self.api_of(scope).list(params).await.map_err(|error| failed(error, None, asked))?;
        let text = list.metadata.resource_version.unwrap_or_default();
        let revision = text.parse().map_err(|_| internal("a list has no revision"))?;
        let entries = list.items.into_iter().map(|secret| entry(scope, secret)).collect::<Result<_>>()?;
        Ok(Page { revision, entries, next: list.metadata.continue_.filter(|next| !next.is_empty()) })
    }

    /// Everything of `scope` as of exactly `revision`, by place.
    async fn state(&self, scope: &Scope, revision: Revision) -> Result<BTreeMap<Place, Entry>> {
        let mut params = ListParams::default().fields(&selector(scope)).limit(PAGE);
        params = params.at(&revision.to_string()).matching(VersionMatch::Exact);
        let mut state = BTreeMap::new();
        loop {
            let page = self.page(scope, &params, revision).await?;
            state.extend(page.entries.into_iter().map(|entry| (entry.key.clone(), entry)));
            let Some(next) = page.next else { return Ok(state) };
            params = ListParams::default().fields(&selector(scope)).limit(PAGE).continue_token(&next);
        }
    }
}

/// Some Secrets.
struct Page {
    revision: Revision,
    entries: Vec<Entry>,
    next: Option<String>,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Store for Secrets {
    async fn get(&self, key: &Place, at: At) -> Result<Option<Entry>> {
        let found = self.find(key, at).await?;
        found.map(|secret| entry(&key.scope(), secret)).transpose()
    }

    async fn list(&self, scope: &Scope, options: ListOptions) -> Result<List> {
        let mut params = ListParams::default().fields(&selector(scope)).limit(PAGE);
        if !options.labels.is_empty() {
            params = params.labels(&options.labels.to_string());
        }
        let asked = revision_of(options.at);
        let narrow = params.clone();
        params = match (&options.after, options.at) {
            (Some((namespace, name)), at) => {
                let revision = Some(asked).filter(|_| matches!(at, At::Exact(_)));
                let namespace = if self.namespace(scope).is_some() { "" } else { namespace };
                params.continue_token(&Token { revision, namespace: namespace.to_owned(), name: name.clone() }.encode())
            }
            (None, At::Latest) => params,
            (None, At::NotOlderThan(revision)) => params.at(&revision.to_string()).matching(VersionMatch::NotOlderThan),
            (None, At::Exact(revision)) => params.at(&revision.to_string()).matching(VersionMatch::Exact),
        };
        let first = self.page(scope, &params, asked).await?;
        let (revision, secrets, scope) = (first.revision, self.clone(), scope.clone());
        let chunks = try_stream! {
            let mut page = first;
            loop {
                yield page.entries;
                let Some(next) = page.next else { return };
                page = secrets.page(&scope, &narrow.clone().continue_token(&next), revision).await?;
            }
        };
        Ok(List { revision, count: None, chunks: chunks.boxed() })
    }

    /// What an object was before an event, the kube-apiserver does not say: it is remembered here, from a list as of where
    /// the watch begins.
    async fn watch(&self, scope: &Scope, options: WatchOptions) -> Result<BoxStream<'static, Result<Batch>>> {
        let WatchOptions { after } = options;
        if after == 0 {
            return Err(Error::Compacted { requested: 0, oldest: 1 });
        }
        let mut state = self.state(scope, after).await?;
        let (secrets, scope) = (self.clone(), scope.clone());
        let batches = try_stream! {
            let mut upto = after;
            yield Batch { events: Vec::new(), upto };
            let params = WatchParams::default().fields(&selector(&scope)).timeout(WATCH_SECONDS);
            loop {
                let events = secrets.api_of(&scope).watch(&params, &upto.to_string()).await;
                for await event in events.map_err(|error| failed(error, None, upto))? {
                    let (at, event) = read(event.map_err(|error| failed(error, None, upto))?, &scope, upto, &mut state)?;
                    upto = at;
                    yield Batch { events: event.into_iter().collect(), upto };
                }
            }
        };
        Ok(batches.boxed())
    }

    async fn write(&self, write: Write) -> Result<Written> {
        write.check()?;
        let Write { key, op } = write;
        match op {
            Op::Create(content) => self.create(&key, &content).await,
            Op::Update(content, expect) => self.update(&key, &content, &expect).await,
            Op::Delete(expect) => self.delete(&key, &expect).await,
        }
    }

    async fn status(&self) -> Result<Status> {
        let scope = Scope { group: GROUP.to_owned(), resource: CLUSTER_RANCHER_TOKENS.to_owned(), namespace: None };
        let page = self.page(&scope, &ListParams::default().fields(&selector(&scope)).limit(1), 0).await?;
        Ok(Status { revision: page.revision, compacted: 0, bytes: 0 })
    }
}

/// What a watch event says, and how far it goes.
fn read(
    event: WatchEvent<Secret>,
    scope: &Scope,
    upto: Revision,
    state: &mut BTreeMap<Place, Entry>,
) -> Result<(Revision, Option<Event>)> {
    match event {
        WatchEvent::Added(secret) | WatchEvent::Modified(secret) => {
            let entry = entry(scope, secret)?;
            let before = state.insert(entry.key.clone(), entry.clone());
            let change = if before.is_some() { Change::Updated } else { Change::Created };
            let previous = before.map(|before| Previous { revision: before.revision, content: before.content });
            Ok((entry.revision, Some(Event { change, entry, previous })))
        }
        WatchEvent::Deleted(secret) => {
            let entry = entry(scope, secret)?;
            state.remove(&entry.key);
            Ok((entry.revision, Some(Event { change: Change::Deleted, entry, previous: None })))
        }
        WatchEvent::Bookmark(bookmark) => Ok((bookmark.metadata.resource_version.parse().unwrap_or(upto), None)),
        WatchEvent::Error(status) => Err(failed(kube::Error::Api(status), None, upto)),
    }
}

/// The type of the Secrets of a scope.
fn kind_of(scope: &Scope) -> String {
    format!("{}/{}", scope.group, scope.resource)
}

fn selector(scope: &Scope) -> String {
    format!("type={}", kind_of(scope))
}

fn entry(scope: &Scope, secret: Secret) -> Result<Entry> {
    let at = secret.metadata.resource_version.as_deref().and_then(|text| text.parse().ok());
    let metadata = &secret.metadata;
    let (uid, name) = (metadata.uid.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default());
    let namespace = metadata.namespace.clone().filter(|_| scope.resource != CLUSTER_RANCHER_TOKENS).unwrap_or_default();
    let labels = metadata.labels.clone().unwrap_or_default();
    let mut value = serde_json::to_value(secret).map_err(|_| internal("a Secret is not JSON"))?;
    if let Some(metadata) = value["metadata"].as_object_mut() {
        metadata.retain(|field, _| field != "managedFields" && field != "resourceVersion");
    }
    Ok(Entry {
        key: Place { group: scope.group.clone(), resource: scope.resource.clone(), namespace, name },
        revision: at.ok_or_else(|| internal("a Secret has no revision"))?,
        content: Content {
            uid,
            labels,
            fields: BTreeMap::new(),
            value: Stored { json: value.to_string().into(), splice: 0, schema: "Secret".to_owned() },
        },
    })
}

fn secret_of(place: &Place, content: &Content) -> Result<Secret> {
    let value: Value = serde_json::from_slice(&content.value.json).map_err(|_| invalid("the object is not JSON"))?;
    let mut secret: Secret = serde_json::from_value(value).map_err(|_| invalid("the object is no Secret"))?;
    secret.metadata.name = Some(place.name.clone());
    secret.metadata.namespace = None;
    secret.type_ = Some(kind_of(&place.scope()));
    Ok(secret)
}

fn revision(secret: &Secret) -> Revision {
    secret.metadata.resource_version.as_deref().and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn revision_of(at: At) -> Revision {
    match at {
        At::Latest => 0,
        At::NotOlderThan(revision) | At::Exact(revision) => revision,
    }
}

/// Why a write that expected something was refused.
fn lost(error: kube::Error, place: &Place, expect: &Expect) -> Error {
    match &error {
        kube::Error::Api(status) if status.code == 409 => {
            let (key, expected) = (place.clone(), expect.clone());
            Error::Conflict { key, expected, uid: expect.uid.clone().unwrap_or_default(), revision: 0 }
        }
        _ => failed(error, Some(place), 0),
    }
}

/// What the kube-apiserver's refusal is to a caller of a store.
fn failed(error: kube::Error, place: Option<&Place>, requested: Revision) -> Error {
    let kube::Error::Api(status) = error else {
        return unavailable(&format!("the cluster cannot be asked for Secrets: {}", runtime::telemetry::chain(&error)));
    };
    let message = &status.message;
    match (status.code, place) {
        (404, Some(place)) => Error::NotFound { key: place.clone() },
        (410, _) => Error::Compacted { requested, oldest: requested.saturating_add(1) },
        (504, _) if message.contains("Too large resource version") => Error::Future { requested, current: 0 },
        (400 | 413 | 422, _) => invalid(message),
        (401 | 403, _) => unavailable(&format!("the cluster lets nobody of our name at Secrets: {message}")),
        _ => unavailable(&format!("the cluster has trouble with Secrets: {message}")),
    }
}

fn invalid(reason: &str) -> Error {
    Error::Invalid { reason: reason.to_owned() }
}

fn unavailable(reason: &str) -> Error {
    Error::Unavailable { reason: reason.to_owned() }
}

fn internal(reason: &str) -> Error {
    Error::Internal { reason: reason.to_owned() }
}
