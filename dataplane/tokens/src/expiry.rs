//! Deletes what has expired, as anybody would delete it: watchers see it go, and finalizers hold it.
//!
//! Nobody waits for this. A token that has expired is refused because of the time.

use std::time::Duration;

use futures::TryStreamExt;
use machinery::{
    meta::{self, ObjectMeta},
    time::Timestamp,
};
use proto::{
    store::{At, Content, Entry, Error, Expect, ListOptions, Op, Result, Scope, Write},
    token::{CLUSTER_RANCHER_TOKENS, GROUP, RANCHER_TOKENS},
};
use runtime::Shutdown;
use serde_json::{Value, json};

use crate::{
    Tokens,
    data::{self, Data},
    kept::{Kept, State},
    seal::Key,
};

/// After so many seconds nobody is making a token any more.
const PENDING_SECONDS: i64 = 60;

/// Looks every `interval`.
pub(crate) async fn run(tokens: Tokens, interval: Duration, shutdown: Shutdown) {
    let mut draining = std::pin::pin!(shutdown.draining());
    loop {
        tokio::select! {
            () = &mut draining => return,
            () = tokio::time::sleep(interval) => {}
        }
        for resource in [RANCHER_TOKENS, CLUSTER_RANCHER_TOKENS] {
            if let Err(error) = sweep(&tokens, resource).await {
                tracing::debug!("could not look for expired {resource}: {error}");
            }
        }
    }
}

/// Deletes what has expired of one resource, and what was never finished.
pub(crate) async fn sweep(tokens: &Tokens, resource: &str) -> Result<()> {
    let key = tokens.ring().key()?;
    let scope = Scope { group: GROUP.to_owned(), resource: resource.to_owned(), namespace: None };
    let options = ListOptions { at: At::NotOlderThan(0), ..ListOptions::default() };
    let mut chunks = tokens.secrets().list(&scope, options).await?.chunks;
    while let Some(entries) = chunks.try_next().await? {
        for entry in entries {
            let Some(write) = removal(&entry, key, tokens.now()) else { continue };
            match tokens.secrets().write(write).await {
                Ok(_) => tracing::info!(k8s.name = %entry.key.name, "deleted {}, whose time is over", entry.key),
                // Somebody is faster, or knows better.
                Err(Error::Conflict { .. } | Error::NotFound { .. }) => {}
                Err(error) => {
                    tracing::warn!(k8s.name = %entry.key.name, "could not delete {}, whose time is over: {error}", entry.key)
                }
            }
        }
    }
    Ok(())
}

/// What is to be done with a Secret whose time is over.
fn removal(entry: &Entry, key: &Key, now: Timestamp) -> Option<Write> {
    let expect = Expect { revision: Some(entry.revision), uid: Some(entry.content.uid.clone()) };
    let delete = |expect| Some(Write { key: entry.key.clone(), op: Op::Delete(expect) });
    let secret: Value = serde_json::from_slice(&entry.content.value.json).unwrap_or_default();
    let Some(kept) = Kept::open(entry, key) else {
        let begun = Timestamp::parse(Data::of(&secret).text(data::PENDING));
        let old = begun.is_none_or(|begun| now.as_unix() - begun.as_unix() > PENDING_SECONDS);
        return if old { delete(expect) } else { None };
    };
    if kept.state(now) != State::Expired {
        return None;
    }
    let mut marked = json!({ "metadata": kept.metadata });
    let finalizers = ObjectMeta::of(&marked).finalizers();
    if finalizers.is_empty() {
        return delete(expect);
    }
    meta::mark_deleted(&mut marked, now, &finalizers);
    let mut secret = secret;
    secret["metadata"] = marked["metadata"].take();
    let value = proto::store::Value { json: secret.to_string().into(), ..entry.content.value.clone() };
    let content = Content { value, ..entry.content.clone() };
    Some(Write { key: entry.key.clone(), op: Op::Update(content, expect) })
}
