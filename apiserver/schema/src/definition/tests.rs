//! Definitions: what is taken, and what is refused with which words.

use serde_json::{Value, json};

use super::*;

const WIDGETS: &str = include_str!("../../../../tests/examples/crds/widgets.yaml");
const GADGETS: &str = include_str!("../../../../tests/examples/crds/gadgets.yaml");

/// A definition with one field changed.
fn changed(pointer: &str, value: Value) -> Value {
    let schema = json!({"openAPIV3Schema": {"type": "object", "properties": {
        "spec": {"type": "object", "properties": {"color": {"type": "string"}, "n": {"type": "number"}}},
    }}});
    let mut document = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.gold.example.com"},
        "spec": {
            "group": "gold.example.com",
            "names": {"kind": "Widget", "plural": "widgets"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
        },
    });
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[key] = value;
    document
}

fn error(document: &Value) -> String {
    Definition::parse(document.to_string().as_bytes()).unwrap_err().to_string()
}

fn one(document: &Value) -> Definition {
    Definition::parse(document.to_string().as_bytes()).unwrap().remove(0)
}

#[test]
fn a_definition_says_what_its_document_says() {
    let widgets = Definition::parse(WIDGETS.as_bytes()).unwrap().remove(0);
    assert_eq!((widgets.group.as_str(), widgets.namespaced()), ("gold.example.com", true));
    assert_eq!((widgets.names.plural.as_str(), widgets.names.list_kind.as_str()), ("widgets", "WidgetList"));
    assert_eq!(
        (widgets.names.short_names.as_slice(), widgets.names.categories.as_slice()),
        (&["wd".to_owned()][..], &["all".to_owned(), "gold".to_owned()][..])
    );
    assert_eq!(widgets.storage_version_hash(), "Bz7KzYyN7po=");
    let version = widgets.storage();
    assert!(version.served && version.status && version.scale.is_none() && !version.deprecated);
    assert_eq!(version.columns.definitions().as_array().map(Vec::len), Some(4));

    let gadgets = Definition::parse(GADGETS.as_bytes()).unwrap().remove(0);
    assert_eq!((gadgets.scope, gadgets.names.singular.as_str()), (Scope::Cluster, "gadget"));
    assert_eq!((gadgets.names.list_kind.as_str(), gadgets.storage().status), ("GadgetList", false));
}

#[test]
fn one_text_may_hold_several_documents_and_lists() {
    let both = format!("# first\n---\n{WIDGETS}\n--- # second\n{GADGETS}---\n# nothing\n");
    let kinds = |text: &str| -> Vec<String> {
        Definition::parse(text.as_bytes()).unwrap().into_iter().map(|definition| definition.names.kind).collect()
    };
    assert_eq!(kinds(&both), ["Widget", "Gadget"]);
    let document = changed("/metadata/labels", json!({}));
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [document]});
    assert_eq!(kinds(&list.to_string()), ["Widget"]);
    let mut bare = document;
    bare.as_object_mut().unwrap().retain(|key, _| !matches!(key.as_str(), "apiVersion" | "kind"));
    let list =
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinitionList", "items": [bare]});
    assert_eq!(kinds(&list.to_string()), ["Widget"]);
}

#[test]
fn errors_say_which_document_and_what_to_do() {
    let parse = |text: &str| Definition::parse(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(
        parse(" \n# nothing\n"),
        "there is no document: expected a CustomResourceDefinition of apiextensions.k8s.io/v1"
    );
    assert!(parse(&format!("{GADGETS}---\na: [")).starts_with("document 2 is neither YAML nor JSON: "));
    assert!(parse("{\"a\": ").starts_with("document 1 is neither YAML nor JSON: "));
    assert_eq!(parse("{\"a\": 1, \"a\": 2}"), "document 1 is neither YAML nor JSON: \"a\" is given twice");
    let other = "document 1 is v1 Namespace, not a CustomResourceDefinition of apiextensions.k8s.io/v1: convert it or take it \
                 out of the file";
    assert_eq!(parse("apiVersion: v1\nkind: Namespace\n"), other);
    assert!(parse("just text").contains("document 1 is without apiVersion and kind"));
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "apiextensions.k8s.io/v1beta1", "kind": "CustomResourceDefinition"}]});
    assert!(
        parse(&list.to_string())
            .starts_with("item 1 of document 1 is apiextensions.k8s.io/v1beta1 CustomResourceDefinition")
    );
    assert_eq!(
        error(&changed("/spec/scope", json!("Galaxy"))),
        "document 1, CustomResourceDefinition \"widgets.gold.example.com\", cannot be served: spec.scope: Unsupported value: \
         \"Galaxy\": supported values: \"Cluster\", \"Namespaced\""
    );
}

