//! OpenAPI v2 (Swagger): one document of everything.
//!
//! The aggregator reads it as JSON and merges it into the cluster's; kubectl reads it as protobuf before a client-side
//! apply, to see whether PATCH consumes strategic merge patches.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{
    catalog::Group,
    operation::{self, OBJECTS, Operation, Path, Response, UNAUTHORIZED},
    parameter::Parameter,
    published::{self, Dialect},
    shared,
};

/// The document of all groups.
pub(crate) fn document(groups: &[Group<'_>]) -> Value {
    let resources = || groups.iter().flat_map(|group| &group.versions).flat_map(|version| &version.resources);
    let mut pool = Pool::default();
    let paths = resources().flat_map(|resource| operation::paths(resource));
    let paths: Value = paths.map(|path| (path.path.clone(), path_item(&path, &mut pool))).collect::<Map<_, _>>().into();
    let kinds = resources().flat_map(|resource| published::definitions(resource, Dialect::V2));
    let referring = json!([paths, pool.0]);
    let definitions = shared::with_referenced(&referring, kinds.collect(), shared::v2());
    json!({"swagger": "2.0", "info": shared::info(), "paths": paths, "definitions": definitions, "parameters": pool.0})
}

/// Parameters that many operations take, by name: they are most of the document when they are repeated.
#[derive(Default)]
struct Pool(BTreeMap<String, Value>);

fn path_item(path: &Path, pool: &mut Pool) -> Value {
    let mut item: Map<_, _> = path.operations.iter().map(|one| (one.method.to_owned(), operation(one, pool))).collect();
    item.insert("parameters".to_owned(), path.parameters.iter().map(|parameter| pool.parameter(parameter)).collect());
    item.into()
}

fn operation(operation: &Operation, pool: &mut Pool) -> Value {
    let consumes = operation.body.as_ref().map_or(&OBJECTS[..], |body| body.types);
    let mut value = json!({
        "tags": [operation.tag],
        "description": operation.description,
        "operationId": operation.id,
        "schemes": ["https"],
        "consumes": consumes,
        "produces": OBJECTS,
        "responses": responses(operation),
        "x-kubernetes-action": operation.action,
        "x-kubernetes-group-version-kind": operation.kind,
    });
    let body = operation.body.as_ref().map(|body| {
        let mut value = json!({"name": "body", "in": "body", "schema": Dialect::V2.reference(&body.schema)});
        if body.required {
            value["required"] = json!(true);
        }
        value
    });
    let parameters = operation.parameters.iter().map(|parameter| pool.parameter(parameter));
    let parameters: Vec<_> = body.into_iter().chain(parameters).collect();
    if !parameters.is_empty() {
        value["parameters"] = parameters.into();
    }
    value
}

fn responses(operation: &Operation) -> Value {
    let answered = |&(code, description): &Response| {
        let mut value = json!({ "description": description });
        value["schema"] = Dialect::V2.reference(&operation.answer);
        (code.to_owned(), value)
    };
    let (code, description) = UNAUTHORIZED;
    let refused = (code.to_owned(), json!({ "description": description }));
    operation.responses.iter().map(answered).chain([refused]).collect::<Map<_, _>>().into()
}

// === impl Pool ===

impl Pool {
    /// A reference to the parameter; itself, where it differs by kind or where kubectl looks for it without following.
    fn parameter(&mut self, parameter: &Parameter) -> Value {
        let value = parameter.v2();
        if ["name", "fieldValidation", "dryRun"].contains(&parameter.name) {
            return value;
        }
        // The name follows from the content, so that servers that describe a parameter alike share it when merged.
        let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(value.to_string())[..6]);
        let name = format!("{}-{hash}", parameter.name);
        let reference = json!({"$ref": format!("#/parameters/{name}")});
        self.0.insert(name, value);
        reference
    }
}
