//! What a provider says of `spec`: the schemas ClusterSpec and NodePoolSpec of an OpenAPI 3.0 document in a file.
//!
//! The file is followed: a changed one is used as soon as it is read, a broken one changes nothing. Without one, or with one that cannot be
//! used, specs are objects and nothing more; a warning says so.

mod draft;
mod text;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use anyhow::Context as _;
use hyperfleet_records::Kind;
use jsonschema::Validator;
use runtime::{Tasks, files};
use serde_json::Value;

use crate::{
    document::Document,
    error::{Detail, Error, Result},
};

/// What is in force, and where it comes from.
pub(crate) struct Schemas {
    current: RwLock<Arc<Current>>,
}

/// What was read last.
pub(crate) struct Current {
    cluster: Option<Validator>,
    nodepool: Option<Validator>,
    /// Our own document, with the provider's specs in it.
    pub(crate) document: Document,
}

// === impl Schemas ===

impl Schemas {
    /// Reads the file, and follows it as long as `tasks` run.
    pub(crate) fn load(path: &Path, tasks: &Tasks) -> Arc<Self> {
        let paths: Vec<PathBuf> = vec![path.to_owned()];
        let (current, seen) = match fs::read(path) {
            Ok(read) => (usable(path, &read), vec![read]),
            Err(error) => {
                tracing::warn!(
                    "specs are not validated: {} cannot be read ({error}): set OPENAPI_SCHEMA_PATH or --openapi-schema-path",
                    path.display()
                );
                (None, Vec::new())
            }
        };
        let schemas = Arc::new(Self { current: RwLock::new(Arc::new(current.unwrap_or_else(Current::none))) });
        let (followed, file) = (Arc::clone(&schemas), path.to_owned());
        files::follow(tasks, paths, seen, move |contents| {
            if let Some(current) = usable(&file, &contents[0]) {
                *followed.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(current);
            }
        });
        schemas
    }

    /// What is in force now.
    pub(crate) fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

// === impl Current ===

impl Current {
    /// Nothing but our own document.
    fn none() -> Self {
        Self { cluster: None, nodepool: None, document: Document::own() }
    }

    /// What a provider's document says.
    pub(crate) fn read(document: &[u8]) -> anyhow::Result<Self> {
        let document = machinery::yaml::decode(document).context("it is neither YAML nor JSON")?.value;
        Ok(Self {
            cluster: Some(validator(&document, "ClusterSpec")?),
            nodepool: Some(validator(&document, "NodePoolSpec")?),
            document: Document::with(&document),
        })
    }

    /// Refuses a spec with everything that is wrong with it.
    pub(crate) fn validate(&self, kind: Kind, spec: &str) -> Result<()> {
        let name = match kind {
            Kind::Cluster => "ClusterSpec",
            Kind::NodePool => "NodePoolSpec",
        };
        let details = self.violations(kind, spec);
        if details.is_empty() { Ok(()) } else { Err(Error::violations(format!("Invalid {name}"), details)) }
    }

