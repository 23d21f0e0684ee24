//! Admission of one write: from the request to what the stages are asked about, and from what they say to the answer.

use std::sync::Arc;

use admission::{Attributes, GroupVersionKind, GroupVersionResource, Handling, Interfaces, Notes, Operation};
use async_trait::async_trait;
use auth::User;
use machinery::{
    managed_fields::FieldSet,
    meta::{self, ObjectMeta, Received},
    options::DeleteOptions,
};
use serde_json::{Map, Value, json};

use crate::{
    context::Context,
    error::{Failure, Result},
    kinds::Kind,
};

/// The options that may stand in a query.
const IN_QUERY: [&str; 4] = ["fieldManager", "fieldValidation", "propagationPolicy", "gracePeriodSeconds"];
/// The options of a deletion that may stand in its body.
const IN_BODY: [&str; 4] = ["gracePeriodSeconds", "orphanDependents", "preconditions", "propagationPolicy"];

/// Who asks for a write, and whether it is one.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(super) user: &'a User,
    pub(super) dry_run: bool,
}

/// The stages that have something to say of a write.
pub(super) struct Admission<'a> {
    context: &'a Context,
    handling: Handling,
    attributes: Attributes,
    notes: Notes,
}

// === impl Admission ===

impl<'a> Admission<'a> {
    /// Admission of a creation; `None` when nobody has anything to say of it. The name is empty while it is not known.
    pub(super) fn create(context: &'a Context, asked: Asked<'_>, name: &str) -> Option<Self> {
        Self::of(context, asked, Operation::Create, name, |query| options("CreateOptions", query))
    }

    /// Admission of an update, or of a patch.
    pub(super) fn update(context: &'a Context, asked: Asked<'_>) -> Option<Self> {
        let name = context.path.name.as_deref().unwrap_or_default();
        Self::of(context, asked, Operation::Update, name, |query| options("UpdateOptions", query))
    }

    /// Admission of a deletion. Those of a collection have no name, as in the kube-apiserver.
    pub(super) fn delete(
        context: &'a Context,
        user: &User,
        given: &DeleteOptions,
        body: Option<&Value>,
    ) -> Option<Self> {
        let name = context.path.name.as_deref().unwrap_or_default();
        let asked = Asked { user, dry_run: given.dry_run };
        Self::of(context, asked, Operation::Delete, name, |query| delete_options(query, body, given.dry_run))
    }

    fn of(
        context: &'a Context,
        Asked { user, dry_run }: Asked<'_>,
        operation: Operation,
        name: &str,
        options: impl FnOnce(&[(String, String)]) -> Value,
    ) -> Option<Self> {
        let chain = context.api.admission();
        if chain.is_empty() {
            return None;
        }
        let (path, kind) = (&context.path, &context.kind);
        let (group, version) = (path.group.clone(), path.version.clone());
        let interfaces: Arc<dyn admission::Kind> = Arc::clone(kind) as _;
        let mut attributes = Attributes {
            operation,
            resource: GroupVersionResource {
                group: group.clone(),
                version: version.clone(),
                resource: path.resource.clone(),
            },
            kind: match context.scale() {
                Some(_) => scale_kind(),
                None => GroupVersionKind { group, version, kind: kind.name().to_owned() },
            },
            subresource: path.subresource.clone().unwrap_or_default(),
            namespace: path.namespace.clone().unwrap_or_default(),
            name: name.to_owned(),
            object: None,
            old_object: None,
            options: Value::Null,
            dry_run,
            user: user.clone(),
            interfaces: if context.scale().is_some() { Default::default() } else { Interfaces::of(interfaces) },
        };
        let handling = chain.handling(&attributes)?;
        attributes.options = options(&context.query);
        Some(Self { context, handling, attributes, notes: Notes::default() })
    }

