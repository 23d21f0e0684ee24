//! What clients rely on.

use std::collections::BTreeSet;

use openapi::{Aggregated, Documents, Resource};
use schema::Definition;
use serde_json::{Value, json};

fn resources() -> Vec<Resource> {
    let fixtures = [include_str!("fixtures/widgets.yaml"), include_str!("fixtures/engines.yaml")];
    let definitions =
        fixtures.iter().flat_map(|text| Definition::parse(text.as_bytes()).expect("fixtures are definitions"));
    definitions.flat_map(|definition| Resource::of(&definition)).collect()
}

fn v3(documents: &Documents) -> Value {
    documents.v3("apis/gold.example.com/v1").expect("is served").value()
}

#[test]
fn the_same_resources_give_the_same_bytes_in_any_order() {
    let (mut reversed, resources) = (resources(), resources());
    reversed.reverse();
    let [one, other] = [resources, reversed].map(|resources| Documents::build(&resources));
    assert_eq!(one.v2().json(), other.v2().json());
    assert_eq!(one.v2().protobuf(), other.v2().protobuf());
    assert_eq!(one.v3_root().json(), other.v3_root().json());
    assert_eq!(one.aggregated(Aggregated::V2).etag(), other.aggregated(Aggregated::V2).etag());
}

#[test]
fn a_changed_schema_changes_the_hashes_of_its_group_version_only() {
    let before = Documents::build(&resources());
    let mut changed = resources();
    let beta = changed.iter_mut().find(|resource| resource.version == "v1beta1").expect("is in the fixtures");
    beta.schema["properties"]["spec"]["properties"]["more"] = json!({"type": "string"});
    let after = Documents::build(&changed);
    let hash = |documents: &Documents, path| documents.v3(path).expect("is served").hash().to_owned();
    assert_eq!(hash(&before, "apis/gold.example.com/v1"), hash(&after, "apis/gold.example.com/v1"));
    assert_ne!(hash(&before, "apis/gold.example.com/v1beta1"), hash(&after, "apis/gold.example.com/v1beta1"));
    assert_ne!(before.v2().hash(), after.v2().hash());
    assert_eq!(before.group_list().hash(), after.group_list().hash());
}

#[test]
fn the_root_leads_to_every_document_by_its_hash() {
    let documents = Documents::build(&resources());
    let root = documents.v3_root().value();
    let paths: Vec<_> = documents.v3_paths().collect();
    assert_eq!(paths, ["apis/gold.example.com/v1", "apis/gold.example.com/v1beta1"]);
    assert_eq!(root["paths"].as_object().map(serde_json::Map::len), Some(2));
    for path in paths {
        let hash = documents.v3(path).expect("is listed").hash();
        assert_eq!(hash.len(), 128);
        assert!(hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F')), "{hash}");
        assert_eq!(root["paths"][path]["serverRelativeURL"], format!("/openapi/v3/{path}?hash={hash}"));
    }
}

#[test]
fn what_is_not_served_is_not_there() {
    let documents = Documents::build(&resources());
    assert!(documents.v3("apis/gold.example.com").is_none());
    assert!(documents.v3("apis/gold.example.com/v2").is_none());
    assert!(documents.group("example.com").is_none());
    assert!(documents.resource_list("gold.example.com", "v2").is_none());
}

#[test]
fn nothing_served_is_still_an_answer() {
    let documents = Documents::build(&[]);
    assert_eq!(documents.group_list().value()["groups"], json!([]));
    assert_eq!(documents.aggregated(Aggregated::V2).value()["items"], json!([]));
    assert_eq!(documents.v3_root().value(), json!({"paths": {}}));
    assert_eq!(documents.v2().value()["paths"], json!({}));
    assert_eq!(documents.v2().protobuf().first(), Some(&0x0A));
}

/// kubectl validates on the server if, and only if, it finds this.
#[test]
fn patch_takes_field_validation_and_names_its_kind() {
    let documents = Documents::build(&resources());
    let paths = &v3(&documents)["paths"];
    let patch = &paths["/apis/gold.example.com/v1/namespaces/{namespace}/widgets/{name}"]["patch"];
    let names: Vec<_> = patch["parameters"].as_array().expect("a list").iter().map(|one| one["name"].clone()).collect();
    assert!(names.contains(&json!("fieldValidation")), "{names:?}");
    let kind = json!({"group": "gold.example.com", "version": "v1", "kind": "Widget"});
    assert_eq!(patch["x-kubernetes-group-version-kind"], kind);
    assert_eq!(
        v3(&documents)["components"]["schemas"]["com.example.gold.v1.Widget"]["x-kubernetes-group-version-kind"],
        json!([kind])
    );
}

/// A client that saw strategic merge patch offered would send it.
#[test]
fn strategic_merge_patch_is_not_offered() {
    let documents = Documents::build(&resources());
    let v2 = documents.v2().value();
    let patch = &v2["paths"]["/apis/gold.example.com/v1/engines/{name}"]["patch"];
    let types = json!(["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"]);
    assert_eq!(patch["consumes"], types);
    assert!(!v2.to_string().contains("strategic-merge-patch"));
    assert!(!v3(&documents).to_string().contains("strategic-merge-patch"));
}

#[test]
fn every_reference_leads_somewhere() {
    let documents = Documents::build(&resources());
    for document in [documents.v2().value(), v3(&documents)] {
        let mut references = BTreeSet::new();
        collect(&document, &mut references);
        assert!(references.len() > 15);
        for reference in references {
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            references.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| collect(value, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

#[test]
fn operations_have_names_of_their_own() {
    let v2 = Documents::build(&resources()).v2().value();
    let items = v2["paths"].as_object().expect("an object").values();
    let operations = items.flat_map(|item| item.as_object().into_iter().flat_map(|item| item.values()));
    let names: Vec<_> = operations.filter_map(|operation| operation["operationId"].as_str()).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    assert!(names.contains(&"deleteGoldExampleComV1CollectionNamespacedWidget"));
    assert!(names.contains(&"listGoldExampleComV1WidgetForAllNamespaces"));
}

#[test]
fn aggregated_discovery_is_the_same_in_both_versions() {
    let documents = Documents::build(&resources());
    let [v2, beta] = Aggregated::ALL.map(|version| documents.aggregated(version).value());
    assert_eq!(v2["items"], beta["items"]);
    assert_eq!(
        (&v2["apiVersion"], &beta["apiVersion"]),
        (&json!("apidiscovery.k8s.io/v2"), &json!("apidiscovery.k8s.io/v2beta1"))
    );
    for version in Aggregated::ALL {
        let suffix = format!(";g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList", version.as_str());
        assert_eq!(version.json_type(), format!("application/json{suffix}"));
        assert_eq!(version.protobuf_type(), format!("application/vnd.kubernetes.protobuf{suffix}"));
    }
}
