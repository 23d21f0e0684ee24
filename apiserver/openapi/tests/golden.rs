//! The documents of the fixtures, as recorded. A recording changes only on purpose: its diff is what clients will see.
//!
//! Shared definitions are recorded as hashes, as they are long and not ours; the rest is kept readable: discovery byte
//! for byte, each operation in a line, the schemas of kinds without long descriptions.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf};

use openapi::{Aggregated, Document, Documents, Resource};
use schema::Definition;
use serde_json::Value;
use sha2::{Digest, Sha256};

const GROUP: &str = "gold.example.com";

#[test]
fn documents_are_as_recorded() {
    for (name, now) in recordings() {
        let recorded = fs::read_to_string(path(&name)).unwrap_or_default();
        assert!(
            recorded == now,
            "{name} has changed. If that is meant: cargo test -p openapi --test golden -- --ignored\n{now}"
        );
    }
}

#[test]
#[ignore = "records the documents as they are now"]
fn record() {
    for (name, now) in recordings() {
        fs::write(path(&name), now).expect("tests/golden is writable");
    }
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn recordings() -> BTreeMap<String, String> {
    let fixtures = [include_str!("fixtures/widgets.yaml"), include_str!("fixtures/engines.yaml")];
    let definitions =
        fixtures.iter().flat_map(|text| Definition::parse(text.as_bytes()).expect("fixtures are definitions"));
    let resources: Vec<_> = definitions.flat_map(|definition| Resource::of(&definition)).collect();
    let documents = Documents::build(&resources);
    let v3 = documents.v3("apis/gold.example.com/v1").expect("the group-version is served");
    BTreeMap::from([
        ("discovery.txt".to_owned(), discovery(&documents)),
        ("v2-operations.txt".to_owned(), operations(&documents.v2().value())),
        ("v2-schemas.json".to_owned(), schemas(&documents.v2().value()["definitions"])),
        ("v3-operations.txt".to_owned(), operations(&v3.value())),
        ("v3-schemas.json".to_owned(), schemas(&v3.value()["components"]["schemas"])),
        ("hashes.txt".to_owned(), hashes(&documents)),
    ])
}

fn discovery(documents: &Documents) -> String {
    let [v1, beta] = ["v1", "v1beta1"].map(|version| documents.resource_list(GROUP, version).expect("is served"));
    let documents = [
        ("/api", documents.core()),
        ("/apis", documents.group_list()),
        ("/apis/gold.example.com", documents.group(GROUP).expect("is served")),
        ("/apis/gold.example.com/v1", v1),
        ("/apis/gold.example.com/v1beta1", beta),
        ("/apis aggregated v2", documents.aggregated(Aggregated::V2)),
        ("/apis aggregated v2beta1", documents.aggregated(Aggregated::V2beta1)),
        ("/api aggregated v2", documents.aggregated_core(Aggregated::V2)),
    ];
    documents.map(|(path, document)| format!("{path}\n{}", String::from_utf8_lossy(document.json()))).concat()
}

/// A line for each operation: method and path, name, action, parameters, media types, answers.
fn operations(document: &Value) -> String {
    let mut text = String::new();
    for (path, item) in document["paths"].as_object().expect("paths are an object") {
        writeln!(text, "{path}\n  takes {}", parameters(&item["parameters"])).expect("a String takes every write");
        for (method, operation) in
            item.as_object().expect("a path is an object").iter().filter(|(key, _)| *key != "parameters")
        {
            let [id, action] =
                ["operationId", "x-kubernetes-action"].map(|key| operation[key].as_str().unwrap_or_default());
            let (takes, body) = (parameters(&operation["parameters"]), body(operation));
            let answers = keys(&operation["responses"]);
            writeln!(text, "  {method} {id} {action} takes {takes} reads {body} answers {answers}")
                .expect("a String takes every write");
        }
    }
    text
}

fn parameters(parameters: &Value) -> String {
    let name = |parameter: &Value| match &parameter["$ref"] {
        Value::String(reference) => {
            format!("→{}", reference.trim_start_matches("#/parameters/").split('-').next().unwrap_or_default())
        }
        _ => parameter["name"].as_str().unwrap_or_default().to_owned(),
    };
    parameters.as_array().into_iter().flatten().map(name).collect::<Vec<_>>().join(",")
}

fn body(operation: &Value) -> String {
    match operation["consumes"].as_array() {
        Some(types) => types.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
        None => keys(&operation["requestBody"]["content"]),
    }
}

fn keys(object: &Value) -> String {
    object.as_object().into_iter().flat_map(|object| object.keys().cloned()).collect::<Vec<_>>().join(",")
}

fn schemas(definitions: &Value) -> String {
    let own =
        definitions.as_object().expect("definitions are an object").iter().filter(|(name, _)| name.starts_with("com."));
    let own: BTreeMap<_, _> = own.map(|(name, schema)| (name, without_long_texts(schema))).collect();
    serde_json::to_string_pretty(&own).expect("values are written") + "\n"
}

fn without_long_texts(schema: &Value) -> Value {
    match schema {
        Value::String(text) if text.len() > 60 && text.contains(' ') => "…".into(),
        Value::Array(items) => items.iter().map(without_long_texts).collect(),
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), without_long_texts(value))).collect(),
        other => other.clone(),
    }
}

/// Of every shared definition, which must stay upstream's, and of the protobuf forms.
fn hashes(documents: &Documents) -> String {
    let v3 = documents.v3("apis/gold.example.com/v1").expect("is served");
    let mut text = String::new();
    let mut line = |name: &str, bytes: &[u8]| {
        let hash = Sha256::digest(bytes)[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        writeln!(text, "{hash} {name}").expect("a String takes every write");
    };
    for (kind, definitions) in
        [("v2", &documents.v2().value()["definitions"]), ("v3", &v3.value()["components"]["schemas"])]
    {
        for (name, definition) in
            definitions.as_object().expect("an object").iter().filter(|(name, _)| name.starts_with("io."))
        {
            line(&format!("{kind} {name}"), definition.to_string().as_bytes());
        }
    }
    let protobuf: [(&str, &Document); 4] = [
        ("v2 protobuf", documents.v2()),
        ("v3 protobuf", v3),
        ("/apis protobuf", documents.group_list()),
        ("/apis aggregated protobuf", documents.aggregated(Aggregated::V2)),
    ];
    protobuf.into_iter().for_each(|(name, document)| line(name, document.protobuf()));
    text
}
