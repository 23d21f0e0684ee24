//! Metadata as Go's struct would hold it, since a custom resource's goes through that struct in a kube-apiserver. The
//! tables below are the struct.

use serde_json::Value;

use crate::go::structs::{STRING, Struct, Type};

const OBJECT_META: Struct = Struct {
    name: "ObjectMeta",
    fields: &[
        ("annotations", Type::TextMap),
        ("creationTimestamp", Type::Time),
        ("deletionGracePeriodSeconds", Type::OptionalInt),
        ("deletionTimestamp", Type::Time),
        ("finalizers", Type::TextList),
        ("generateName", STRING),
        ("generation", Type::Int),
        ("labels", Type::TextMap),
        ("managedFields", Type::List(&MANAGED_FIELDS)),
        ("name", STRING),
        ("namespace", STRING),
        ("ownerReferences", Type::List(&OWNER_REFERENCE)),
        ("resourceVersion", STRING),
        ("selfLink", STRING),
        ("uid", Type::Text("types.UID")),
    ],
    keeps_empty: false,
};
const OWNER_REFERENCE: Struct = Struct {
    name: "OwnerReference",
    fields: &[
        ("apiVersion", STRING),
        ("blockOwnerDeletion", Type::OptionalBool),
        ("controller", Type::OptionalBool),
        ("kind", STRING),
        ("name", STRING),
        ("uid", Type::Text("types.UID")),
    ],
    keeps_empty: true,
};
const MANAGED_FIELDS: Struct = Struct {
    name: "ManagedFieldsEntry",
    fields: &[
        ("apiVersion", STRING),
        ("fieldsType", STRING),
        ("fieldsV1", Type::Raw),
        ("manager", STRING),
        ("operation", Type::Text("v1.ManagedFieldsOperationType")),
        ("subresource", STRING),
        ("time", Type::Time),
    ],
    keeps_empty: false,
};