#[test]
fn what_would_make_the_server_lie_is_refused() {
    let version = |extra: Value| {
        let mut version = changed("/spec/scope", json!("Cluster"))["spec"]["versions"][0].take();
        version.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        version
    };
    let versions = |extra: Value| changed("/spec/versions", json!([version(extra)]));
    let two = |extra: Value| changed("/spec/versions", json!([version(json!({})), version(extra)]));
    for (document, expected) in [
        (
            changed("/metadata/name", json!("other")),
            "metadata.name: Invalid value: \"other\": must be spec.names.plural+\".\"+spec.group, \"widgets.gold.example.com\"",
        ),
        (
            changed("/spec/group", json!("gold")),
            "spec.group: Invalid value: \"gold\": should be a domain with at least one dot",
        ),
        (changed("/spec/group", json!("")), "spec.group: Required value"),
        (changed("/spec/scope", json!(null)), "spec.scope: Required value: must be Cluster or Namespaced"),
        (
            changed("/spec/preserveUnknownFields", json!(true)),
            "spec.preserveUnknownFields: Invalid value: true: must be false",
        ),
        (
            changed("/spec/names/plural", json!("Widgets")),
            "spec.names.plural: Invalid value: \"Widgets\": a DNS-1035 label",
        ),
        (changed("/spec/names/kind", json!("")), "spec.names.kind: Required value"),
        (
            changed("/spec/names/listKind", json!("Widget")),
            "spec.names.listKind: Invalid value: \"Widget\": kind and listKind may not be the same",
        ),
        (changed("/spec/names/shortNames", json!(["W"])), "spec.names.shortNames[0]: Invalid value: \"W\""),
        (
            changed("/spec/versions", json!([])),
            "spec.versions: Invalid value: []: must have exactly one version marked as storage version",
        ),
        (
            two(json!({"name": "v2"})),
            "spec.versions: Invalid value: [\"v1\",\"v2\"]: must have exactly one version marked as storage version",
        ),
        (two(json!({"storage": false})), "spec.versions[1].name: Duplicate value: \"v1\""),
        (
            versions(json!({"served": false})),
            "spec.versions: Invalid value: [\"v1\"]: must have a version that is served",
        ),
        (versions(json!({"name": "1"})), "spec.versions[0].name: Invalid value: \"1\": a DNS-1035 label"),
        (
            versions(json!({"schema": null})),
            "spec.versions[0].schema.openAPIV3Schema: Required value: because otherwise all fields are pruned",
        ),
        (
            versions(json!({"schema": {"openAPIV3Schema": {}}})),
            "spec.versions[0].schema.openAPIV3Schema.type: Required value: must not be empty at the root",
        ),
        (
            versions(
                json!({"schema": {"openAPIV3Schema": {"type": "object", "anyOf": [{"minProperties": 1}]}}, "subresources": {"status": {}}}),
            ),
            "spec.versions[0].schema.openAPIV3Schema.anyOf: Forbidden: must not be set at the root of the schema if the status subresource is enabled",
        ),
        (
            versions(json!({"additionalPrinterColumns": [{"name": "A", "type": "string"}]})),
            "spec.versions[0].additionalPrinterColumns[0].jsonPath: Required value",
        ),
        (
            versions(json!({"deprecationWarning": "soon"})),
            "spec.versions[0].deprecationWarning: Invalid value: \"soon\": can only be set for deprecated versions",
        ),
        (
            versions(json!({"selectableFields": [{"jsonPath": ".spec.nope"}]})),
            "spec.versions[0].selectableFields[0].jsonPath: Invalid value: \".spec.nope\": must point to a field of the schema",
        ),
        (
            versions(json!({"selectableFields": [{"jsonPath": ".spec.n"}]})),
            "must point to a field of type string, boolean or integer",
        ),
        (
            versions(json!({"selectableFields": [{"jsonPath": ".metadata.name"}]})),
            "must not point to fields in metadata",
        ),
        (
            versions(json!({"selectableFields": [{"jsonPath": ".spec.color"}, {"jsonPath": ".spec.color"}]})),
            "selectableFields[1].jsonPath: Duplicate value: \".spec.color\"",
        ),
        (
            versions(
                json!({"subresources": {"scale": {"specReplicasPath": ".status.n", "statusReplicasPath": ".status.n"}}}),
            ),
            "spec.versions[0].subresources.scale.specReplicasPath: Invalid value: \".status.n\": should be a json path under .spec",
        ),
        (
            versions(json!({"subresources": {"scale": {"specReplicasPath": ".spec.n"}}})),
            "spec.versions[0].subresources.scale.statusReplicasPath: Required value",
        ),
        (versions(json!({"served": "yes"})), "spec.versions[0].served: Invalid value: \"yes\": must be true or false"),
    ] {
        let text = error(&document);
        assert!(text.contains(expected), "{expected}\n not in: {text}");
    }
}