    /// Everything that is wrong with a spec.
    pub(crate) fn violations(&self, kind: Kind, spec: &str) -> Vec<Detail> {
        let validator = match kind {
            Kind::Cluster => &self.cluster,
            Kind::NodePool => &self.nodepool,
        };
        let Some(validator) = validator else { return Vec::new() };
        match serde_json::from_str::<Value>(spec) {
            Ok(spec) => validator.iter_errors(&spec).flat_map(|error| text::details(&error)).collect(),
            Err(error) => vec![Detail { field: "spec".into(), message: error.to_string(), constraint: None }],
        }
    }
}

fn usable(path: &Path, document: &[u8]) -> Option<Current> {
    let read = Current::read(document).with_context(|| format!("using the schemas of {}", path.display()));
    read.inspect(|_| tracing::info!("specs are validated by {}", path.display()))
        .inspect_err(|error| tracing::warn!("keeping to the schemas from before, if any: {error:#}"))
        .ok()
}

fn validator(document: &Value, name: &str) -> anyhow::Result<Validator> {
    let schema = draft::schema(document, name)?;
    let built = jsonschema::draft4::options().should_validate_formats(true).offline().build(&schema);
    // The error holds the schema; its text alone says what is wrong.
    built.map_err(|error| anyhow::anyhow!("components.schemas.{name}: {error}"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    const DOCUMENT: &str = r#"
openapi: 3.0.3
components:
  schemas:
    ClusterSpec:
      type: object
      required: [gcp]
      additionalProperties: false
      properties:
        gcp:
          $ref: '#/components/schemas/Gcp'
        tags:
          type: array
          minItems: 1
          items: {type: string, nullable: true}
        nodes: {type: integer, minimum: 1, maximum: 10}
        share: {type: number, minimum: 0, exclusiveMinimum: true}
        since: {type: string, format: date-time}
        mode: {type: string, nullable: true, enum: [a, b]}
    Gcp:
      type: object
      required: [project, region]
      properties:
        project: {type: string, maxLength: 20, pattern: '^[a-z]+$'}
        region: {type: string, enum: [us-central1, us-east1]}
    NodePoolSpec: {type: object, required: [replicas]}
"#;

    fn violations(kind: Kind, spec: Value) -> Vec<(String, String)> {
        match Current::read(DOCUMENT.as_bytes()).unwrap().validate(kind, &spec.to_string()) {
            Ok(()) => Vec::new(),
            Err(error) => error.details.into_iter().map(|detail| (detail.field, detail.message)).collect(),
        }
    }

    #[test]
    fn every_violation_is_told_in_the_words_of_the_first_version() {
        let cluster = |spec| violations(Kind::Cluster, spec);
        let pair = |field: &str, text: &str| (field.to_owned(), text.to_owned());
        assert_eq!(cluster(json!({"gcp": {"project": "a", "region": "us-east1"}})), []);
        assert_eq!(cluster(json!({})), [pair("spec.gcp", r#"property "gcp" is missing"#)]);
        let mut found = cluster(json!({
            "gcp": {"project": "aaaaaaaaaaaaaaaaaaaaaaaaa"},
            "tags": [],
            "nodes": 0,
            "extra": 1,
            "since": "yesterday",
        }));
        found.sort();
        assert_eq!(
            found,
            [
                pair("spec", r#"property "extra" is unsupported"#),
                pair("spec.gcp.project", "maximum string length is 20"),
                pair("spec.gcp.region", r#"property "region" is missing"#),
                pair("spec.nodes", "number must be at least 1"),
                pair("spec.since", r#"string doesn't match the format "date-time""#),
                pair("spec.tags", "minimum number of items is 1"),
            ]
        );
        let region = cluster(json!({"gcp": {"project": "a", "region": "x"}}));
        assert_eq!(
            region,
            [pair("spec.gcp.region", r#"value is not one of the allowed values ["us-central1","us-east1"]"#)]
        );
        let gcp = json!({"project": "a", "region": "us-east1"});
        assert_eq!(cluster(json!({"gcp": gcp, "nodes": 11})), [pair("spec.nodes", "number must be at most 10")]);
        assert_eq!(cluster(json!({"gcp": gcp, "nodes": "1"})), [pair("spec.nodes", "value must be an integer")]);
        assert_eq!(cluster(json!({"gcp": gcp, "tags": [1]})), [pair("spec.tags.0", "value must be a string")]);
        assert_eq!(cluster(json!({"gcp": gcp, "share": 0})), [pair("spec.share", "number must be more than 0")]);
    }

    #[test]
    fn what_is_nullable_may_be_null_and_nothing_else_may() {
        let gcp = json!({"project": "a", "region": "us-east1"});
        assert_eq!(violations(Kind::Cluster, json!({"gcp": gcp, "mode": null, "tags": [null]})), []);
        assert_eq!(
            violations(Kind::Cluster, json!({"gcp": gcp, "nodes": null})),
            [("spec.nodes".to_owned(), "value must be an integer".to_owned())]
        );
    }

    #[test]
    fn node_pools_have_their_own_schema() {
        assert_eq!(violations(Kind::NodePool, json!({}))[0].0, "spec.replicas");
        assert_eq!(violations(Kind::NodePool, json!({"replicas": 1})), []);
    }

    #[test]
    fn a_document_that_cannot_be_used_is_an_error() {
        for document in ["", "a: [", "openapi: 3.0.0", "components: {schemas: {ClusterSpec: {type: object}}}"] {
            assert!(Current::read(document.as_bytes()).is_err(), "{document}");
        }
        let pattern = "components: {schemas: {ClusterSpec: {properties: {a: {pattern: '['}}}, NodePoolSpec: {}}}";
        assert!(Current::read(pattern.as_bytes()).is_err());
        let remote = "components: {schemas: {ClusterSpec: {$ref: 'http://127.0.0.1:1/x'}, NodePoolSpec: {}}}";
        assert!(Current::read(remote.as_bytes()).is_err(), "nothing is fetched");
    }
}
