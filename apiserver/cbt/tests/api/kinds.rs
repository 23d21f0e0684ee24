//! What the kinds are as objects.

use http::StatusCode;
use proto::cbt::suite::Synthetic;
use serde_json::{Value, json};

use crate::{DELTAS, delta, server, source::Named, with_delta};

const GROUP: &str = "/apis/cbt.storage.k8s.io/v1alpha1";

fn nothing() -> Named {
    Named(Synthetic::full(1, 1 << 16))
}

#[tokio::test]
async fn a_name_is_taken_once_whatever_the_spec() {
    let server = with_delta(nothing()).await;
    let again = server.post(DELTAS, &delta("d", "base", "another")).await;
    assert_eq!((again.status, &again.json()["reason"]), (StatusCode::CONFLICT, &json!("AlreadyExists")));
    assert_eq!(server.get(&format!("{DELTAS}/d")).await.json()["spec"]["targetVolumeSnapshotName"], "target");
}

#[tokio::test]
async fn a_delta_is_complete_and_need_not_make_sense_yet() {
    let server = server(nothing()).await;
    let mut object = delta("", "no-such-base", "no-such-target");
    object["metadata"] = json!({ "generateName": "d-" });
    let created = server.post(DELTAS, &object).await;
    assert_eq!(created.status, StatusCode::CREATED, "its snapshots may come later: {}", created.text());
    let created = created.json();
    assert_eq!(created["spec"]["mode"], "block");
    assert_eq!((&created["metadata"]["generation"], created["metadata"]["uid"].is_string()), (&json!(1), true));
}