    /// What the stages make of an object that is to be written over `old`.
    pub(super) async fn mutate(&mut self, object: Value, old: Option<&Arc<Value>>) -> Result<Value> {
        let managed = object["metadata"]["managedFields"].clone();
        self.attributes.object = Some(object);
        self.attributes.old_object = old.map(Arc::clone);
        let mutated = self.handling.mutate(&mut self.attributes, &mut self.notes).await;
        self.tell();
        mutated.map_err(Failure)?;
        let mut object = self.attributes.object.take().unwrap_or_default();
        let warnings = &self.context.warnings;
        warnings.add(keep_managed_fields(&mut object, managed));
        warnings.add(meta::dedup_owner_references(&mut object, Received::Patched));
        Ok(object)
    }

    /// Asks the stages whether `object` may be written over `old`, and returns it.
    pub(super) async fn validate(&mut self, object: Value, old: Option<&Arc<Value>>) -> Result<Value> {
        let generated = self.attributes.name.is_empty();
        if generated {
            ObjectMeta::of(&object).name().clone_into(&mut self.attributes.name);
        }
        self.attributes.object = Some(object);
        self.attributes.old_object = old.map(Arc::clone);
        let valid = self.handling.validate(&self.attributes, &mut self.notes).await;
        self.tell();
        if generated {
            self.attributes.name.clear();
        }
        valid.map_err(Failure)?;
        let mut object = self.attributes.object.take().unwrap_or_default();
        // What a stage put there that no schema knows was seen by all stages, and is not kept.
        if self.context.scale().is_none() {
            self.context.kind.schema().prune(&mut object);
        }
        Ok(object)
    }

    /// Asks the stages whether `old` may go.
    pub(super) async fn remove(&mut self, old: &Arc<Value>) -> Result<()> {
        self.attributes.old_object = Some(Arc::clone(old));
        let mut allowed = self.handling.mutate(&mut self.attributes, &mut self.notes).await;
        if allowed.is_ok() {
            allowed = self.handling.validate(&self.attributes, &mut self.notes).await;
        }
        self.tell();
        allowed.map_err(Failure)
    }

    /// Passes on what the stages said.
    fn tell(&mut self) {
        self.context.warnings.add(self.notes.warnings.drain(..));
        self.context.annotations.add(self.notes.audit.drain(..));
    }
}

#[async_trait]
impl admission::Kind for Kind {
    fn default(&self, object: &mut Value) {
        if let Some(version) = self.definition().versions.iter().find(|version| said(object) == version.name) {
            version.schema.default(object);
        }
    }

    fn versions(&self) -> Vec<String> {
        let served = self.definition().versions.iter().filter(|version| version.served);
        served.map(|version| version.name.clone()).collect()
    }

    fn schema(&self, version: &str) -> Option<&schema::Schema> {
        self.definition().versions.iter().find(|known| known.name == version).map(|known| &*known.schema)
    }

    async fn convert(&self, object: &Value, version: &str) -> Result<Value, String> {
        let api_version = format!("{}/{version}", self.definition().group);
        if let Some(converter) = self.converter() {
            let converted = converter.convert(std::slice::from_ref(object), &api_version).await?;
            return Ok(converted.into_iter().next().unwrap_or_default());
        }
        let mut converted = object.clone();
        if let Some(actor) = self.actor() {
            actor.convert(&mut converted, version);
        }
        converted["apiVersion"] = Value::String(api_version);
        admission::Kind::default(self, &mut converted);
        Ok(converted)
    }
}

/// What a scale is, whatever it is of.
fn scale_kind() -> GroupVersionKind {
    GroupVersionKind { group: "autoscaling".to_owned(), version: "v1".to_owned(), kind: "Scale".to_owned() }
}

/// The version that an object says it is of.
fn said(object: &Value) -> &str {
    object["apiVersion"].as_str().and_then(|version| version.split_once('/')).map_or("", |(_, version)| version)
}

