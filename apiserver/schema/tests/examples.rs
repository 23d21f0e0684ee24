//! The definitions that come with the server and with the tests, on real objects.
#![expect(clippy::unwrap_used, reason = "tests")]

use machinery::{
    managed_fields::{FieldTypes, ListType, MapType},
    time::Timestamp,
    yaml,
};
use schema::{Definition, Schema};
use serde_json::{Value, json};

const BUNDLE_DEPLOYMENT: &str = include_str!("../../src/kinds/bundle_deployment.yaml");
const WIDGETS: &str = include_str!("../../../tests/examples/crds/widgets.yaml");
const GADGETS: &str = include_str!("../../../tests/examples/crds/gadgets.yaml");
const FLEET: [&str; 3] = [
    include_str!("../../../tests/examples/fleet/01-gitrepo-plain-ready.yaml"),
    include_str!("../../../tests/examples/fleet/02-helm-monitoring-modified.yaml"),
    include_str!("../../../tests/examples/fleet/03-helmop-with-values-paused.yaml"),
];

fn definition(document: &str) -> Definition {
    Definition::parse(document.as_bytes()).unwrap().remove(0)
}

fn object(document: &str) -> Value {
    yaml::decode(document.as_bytes()).unwrap().value
}

fn errors(schema: &Schema, object: &Value) -> Vec<String> {
    schema.validate(object, None).iter().map(ToString::to_string).collect()
}

#[test]
fn bundle_deployments_are_what_fleet_knows() {
    let definition = definition(BUNDLE_DEPLOYMENT);
    let names = &definition.names;
    assert_eq!(
        (definition.group.as_str(), names.kind.as_str(), definition.namespaced()),
        ("fleet.cattle.io", "BundleDeployment", true)
    );
    assert_eq!((names.short_names.len(), names.categories.len()), (0, 0));
    let [version] = definition.versions.as_slice() else { panic!("there is one version") };
    assert_eq!((version.name.as_str(), version.status, version.scale.is_some()), ("v1alpha1", true, false));
    let columns = version.columns.definitions();
    let titles: Vec<_> = columns.as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Name", "Deployed", "Monitored", "Status"]);
    let selector = ["spec", "options", "allowedTargetNamespaceSelector"];
    assert_eq!(version.schema.map(&selector), MapType::Atomic);
    assert_eq!(version.schema.list(&["status", "conditions"]), ListType::Atomic);
}

#[test]
fn every_field_of_a_bundle_deployment_is_described() {
    fn undescribed(schema: &Value, path: &str, found: &mut Vec<String>) {
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            if field["description"].as_str().is_none_or(str::is_empty) {
                found.push(path.clone());
            }
            undescribed(field, &path, found);
            undescribed(&field["items"], &format!("{path}[]"), found);
        }
    }
    let definition = definition(BUNDLE_DEPLOYMENT);
    let mut found = Vec::new();
    undescribed(definition.storage().schema.document(), "", &mut found);
    assert_eq!(found, [".metadata"], "metadata is described by the server");
}

#[test]
fn fleets_own_objects_go_through_unchanged() {
    let definition = definition(BUNDLE_DEPLOYMENT);
    let schema = &definition.storage().schema;
    for document in FLEET {
        let (before, mut after) = (object(document), object(document));
        assert_eq!(schema.prune(&mut after), [""; 0]);
        schema.default(&mut after);
        assert_eq!(after, before);
        assert_eq!(errors(schema, &after), [""; 0]);
        assert_eq!(schema.validate_status(&after, &before), []);
    }
    let free_form = object(FLEET[2]);
    assert_eq!(
        free_form["spec"]["options"]["helm"]["values"]["nothing"],
        Value::Null,
        "nulls in free-form parts are kept"
    );
}

