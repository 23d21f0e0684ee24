//! What a document says it is: the two fields that are read before all others, and alone can say that a body is none of
//! ours. The complaints are those of Go's JSON decoder.

use serde_json::Value;

use crate::kinds::Kind;

/// What an object says it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TypeMeta {
    /// Such as `fleet.cattle.io/v1alpha1`.
    pub api_version: String,
    /// Such as `BundleDeployment`.
    pub kind: String,
}

// === impl TypeMeta ===

impl TypeMeta {
    /// Reads it. What is not there is empty.
    pub(super) fn read(document: &Value) -> Result<Self, String> {
        let unreadable = |problem: String| format!("couldn't get version/kind; json parse error: {problem}");
        let fields = match document {
            Value::Null => return Ok(Self::default()),
            Value::Object(fields) => fields,
            other => {
                const STRUCT: &str = r#"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#;
                let given = name(other);
                return Err(unreadable(format!("json: cannot unmarshal {given} into Go value of type {STRUCT}")));
            }
        };
        let text = |field: &str| match fields.get(field) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(other) => {
                let given = name(other);
                Err(unreadable(format!("json: cannot unmarshal {given} into Go struct field .{field} of type string")))
            }
        };
        let read = Self { api_version: text("apiVersion")?, kind: text("kind")? };
        match read.api_version.matches('/').count() {
            0 | 1 => Ok(read),
            _ => Err(format!("unexpected GroupVersion string: {}", read.api_version)),
        }
    }

    /// What an object of the kind says.
    pub(super) fn of(kind: &Kind) -> Self {
        Self { api_version: kind.group_version().to_string(), kind: kind.name().to_owned() }
    }

    /// With what is not said taken from the kind.
    pub(super) fn or(self, kind: &Kind) -> Self {
        let default = Self::of(kind);
        let or = |given: String, default: String| if given.is_empty() { default } else { given };
        Self { api_version: or(self.api_version, default.api_version), kind: or(self.kind, default.kind) }
    }

    /// The group of the version.
    pub(super) fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// The version without its group.
    pub(super) fn version(&self) -> &str {
        self.api_version.split_once('/').map_or(&self.api_version, |(_, version)| version)
    }
}

fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn version_and_kind_are_read_where_they_are() {
        let read = |value: Value| {
            let read = TypeMeta::read(&value).unwrap();
            (read.group().to_owned(), read.version().to_owned(), read.kind)
        };
        let parts = |group: &str, version: &str, kind: &str| (group.to_owned(), version.to_owned(), kind.to_owned());
        assert_eq!(read(json!({"apiVersion": "g.dev/v1", "kind": "Widget"})), parts("g.dev", "v1", "Widget"));
        assert_eq!(read(json!({"apiVersion": "v1", "kind": null})), parts("", "v1", ""));
        assert_eq!(read(json!(null)), parts("", "", ""));
    }

    #[test]
    fn what_is_no_object_is_refused_in_gos_words() {
        for (document, problem) in [
            (json!([]), "json: cannot unmarshal array into Go value of type struct { APIVersion"),
            (json!("x"), "json: cannot unmarshal string into Go value of type struct { APIVersion"),
            (json!({"kind": 5}), "json: cannot unmarshal number into Go struct field .kind of type string"),
            (
                json!({"apiVersion": {}}),
                "json: cannot unmarshal object into Go struct field .apiVersion of type string",
            ),
        ] {
            let error = TypeMeta::read(&document).unwrap_err();
            let expected = format!("couldn't get version/kind; json parse error: {problem}");
            assert!(error.starts_with(&expected), "{error}");
        }
        let error = TypeMeta::read(&json!({"apiVersion": "a/b/c"})).unwrap_err();
        assert_eq!(error, "unexpected GroupVersion string: a/b/c");
    }
}
