//! Every expectation was printed by apimachinery 0.36's own serializers, from the same JSON.

use serde_json::{Value, json};

use super::{ListMeta, MetaVersion, PartialObjectMetadata, list, object, status, watch_frame};
use crate::{GroupResource, status::Status};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn widgets() -> GroupResource {
    GroupResource::new("gold.example.com", "widgets")
}

fn recorded() -> Value {
    json!({ "apiVersion": "gold.example.com/v1", "kind": "Widget", "spec": { "size": 1 }, "metadata": {
        "name": "l1", "namespace": "default", "uid": "601c01d9-adca-4e1e-99fb-a6bbedaed340", "resourceVersion": "367",
        "generation": 1, "creationTimestamp": "2026-11-20T23:35:25Z", "labels": { "n": "1", "p": "1" },
        "managedFields": [{
            "manager": "go-test", "operation": "Update", "apiVersion": "gold.example.com/v1",
            "time": "2026-11-20T23:35:25Z", "fieldsType": "FieldsV1", "fieldsV1": {
                "f:metadata": { "f:labels": { ".": {}, "f:n": {}, "f:p": {} } },
                "f:spec": { ".": {}, "f:color": {}, "f:size": {} },
            },
        }],
    } })
}

const RECORDED: &str = "0afd010a026c3112001a0764656661756c7422002a2436303163303164392d616463612d346531652d393966622d61366262656461656433343032033336373801420808bdb283d80610005a060a016e1201315a060a01701201318a01a1010a07676f2d7465737412065570646174651a13676f6c642e6578616d706c652e636f6d2f7631220808bdb283d806100032084669656c647356313a630a617b22663a6d65746164617461223a7b22663a6c6162656c73223a7b222e223a7b7d2c22663a6e223a7b7d2c22663a70223a7b7d7d7d2c22663a73706563223a7b222e223a7b7d2c22663a636f6c6f72223a7b7d2c22663a73697a65223a7b7d7d7d4200";
const STATUS: &str = "6b3873000a0c0a0276311206537461747573";
const OBJECT_V1: &str = "6b3873000a270a0e6d6574612e6b38732e696f2f763112155061727469616c4f626a6563744d65746164617461";

#[test]
fn objects_are_gos_bytes() {
    let full = json!({ "metadata": {
        "name": "full", "generateName": "fu", "namespace": "n", "uid": "u", "resourceVersion": "5", "generation": 300,
        "creationTimestamp": "2026-11-20T23:27:40Z", "deletionTimestamp": "2026-11-20T23:27:41Z",
        "deletionGracePeriodSeconds": 0, "labels": { "b": "", "a": "1" }, "annotations": { "k": "<" },
        "ownerReferences": [
            { "apiVersion": "v1", "kind": "K", "name": "o", "uid": "ou", "controller": true, "blockOwnerDeletion": false },
            { "apiVersion": "", "kind": "", "name": "", "uid": "" },
        ],
        "finalizers": ["f", ""],
        "managedFields": [{}, {
            "manager": "m", "operation": "Apply", "subresource": "status", "time": "0001-01-01T00:00:00Z",
            "fieldsV1": { "f:<": {} },
        }],
    } });
    let cases = [
        (recorded(), format!("{OBJECT_V1}128002{RECORDED}1a002200")),
        (
            full,
            format!(
                "{OBJECT_V1}12a6010aa3010a0466756c6c120266751a016e22002a017532013538ac02420808ecae83d80610004a0808edae83d806100050005a060a01611201315a050a0162120062060a016b12013c6a120a014b1a016f22026f752a027631300138006a080a001a0022002a0072016672008a010a0a0012001a00320042008a012b0a016d12054170706c791a00220032003a110a0f7b22663a5c7530303363223a7b7d7d42067374617475731a002200"
            ),
        ),
        (json!({}), format!("{OBJECT_V1}12120a100a0012001a0022002a003200380042001a002200")),
    ];
    for (given, expected) in cases {
        assert_eq!(hex(&object(&given, MetaVersion::V1)), expected, "{given}");
    }
    let old = hex(&object(&json!({}), MetaVersion::V1Beta1));
    assert_eq!(
        old,
        "6b3873000a2c0a136d6574612e6b38732e696f2f7631626574613112155061727469616c4f626a6563744d6574616461746112120a100a0012001a0022002a003200380042001a002200"
    );
}