#[tokio::test]
async fn a_delta_that_cannot_be_meant_is_refused() {
    let server = server(nothing()).await;
    let invalid = |spec: Value| json!({ "apiVersion": "cbt.storage.k8s.io/v1alpha1", "kind": "VolumeSnapshotDelta", "metadata": { "name": "d" }, "spec": spec });
    for (spec, field) in [
        (json!({}), "spec.targetVolumeSnapshotName"),
        (json!({ "targetVolumeSnapshotName": "" }), "spec.targetVolumeSnapshotName"),
        (json!({ "targetVolumeSnapshotName": "A_b" }), "spec.targetVolumeSnapshotName"),
        (json!({ "targetVolumeSnapshotName": "a".repeat(254) }), "spec.targetVolumeSnapshotName"),
        (json!({ "targetVolumeSnapshotName": "a", "baseVolumeSnapshotName": "../a" }), "spec.baseVolumeSnapshotName"),
        (json!({ "targetVolumeSnapshotName": "a", "mode": "file" }), "spec.mode"),
        (Value::Null, "spec"),
    ] {
        let answer = server.post(DELTAS, &invalid(spec.clone())).await;
        assert_eq!(
            (answer.status, &answer.json()["reason"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("Invalid")),
            "{spec}"
        );
        let causes = answer.json()["details"]["causes"].clone();
        assert!(causes.as_array().expect("causes").iter().any(|cause| cause["field"] == field), "{spec}: {causes}");
    }
    for spec in [
        json!({ "targetVolumeSnapshotName": "a.b-c.1" }),
        json!({ "targetVolumeSnapshotName": "a", "baseVolumeSnapshotName": "" }),
    ] {
        let answer = server.post(&format!("{DELTAS}?dryRun=All"), &invalid(spec)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    }
}

#[tokio::test]
async fn drivers_are_discovered_by_complete_objects() {
    let server = server(nothing()).await;
    let uri = format!("{GROUP}/driverdiscoveries");
    let object = |spec: Value| json!({ "apiVersion": "cbt.storage.k8s.io/v1alpha1", "kind": "DriverDiscovery", "metadata": { "name": "a.csi.example.com" }, "spec": spec });
    let service = json!({ "name": "cbt", "namespace": "csi", "port": 443 });
    for spec in [
        json!({ "service": service }),
        json!({ "driverName": "", "service": service }),
        json!({ "driverName": "a.csi.example.com" }),
        json!({ "driverName": "a.csi.example.com", "service": { "name": "cbt", "namespace": "csi", "port": 0 } }),
        json!({ "driverName": "a.csi.example.com", "service": { "name": "cbt", "namespace": "csi", "port": 65536 } }),
        json!({ "driverName": "a.csi.example.com", "service": { "name": "", "namespace": "csi", "port": 1 } }),
    ] {
        assert_eq!(server.post(&uri, &object(spec.clone())).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{spec}");
    }
    let spec = json!({ "driverName": "a.csi.example.com", "service": service, "caBundle": "PEM" });
    let created = server.post(&uri, &object(spec.clone())).await;
    assert_eq!((created.status, &created.json()["spec"]), (StatusCode::CREATED, &spec), "{}", created.text());
    assert_eq!(
        server.get(&format!("{DELTAS}?fieldSelector=spec.targetVolumeSnapshotName%3Dx")).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn services_are_served_in_both_versions_without_a_cluster() {
    let server = server(nothing()).await;
    let object = |version: &str, name: &str| {
        json!({
            "apiVersion": format!("cbt.storage.k8s.io/{version}"), "kind": "SnapshotMetadataService",
            "metadata": { "name": name },
            "spec": { "address": "cbt.csi:50051", "audience": "a", "caCert": "UEVN" },
        })
    };
    let uri = |version: &str| format!("/apis/cbt.storage.k8s.io/{version}/snapshotmetadataservices");
    for (wrote, read) in [("v1alpha1", "v1beta1"), ("v1beta1", "v1alpha1")] {
        let created = server.post(&uri(wrote), &object(wrote, wrote)).await;
        assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
        let found = server.get(&format!("{}/{wrote}", uri(read))).await.json();
        assert_eq!(found["apiVersion"], format!("cbt.storage.k8s.io/{read}"));
        assert_eq!(found["spec"], object(wrote, wrote)["spec"]);
    }
    for missing in ["address", "audience", "caCert"] {
        let mut object = object("v1beta1", "x");
        object["spec"].as_object_mut().expect("a spec").remove(missing);
        assert_eq!(server.post(&uri("v1beta1"), &object).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{missing}");
    }
    let mut nowhere = object("v1beta1", "x");
    nowhere["spec"]["address"] = json!("cbt.csi");
    assert_eq!(server.post(&uri("v1beta1"), &nowhere).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn discovery_and_openapi_say_what_there_is() {
    let server = server(nothing()).await;
    let resources = server.get(GROUP).await.json()["resources"].clone();
    let names: Vec<&Value> =
        resources.as_array().expect("resources").iter().map(|resource| &resource["name"]).collect();
    for name in [
        "volumesnapshotdeltas",
        "volumesnapshotdeltas/status",
        "volumesnapshotdeltas/data",
        "driverdiscoveries",
        "snapshotmetadataservices",
    ] {
        assert!(names.contains(&&json!(name)), "{name} in {names:?}");
    }
    let document = server.get("/openapi/v3/apis/cbt.storage.k8s.io/v1alpha1").await.json();
    let object = format!("{GROUP}/namespaces/{{namespace}}/volumesnapshotdeltas/{{name}}");
    let takes = |path: &str, method: &str| -> Vec<String> {
        let parameters = document["paths"][path][method]["parameters"].as_array().into_iter().flatten();
        parameters.filter_map(|parameter| parameter["name"].as_str().map(str::to_owned)).collect()
    };
    for name in ["fetchcbd", "limit", "offset"] {
        assert!(takes(&object, "get").contains(&name.to_owned()), "{name}");
        assert!(!takes(&object, "put").contains(&name.to_owned()), "{name}");
    }
    assert!(document["paths"][format!("{object}/data")]["parameters"].to_string().contains("\"token\""));
}
