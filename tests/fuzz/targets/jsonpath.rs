//! The path of a printer column, and an object that it is printed of.
#![no_main]

use fuzz::{parts, text, value};
use libfuzzer_sys::fuzz_target;
use machinery::time::Timestamp;
use schema::Definition;
use serde_json::json;

fuzz_target!(|data: &[u8]| {
    let [path, object] = parts(data);
    let columns = ["string", "integer", "number", "boolean", "date"]
        .map(|kind| json!({"name": kind, "type": kind, "jsonPath": text(path)}));
    let document = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "as.b.dev"},
        "spec": {
            "group": "b.dev", "scope": "Namespaced", "names": {"kind": "A", "plural": "as", "singular": "a"},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "additionalPrinterColumns": columns,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
            }],
        },
    });
    let Ok(definitions) = Definition::parse(document.to_string().as_bytes()) else { return };
    let object = value(object).unwrap_or_else(|| json!({"spec": {"items": [{"a": 1, "b": "x"}, {"a": 2}], "size": 5}}));
    for definition in definitions {
        definition.storage().columns.cells(&object, Timestamp::from_unix(1_700_000_000));
    }
});