#[test]
fn what_fleets_client_sends_is_accepted() {
    let definition = definition(BUNDLE_DEPLOYMENT);
    let schema = &definition.storage().schema;
    let mut object = json!({
        "apiVersion": "fleet.cattle.io/v1alpha1",
        "kind": "BundleDeployment",
        "metadata": {"name": "a", "creationTimestamp": null},
        "spec": {"options": {"helm": {"values": {"a": {"b": [null]}}}, "ignore": {}}, "unknown": {"x": 1}, "paused": null},
        "status": {"display": {}, "resources": [{"createdAt": null, "name": "x"}], "conditions": null},
    });
    assert_eq!(schema.prune(&mut object), ["spec.unknown"]);
    schema.default(&mut object);
    assert_eq!(object["spec"], json!({"options": {"helm": {"values": {"a": {"b": [null]}}}, "ignore": {}}}));
    assert_eq!(object["status"]["resources"][0], json!({"createdAt": null, "name": "x"}));
    assert_eq!(errors(schema, &object), [""; 0]);
}

#[test]
fn what_fleet_refuses_is_refused() {
    let definition = definition(BUNDLE_DEPLOYMENT);
    let schema = &definition.storage().schema;
    let object = json!({"apiVersion": "fleet.cattle.io/v1alpha1", "kind": "BundleDeployment", "metadata": {"name": "a"},
        "spec": {
            "helmChartOptions": {"helmOpCABundle": "no base64"},
            "options": {"helm": {"releaseName": "Not_A_Name"}},
            "stagedOptions": {"helm": {"releaseName": "x".repeat(54)}},
        },
        "status": {"conditions": [{"type": "Ready"}]},
    });
    assert_eq!(
        errors(schema, &object),
        [
            "spec.helmChartOptions.helmOpCABundle: Invalid value: \"no base64\": spec.helmChartOptions.helmOpCABundle in body \
             must be of type byte: \"no base64\"",
            "spec.options.helm.releaseName: Invalid value: \"Not_A_Name\": spec.options.helm.releaseName in body should match \
             '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'",
            "spec.stagedOptions.helm.releaseName: Too long: may not be more than 53 bytes",
            "status.conditions[0].status: Required value",
        ]
    );
}

#[test]
fn rows_of_bundle_deployments_show_what_fleet_shows() {
    let definition = definition(BUNDLE_DEPLOYMENT);
    let columns = &definition.storage().columns;
    let now = Timestamp::default();
    assert_eq!(
        columns.cells(&object(FLEET[0]), now),
        [json!("guestbook-manifests"), json!("True"), json!("True"), json!(null)]
    );
    let failed = columns.cells(&object(FLEET[2]), now);
    assert!(failed[1].as_str().unwrap().starts_with("Error: Unable to continue with install"), "{failed:?}");
    assert_eq!(failed[2], json!(null));
}

#[test]
fn the_recorded_widgets_come_out_as_recorded() {
    let definition = definition(WIDGETS);
    let schema = &definition.storage().schema;
    let widget = |spec: Value| json!({"apiVersion": "gold.example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": spec});

    let mut sent = widget(json!({"size": 2, "nope": 3}));
    assert_eq!(schema.prune(&mut sent), ["spec.nope"]);
    schema.default(&mut sent);
    assert_eq!(sent, widget(json!({"size": 2, "color": "red"})));

    assert_eq!(
        errors(schema, &widget(json!({"size": -1, "tags": ["a", "a"]}))),
        [
            "spec.size: Invalid value: -1: spec.size in body should be greater than or equal to 0",
            "spec.tags[1]: Duplicate value: \"a\"",
        ]
    );
    let mut ports = widget(
        json!({"ports": [{"port": 80}, {"port": 80, "protocol": "UDP"}], "mode": "50%", "when": "2026-01-02T03:04:05Z"}),
    );
    schema.default(&mut ports);
    assert_eq!(ports["spec"]["ports"][0]["protocol"], "TCP");
    assert_eq!(errors(schema, &ports), [""; 0]);
}

#[test]
fn a_gadget_is_of_the_cluster_and_shows_its_age() {
    let definition = definition(GADGETS);
    let object = json!({"metadata": {"name": "g", "creationTimestamp": "2026-11-20T23:27:40Z"}});
    let now = Timestamp::parse("2026-11-20T23:27:44Z").unwrap();
    assert!(!definition.namespaced());
    assert_eq!(definition.storage().columns.cells(&object, now), [json!("g"), json!("4s")]);
}
