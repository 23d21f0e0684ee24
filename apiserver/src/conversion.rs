//! Conversion of objects between the versions of a kind by the webhook that its definition names.
//!
//! ```text
//!   verbs in v2 ─▶ Converted (v2) ─▶ webhook ─▶ store, which holds v1
//!   verbs in v1 ─▶ Converted (v1) ─────────────▶ the same store
//! ```
//! The store of such a kind is seen through a [`Converted`], one for each version: what comes out of it is of that version,
//! and what goes in is kept in the storage version. A stored value carries its version with it (the tag), so that values of
//! several versions lie beside each other. Where the strategy is None there is nothing of all this: see
//! [`crate::object`].

mod metadata;

use std::{collections::HashMap, sync::Arc};

use admission::hook::{Hook, Services};
use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use machinery::quote;
use proto::store::{
    At, Batch, Content, Entry, Error, Key, List, ListOptions, Op, Result, Scope, Status, Store, WatchOptions, Write,
    Written,
};
use schema::Conversion;
use serde_json::{Value, json};

use crate::{
    kinds::{Kind, Kinds},
    object,
};

/// The kube-apiserver waits so long for a webhook.
const TIMEOUT_SECONDS: u64 = 30;
/// How the reason of every failed conversion begins. It is told to the client as it is.
pub(crate) const FAILED: &str = "conversion webhook for ";

/// Group, resource and version.
pub(crate) type Seen = (String, String, String);

/// The webhook of a definition.
pub(crate) struct Converter {
    hook: Hook,
    review_versions: Vec<String>,
}

/// A store as one version of a kind sees it.
struct Converted {
    inner: Arc<dyn Store>,
    /// The version that is seen.
    kind: Arc<Kind>,
    /// Every version that something may be stored in.
    versions: Arc<HashMap<String, Arc<Kind>>>,
    /// The one that is written.
    storage: Arc<Kind>,
    converter: Arc<Converter>,
}

/// What each version of each kind with a webhook sees of `store`.
pub(crate) fn views(
    kinds: &Kinds,
    store: impl Fn(&Kind) -> Arc<dyn Store>,
    services: &Services,
) -> HashMap<Seen, Arc<dyn Store>> {
    let mut views: HashMap<Seen, Arc<dyn Store>> = HashMap::new();
    for definition in kinds.definitions() {
        let Some(conversion) = &definition.conversion else { continue };
        let converter = Arc::new(Converter::new(conversion, services));
        let versions = (0..definition.versions.len()).map(|index| {
            let version = definition.versions[index].name.clone();
            let served = kinds.get(&definition.group, &version, &definition.names.plural);
            let kind = served.map_or_else(|| Arc::new(Kind::new(Arc::clone(definition), index, None)), Arc::clone);
            (version, kind)
        });
        let versions: Arc<HashMap<String, Arc<Kind>>> = Arc::new(versions.collect());
        let storage = &versions[&definition.storage().name];
        for (version, kind) in versions.iter() {
            kind.converted_by(Arc::clone(&converter));
            let seen = (definition.group.clone(), definition.names.plural.clone(), version.clone());
            let view = Converted {
                inner: store(kind),
                kind: Arc::clone(kind),
                versions: Arc::clone(&versions),
                storage: Arc::clone(storage),
                converter: Arc::clone(&converter),
            };
            views.insert(seen, Arc::new(view));
        }
    }
    views
}

// === impl Converter ===

impl Converter {
    fn new(conversion: &Conversion, services: &Services) -> Self {
        let hook = Hook::new(&conversion.client_config, services);
        Self { hook, review_versions: conversion.review_versions.clone() }
    }

    /// The objects, which are of one kind and none of that version, as `api_version` has them.
    pub(crate) async fn convert(&self, objects: &[Value], api_version: &str) -> Result<Vec<Value>, String> {
        let Some(first) = objects.first() else { return Ok(Vec::new()) };
        let text = |field: &str| first[field].as_str().unwrap_or_default();
        let what = format!("{FAILED}{}, Kind={}", text("apiVersion"), text("kind"));
        let failed = |problem: String| format!("{what} failed: {problem}");
        let known = |version: &&String| matches!(version.as_str(), "v1" | "v1beta1");
        let version = self.review_versions.iter().find(known);
        let version = version.ok_or_else(|| "no supported conversion review versions".to_owned())?;
        let uid = uuid_of_a_review();
        let review = json!({
            "kind": "ConversionReview",
            "apiVersion": format!("apiextensions.k8s.io/{version}"),
            "request": { "uid": uid, "desiredAPIVersion": api_version, "objects": objects },
        });
        let answer = self.hook.call(&review, TIMEOUT_SECONDS).await.map_err(failed)?;
        let converted = converted(version, &uid, &answer).map_err(failed)?;
        if converted.len() != objects.len() {
            return Err(format!("{what} returned {} objects, expected {}", converted.len(), objects.len()));
        }
        let checked = objects.iter().zip(converted).map(|(original, converted)| {
            metadata::restored(original, converted, api_version).map_err(|problem| format!("{what} returned {problem}"))
        });
        checked.collect()
    }
}