#[test]
fn lists_are_gos_bytes_in_both_versions() {
    let token = "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6Mzc1LCJzdGFydCI6Ii9sMVx1MDAwMCJ9";
    let page = ListMeta { resource_version: "375".to_owned(), continue_: Some(token.to_owned()), remaining: Some(3) };
    let whole = ListMeta { resource_version: "375".to_owned(), ..ListMeta::default() };
    let v1 = "6b3873000a2b0a0e6d6574612e6b38732e696f2f763112195061727469616c4f626a6563744d657461646174614c697374";
    let v1beta1 =
        "6b3873000a300a136d6574612e6b38732e696f2f7631626574613112195061727469616c4f626a6563744d657461646174614c697374";
    let metadata = "4f0a0012033337351a4465794a32496a6f6962575630595335724f484d7561573876646a45694c434a79646949364d7a63314c434a7a6447467964434936496939734d5678314d4441774d434a392003";
    let cases = [
        (vec![recorded()], &page, MetaVersion::V1, format!("{v1}12d4020a{metadata}128002{RECORDED}1a002200")),
        (vec![recorded()], &page, MetaVersion::V1Beta1, format!("{v1beta1}12d4020a8002{RECORDED}12{metadata}1a002200")),
        (vec![], &whole, MetaVersion::V1, format!("{v1}120b0a090a0012033337351a001a002200")),
        (vec![], &whole, MetaVersion::V1Beta1, format!("{v1beta1}120b12090a0012033337351a001a002200")),
    ];
    for (items, metadata, version, expected) in cases {
        let items = items.iter().map(PartialObjectMetadata::of).collect();
        assert_eq!(hex(&list(items, metadata.clone(), version)), expected);
    }
}

#[test]
fn statuses_are_gos_bytes() {
    let cases = [
        (
            Status::not_found(&widgets(), "a"),
            "126a0a060a0012001a0012074661696c7572651a26776964676574732e676f6c642e6578616d706c652e636f6d20226122206e6f7420666f756e6422084e6f74466f756e642a220a01611210676f6c642e6578616d706c652e636f6d1a0777696467657473280032003094031a002200",
        ),
        (
            Status::resource_version_too_large(999_999, 373),
            "129d010a060a0012001a0012074661696c7572651a3954696d656f75743a20546f6f206c61726765207265736f757263652076657273696f6e3a203939393939392c2063757272656e743a20333733220754696d656f75742a430a0012001a0022370a175265736f7572636556657273696f6e546f6f4c61726765121a546f6f206c61726765207265736f757263652076657273696f6e1a002801320030f8031a002200",
        ),
        (
            Status::deleted(&widgets(), "d2", "d9b748b1"),
            "12440a060a0012001a001207537563636573731a0022002a2b0a0264321210676f6c642e6578616d706c652e636f6d1a077769646765747328003208643962373438623130001a002200",
        ),
        (
            Status { continue_: Some("abc".to_owned()), ..Status::expired("old") },
            "12250a090a0012001a0361626312074661696c7572651a036f6c64220745787069726564309a031a002200",
        ),
    ];
    for (given, expected) in cases {
        assert_eq!(hex(&status(&given)), format!("{STATUS}{expected}"), "{given}");
    }
}

#[test]
fn watch_frames_are_gos_bytes() {
    let bookmark = json!({ "metadata": {
        "annotations": { "k8s.io/initial-events-end": "true" }, "resourceVersion": "5",
    } });
    let cases = [
        ("ADDED", object(&bookmark, MetaVersion::V1), format!("000000740a054144444544126b0a69{OBJECT_V1}12360a340a0012001a0022002a003201353800420062210a196b38732e696f2f696e697469616c2d6576656e74732d656e641204747275651a002200")),
        ("DELETED", object(&recorded(), MetaVersion::V1), format!("000001430a0744454c4554454412b7020ab402{OBJECT_V1}128002{RECORDED}1a002200")),
        ("ERROR", status(&Status::expired("too old resource version: 1 (219)")), "000000630a054552524f52125a0a586b3873000a0c0a027631120653746174757312400a060a0012001a0012074661696c7572651a21746f6f206f6c64207265736f757263652076657273696f6e3a2031202832313929220745787069726564309a031a002200".to_owned()),
    ];
    for (kind, given, expected) in cases {
        assert_eq!(hex(&watch_frame(kind, &given)), expected, "{kind}");
    }
}