/// Managed fields that a stage made unreadable are as they were before it, with a word to the client.
fn keep_managed_fields(object: &mut Value, before: Value) -> Option<String> {
    if object["metadata"]["managedFields"] == before {
        return None;
    }
    let entries = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let problem = entries.iter().find_map(|entry| FieldSet::parse(&entry["fieldsV1"]).err())?;
    object["metadata"]["managedFields"] = before;
    Some(format!(
        ".metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating \
         admission controller; please fix your requests: {problem}"
    ))
}

/// The options of a write as stages see them.
fn options(kind: &str, query: &[(String, String)]) -> Value {
    let mut options = Map::new();
    for (key, value) in query.iter().rev().filter(|(key, value)| IN_QUERY.contains(&key.as_str()) && !value.is_empty())
    {
        options.insert(key.clone(), Value::from(value.as_str()));
    }
    let dry_run: Vec<&str> = query.iter().filter(|(key, _)| key == "dryRun").map(|(_, value)| value.as_str()).collect();
    if !dry_run.is_empty() {
        options.insert("dryRun".to_owned(), json!(dry_run));
    }
    of_kind(kind, options)
}

/// The options of a deletion as stages see them: those of its body, else those of its query.
fn delete_options(query: &[(String, String)], body: Option<&Value>, dry_run: bool) -> Value {
    let mut options = Map::new();
    match body.and_then(Value::as_object) {
        Some(body) => options.extend(
            body.iter()
                .filter(|(key, value)| IN_BODY.contains(&key.as_str()) && !value.is_null())
                .map(|(key, value)| (key.clone(), value.clone())),
        ),
        None => {
            let given = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
            let number = given("gracePeriodSeconds").and_then(|seconds| seconds.parse::<i64>().ok());
            let fields = [
                ("gracePeriodSeconds", number.map(Value::from)),
                ("orphanDependents", given("orphanDependents").map(|orphan| Value::from(orphan == "true"))),
                ("propagationPolicy", given("propagationPolicy").map(Value::from)),
            ];
            options.extend(fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
        }
    }
    if dry_run {
        options.insert("dryRun".to_owned(), json!(["All"]));
    }
    of_kind("DeleteOptions", options)
}

fn of_kind(kind: &str, mut options: Map<String, Value>) -> Value {
    options.insert("kind".to_owned(), Value::from(kind));
    options.insert("apiVersion".to_owned(), Value::from("meta.k8s.io/v1"));
    Value::Object(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn stages_see_the_options_that_were_given() {
        let given = query(&[("fieldManager", "m"), ("dryRun", "All"), ("pretty", "true"), ("fieldValidation", "")]);
        let seen = json!({
            "kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "m", "dryRun": ["All"],
        });
        assert_eq!(options("CreateOptions", &given), seen);
        let body = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "preconditions": { "uid": "u" }, "odd": 1 });
        let seen = json!({ "kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1", "preconditions": { "uid": "u" } });
        assert_eq!(delete_options(&given, Some(&body), false), seen);
        let given = query(&[("gracePeriodSeconds", "5"), ("orphanDependents", "true")]);
        let seen = json!({
            "kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1", "gracePeriodSeconds": 5, "orphanDependents": true,
            "dryRun": ["All"],
        });
        assert_eq!(delete_options(&given, None, true), seen);
    }

    #[test]
    fn managed_fields_that_cannot_be_read_are_put_back() {
        let good = json!([{ "manager": "m", "fieldsV1": { "f:spec": {} } }]);
        let mut object = json!({ "metadata": { "managedFields": [{ "manager": "m", "fieldsV1": { "odd": {} } }] } });
        let warning = keep_managed_fields(&mut object, good.clone()).unwrap_or_default();
        assert!(warning.starts_with(".metadata.managedFields was in an invalid state after admission"), "{warning}");
        assert_eq!(object["metadata"]["managedFields"], good);
        let mut emptied = json!({ "metadata": {} });
        assert_eq!(keep_managed_fields(&mut emptied, good), None);
    }
}