/// The objects of an answer.
fn converted(version: &str, uid: &str, answer: &Value) -> Result<Vec<Value>, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (group_version, kind) = (text(&answer["apiVersion"]), text(&answer["kind"]));
    if version == "v1" && (group_version != "apiextensions.k8s.io/v1" || kind != "ConversionReview") {
        let group_version = if group_version.is_empty() { "/" } else { &group_version };
        let expected = "apiextensions.k8s.io/v1, Kind=ConversionReview";
        return Err(format!("expected webhook response of {expected}, got {group_version}, Kind={kind}"));
    }
    let response = &answer["response"];
    if !response.is_object() {
        return Err("no response provided".to_owned());
    }
    if version == "v1" && response["uid"] != uid {
        return Err(format!("expected response.uid={}, got {}", quote(uid), quote(&text(&response["uid"]))));
    }
    let result = &response["result"];
    if result["status"] != "Success" {
        let status = format!("response.result.status was '{}', not 'Success'", text(&result["status"]));
        return Err(Some(text(&result["message"])).filter(|message| !message.is_empty()).unwrap_or(status));
    }
    Ok(response["convertedObjects"].as_array().cloned().unwrap_or_default())
}

fn uuid_of_a_review() -> String {
    uuid::Uuid::new_v4().to_string()
}

// === impl Converted ===

impl Converted {
    /// Puts contents into the version of `to`, in one call.
    async fn turn(&self, contents: Vec<&mut Content>, to: &Kind) -> Result<()> {
        let mut turned = Vec::new();
        let mut objects = Vec::new();
        let wanted = to.version().name.as_str();
        for content in contents {
            let version = content.value.schema.split('/').next().unwrap_or_default();
            if version == wanted {
                continue;
            }
            let Some(kind) = self.versions.get(version) else {
                let group = &to.definition().group;
                return Err(failed(format!("{FAILED}{group}/{version}, Kind={} failed: no such version", to.name())));
            };
            let object = object::plain(kind, content).map_err(|failure| failed(failure.0.message))?;
            objects.push(object);
            turned.push(content);
        }
        let api_version = to.group_version().to_string();
        let converted = self.converter.convert(&objects, &api_version).await.map_err(failed)?;
        for (content, mut object) in turned.into_iter().zip(converted) {
            to.schema().prune(&mut object);
            // The kube-apiserver does this whenever it reads: what it stores has the defaults of its own version.
            if to.version().storage {
                to.schema().default(&mut object);
            }
            *content = object::encode(to, &object);
        }
        Ok(())
    }

    async fn seen(&self, entries: &mut [Entry]) -> Result<()> {
        self.turn(entries.iter_mut().map(|entry| &mut entry.content).collect(), &self.kind).await
    }

    fn of_version(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            kind: Arc::clone(&self.kind),
            versions: Arc::clone(&self.versions),
            storage: Arc::clone(&self.storage),
            converter: Arc::clone(&self.converter),
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Store for Converted {
    async fn get(&self, key: &Key, at: At) -> Result<Option<Entry>> {
        let mut found = self.inner.get(key, at).await?;
        if let Some(entry) = &mut found {
            self.seen(std::slice::from_mut(entry)).await?;
        }
        Ok(found)
    }

    async fn list(&self, scope: &Scope, options: ListOptions) -> Result<List> {
        let List { revision, count, chunks } = self.inner.list(scope, options).await?;
        let view = Arc::new(self.of_version());
        let chunks = chunks.then(move |chunk| {
            let view = Arc::clone(&view);
            async move {
                let mut chunk = chunk?;
                view.seen(&mut chunk).await?;
                Ok(chunk)
            }
        });
        Ok(List { revision, count, chunks: chunks.boxed() })
    }

    async fn watch(&self, scope: &Scope, options: WatchOptions) -> Result<BoxStream<'static, Result<Batch>>> {
        let batches = self.inner.watch(scope, options).await?;
        let view = Arc::new(self.of_version());
        let batches = batches.then(move |batch| {
            let view = Arc::clone(&view);
            async move {
                let mut batch = batch?;
                let contents = batch.events.iter_mut().flat_map(|event| {
                    let previous = event.previous.as_mut().map(|previous| &mut previous.content);
                    [Some(&mut event.entry.content), previous]
                });
                view.turn(contents.flatten().collect(), &view.kind).await?;
                Ok(batch)
            }
        });
        Ok(batches.boxed())
    }

    async fn write(&self, mut write: Write) -> Result<Written> {
        if let Op::Create(content) | Op::Update(content, _) = &mut write.op {
            self.turn(vec![content], &self.storage).await?;
        }
        self.inner.write(write).await
    }

    async fn status(&self) -> Result<Status> {
        self.inner.status().await
    }
}

fn failed(reason: String) -> Error {
    Error::Internal { reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_must_be_one() {
        let review = |response: Value| json!({ "kind": "ConversionReview", "apiVersion": "apiextensions.k8s.io/v1", "response": response });
        let cases = [
            (json!({}), "expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got /, Kind="),
            (review(json!(null)), "no response provided"),
            (review(json!({ "uid": "x" })), "expected response.uid=\"u\", got \"x\""),
            (review(json!({ "uid": "u" })), "response.result.status was '', not 'Success'"),
            (review(json!({ "uid": "u", "result": { "status": "Failure", "message": "no" } })), "no"),
        ];
        for (answer, problem) in cases {
            assert_eq!(converted("v1", "u", &answer), Err(problem.to_owned()));
        }
        let answer = review(json!({ "uid": "u", "result": { "status": "Success" }, "convertedObjects": [{ "a": 1 }] }));
        assert_eq!(converted("v1", "u", &answer), Ok(vec![json!({ "a": 1 })]));
    }
}