/// Makes an object's metadata well-formed and returns the paths of the fields that were dropped because nobody knows
/// them, such as `metadata.foo`.
///
/// Fails with the JSON decoder's text when a value is of the wrong type; the object is then as it was.
///
/// `managedFields: []` is left out like any empty list, so it keeps what is recorded; only `[{}]` resets it.
pub fn coerce(object: &mut Value) -> Result<Vec<String>, String> {
    let Some(metadata) = object.get_mut("metadata") else { return Ok(Vec::new()) };
    let (coerced, unknown) = OBJECT_META.decode(metadata, "v1.ObjectMeta", "metadata")?;
    *metadata = Value::Object(coerced);
    Ok(unknown)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn coerced(metadata: Value) -> Result<(Value, Vec<String>), String> {
        let mut object = json!({"kind": "K", "metadata": metadata});
        let unknown = coerce(&mut object)?;
        Ok((object["metadata"].take(), unknown))
    }

    /// The expectations were printed by Go.
    #[test]
    fn metadata_becomes_what_gos_struct_holds() {
        let empty_owner = json!({"apiVersion": "", "kind": "", "name": "", "uid": ""});
        let cases = [
            (json!(null), json!({})),
            (json!({"labels": {}, "finalizers": [], "name": "", "generation": 0, "uid": null}), json!({})),
            (json!({"deletionGracePeriodSeconds": 0}), json!({"deletionGracePeriodSeconds": 0})),
            (json!({"labels": {"a": null, "b": "c"}}), json!({"labels": {"a": "", "b": "c"}})),
            (json!({"finalizers": [null, "x"]}), json!({"finalizers": ["", "x"]})),
            (
                json!({"creationTimestamp": "2020-01-01T01:00:00.5+01:00", "deletionTimestamp": null}),
                json!({"creationTimestamp": "2020-01-01T00:00:00Z"}),
            ),
            (json!({"ownerReferences": [null]}), json!({"ownerReferences": [empty_owner]})),
            (
                json!({"ownerReferences": [{"controller": false, "name": "a"}]}),
                json!({"ownerReferences": [{"apiVersion": "", "controller": false, "kind": "", "name": "a", "uid": ""}]}),
            ),
            (json!({"managedFields": []}), json!({})),
            (json!({"managedFields": [{}]}), json!({"managedFields": [{}]})),
            (
                json!({"managedFields": [{"fieldsV1": {"a": 1}, "time": null}]}),
                json!({"managedFields": [{"fieldsV1": {"a": 1}}]}),
            ),
            (json!({"managedFields": [{"fieldsV1": null}]}), json!({"managedFields": [{}]})),
        ];
        for (given, expected) in cases {
            assert_eq!(coerced(given.clone()), Ok((expected, Vec::new())), "{given}");
        }
    }

    #[test]
    fn unknown_fields_are_dropped_and_named() {
        let given = json!({"foo": 1, "Name": "x", "clusterName": "c", "labels": {"any": "thing"},
                           "ownerReferences": [{"name": "a"}, {"x": 1}], "managedFields": [{"foo": 1}]});
        let (metadata, unknown) = coerced(given).unwrap();
        assert_eq!(
            metadata.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["labels", "managedFields", "ownerReferences"]
        );
        assert_eq!(
            unknown,
            [
                "metadata.Name",
                "metadata.clusterName",
                "metadata.foo",
                "metadata.managedFields[0].foo",
                "metadata.ownerReferences[1].x"
            ]
        );
    }

    #[test]
    fn wrong_types_are_refused_in_gos_words() {
        let cases = [
            (json!(5), "json: cannot unmarshal number into Go value of type v1.ObjectMeta"),
            (json!([]), "json: cannot unmarshal array into Go value of type v1.ObjectMeta"),
            (json!({"name": 5}), "json: cannot unmarshal number into Go struct field ObjectMeta.name of type string"),
            (json!({"name": true}), "json: cannot unmarshal bool into Go struct field ObjectMeta.name of type string"),
            (json!({"uid": {}}), "json: cannot unmarshal object into Go struct field ObjectMeta.uid of type types.UID"),
            (
                json!({"labels": {"a": 1}}),
                "json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string",
            ),
            (
                json!({"labels": []}),
                "json: cannot unmarshal array into Go struct field ObjectMeta.labels of type map[string]string",
            ),
            (
                json!({"finalizers": "x"}),
                "json: cannot unmarshal string into Go struct field ObjectMeta.finalizers of type []string",
            ),
            (
                json!({"finalizers": [1]}),
                "json: cannot unmarshal number into Go struct field ObjectMeta.finalizers of type string",
            ),
            (
                json!({"generation": "x"}),
                "json: cannot unmarshal string into Go struct field ObjectMeta.generation of type int64",
            ),
            (
                json!({"generation": 1.5}),
                "json: cannot unmarshal number 1.5 into Go struct field ObjectMeta.generation of type int64",
            ),
            (
                json!({"creationTimestamp": 5}),
                "json: cannot unmarshal number into Go struct field ObjectMeta.creationTimestamp of type string",
            ),
            (
                json!({"creationTimestamp": "abc"}),
                "parsing time \"abc\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"abc\" as \"2006\"",
            ),
            (
                json!({"ownerReferences": 5}),
                "json: cannot unmarshal number into Go struct field ObjectMeta.ownerReferences of type []v1.OwnerReference",
            ),
            (
                json!({"ownerReferences": [5]}),
                "json: cannot unmarshal number into Go struct field ObjectMeta.ownerReferences of type v1.OwnerReference",
            ),
            (
                json!({"ownerReferences": [{"uid": 5}]}),
                "json: cannot unmarshal number into Go struct field OwnerReference.ownerReferences.uid of type types.UID",
            ),
            (
                json!({"ownerReferences": [{"controller": "x"}]}),
                "json: cannot unmarshal string into Go struct field OwnerReference.ownerReferences.controller of type bool",
            ),
            (
                json!({"managedFields": [{"operation": 5}]}),
                "json: cannot unmarshal number into Go struct field ManagedFieldsEntry.managedFields.operation of type v1.ManagedFieldsOperationType",
            ),
            (
                json!({"managedFields": [{"time": 5}]}),
                "json: cannot unmarshal number into Go struct field ManagedFieldsEntry.managedFields.time of type string",
            ),
        ];
        for (given, message) in cases {
            assert_eq!(coerced(given.clone()).unwrap_err(), message, "{given}");
        }
    }

    #[test]
    fn a_refused_object_is_left_alone() {
        let mut object = json!({"metadata": {"labels": {}, "name": 5}});
        assert!(coerce(&mut object).is_err());
        assert_eq!(object, json!({"metadata": {"labels": {}, "name": 5}}));
        assert_eq!(coerce(&mut json!({"kind": "K"})), Ok(Vec::new()));
    }
}
