//! OpenAPI v3: one document per group-version.
//!
//! kubectl looks here for the fields of a kind (`explain`) and for whether the server validates fields: the PATCH
//! operation of the kind must list the query parameter `fieldValidation`, or kubectl downloads all of v2 and validates
//! by itself.

use serde_json::{Map, Value, json};

use crate::{
    catalog::Version,
    operation::{self, Body, OBJECTS, Operation, Path, Response, UNAUTHORIZED},
    parameter::Parameter,
    published::{self, Dialect},
    shared,
};

/// The document of a group-version.
pub(crate) fn document(version: &Version<'_>) -> Value {
    let paths = version.resources.iter().flat_map(|resource| operation::paths(resource));
    let paths: Value = paths.map(|path| (path.path.clone(), path_item(&path))).collect::<Map<_, _>>().into();
    let kinds = version.resources.iter().flat_map(|resource| published::definitions(resource, Dialect::V3));
    let schemas = shared::with_referenced(&paths, kinds.collect(), shared::v3());
    json!({"openapi": "3.0.0", "info": shared::info(), "paths": paths, "components": {"schemas": schemas}})
}

fn path_item(path: &Path) -> Value {
    let operations = path.operations.iter().map(|one| (one.method.to_owned(), operation(one)));
    operations.chain([("parameters".to_owned(), parameters(&path.parameters))]).collect::<Map<_, _>>().into()
}

fn operation(operation: &Operation) -> Value {
    let mut value = json!({
        "tags": [operation.tag],
        "description": operation.description,
        "operationId": operation.id,
        "responses": responses(operation),
        "x-kubernetes-action": operation.action,
        "x-kubernetes-group-version-kind": operation.kind,
    });
    if !operation.parameters.is_empty() {
        value["parameters"] = parameters(&operation.parameters);
    }
    if let Some(body) = &operation.body {
        value["requestBody"] = request_body(body);
    }
    value
}

fn parameters(parameters: &[Parameter]) -> Value {
    parameters.iter().map(Parameter::v3).collect()
}

fn request_body(body: &Body) -> Value {
    let mut value = json!({"content": contents(body.types, &body.schema)});
    if body.required {
        value["required"] = json!(true);
    }
    value
}

fn responses(operation: &Operation) -> Value {
    let answered = |&(code, description): &Response| {
        let mut value = json!({ "description": description });
        value["content"] = contents(&OBJECTS, &operation.answer);
        (code.to_owned(), value)
    };
    let (code, description) = UNAUTHORIZED;
    let refused = (code.to_owned(), json!({ "description": description }));
    operation.responses.iter().map(answered).chain([refused]).collect::<Map<_, _>>().into()
}

fn contents(types: &[&str], schema: &str) -> Value {
    let content = |media: &&str| ((*media).to_owned(), json!({"schema": Dialect::V3.reference(schema)}));
    types.iter().map(content).collect::<Map<_, _>>().into()
}