#[test]
fn a_webhook_is_needed_only_between_versions() {
    let webhook = json!({"clientConfig": {"url": "https://hook/convert"}, "conversionReviewVersions": ["v1"]});
    let mut document = changed("/spec/conversion", json!({"strategy": "Webhook", "webhook": webhook}));
    assert_eq!(one(&document).conversion, None);
    let mut second = document["spec"]["versions"][0].clone();
    second["name"] = json!("v2");
    second["storage"] = json!(false);
    document["spec"]["versions"].as_array_mut().unwrap().push(second);
    let conversion = one(&document).conversion.unwrap();
    assert_eq!(conversion.client_config["url"], "https://hook/convert");
    assert_eq!(conversion.review_versions, ["v1"]);
    document["spec"]["conversion"]["webhook"] = json!({"conversionReviewVersions": ["v9"]});
    let problems = error(&document);
    for problem in [
        "spec.conversion.webhook.clientConfig: Required value: exactly one of url",
        "spec.conversion.webhook.conversionReviewVersions: Invalid value: [\"v9\"]: must include at least one of v1, v1beta1",
    ] {
        assert!(problems.contains(problem), "{problem}\n not in: {problems}");
    }
    document["spec"]["conversion"]["strategy"] = json!("Magic");
    assert!(error(&document).contains("spec.conversion.strategy: Unsupported value: \"Magic\""));
}

#[test]
fn versions_come_in_the_order_of_preference_and_know_of_each_other() {
    let base = changed("/spec/scope", json!("Namespaced"));
    let named = |name: &str| {
        let mut version = base["spec"]["versions"][0].clone();
        version["name"] = json!(name);
        version["storage"] = json!(name == "v1");
        version["deprecated"] = json!(name == "v1alpha1");
        version
    };
    let mut document = base.clone();
    document["spec"]["versions"] = json!([named("v1alpha1"), named("v1"), named("v2beta1"), named("v2")]);
    let definition = one(&document);
    let names: Vec<_> = definition.versions.iter().map(|version| version.name.as_str()).collect();
    assert_eq!(names, ["v2", "v1", "v2beta1", "v1alpha1"]);
    assert_eq!(definition.storage().name, "v1");
    assert_eq!(
        definition.versions[3].deprecation_warning.as_deref(),
        Some("gold.example.com/v1alpha1 Widget is deprecated")
    );
    let types: &dyn machinery::managed_fields::FieldTypes = definition.versions[0].schema.as_ref();
    assert!(types.has_version("gold.example.com/v2beta1") && !types.has_version("gold.example.com/v3"));
}

#[test]
fn subresources_and_selectable_fields_are_read() {
    let mut document = changed("/spec/scope", json!("Namespaced"));
    let version = &mut document["spec"]["versions"][0];
    version["subresources"] = json!({"status": {}, "scale": {
        "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": ".status.selector",
    }});
    version["selectableFields"] = json!([{"jsonPath": ".spec.color"}]);
    let definition = one(&document);
    let version = definition.storage();
    let scale = Scale {
        spec_replicas: "spec.replicas".to_owned(),
        status_replicas: "status.replicas".to_owned(),
        label_selector: Some("status.selector".to_owned()),
    };
    assert_eq!((version.status, version.scale.as_ref()), (true, Some(&scale)));
    assert_eq!(version.selectable_fields, ["spec.color"]);
}
