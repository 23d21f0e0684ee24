//! From a record to the object that the apiserver reads, in the encoding that it writes itself.

use std::borrow::Cow;

use hyperfleet_records::{Json, Kind, Resource};
use machinery::json;
use proto::store::{Content, Entry, Key, Labels, Revision, Value as Stored};
use serde_json::Value;

use crate::{GROUP, VERSION, finalizers, kind, metadata, status};

/// What the objects of a kind have in common.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// Which kind.
    pub kind: Kind,
    /// What marks them as written by the present schema.
    pub tag: String,
    /// The adapters without which none is ready.
    pub required: Vec<String>,
}

// === impl Shape ===

impl Shape {
    /// The key of the object of that name.
    pub(crate) fn key(&self, name: &str) -> Key {
        let (group, resource) = (GROUP.to_owned(), kind::resource(self.kind).to_owned());
        Key { group, resource, namespace: String::new(), name: name.to_owned() }
    }

    /// The object of a record.
    pub(crate) fn entry(&self, resource: &Resource) -> Entry {
        self.entry_at(resource, resource.revision)
    }

    /// The same as of `revision`, such as that of its deletion.
    pub(crate) fn entry_at(&self, resource: &Resource, revision: Revision) -> Entry {
        Entry { key: self.key(&resource.object_name), revision, content: self.content(resource) }
    }

    /// What the object of a record is.
    pub(crate) fn content(&self, resource: &Resource) -> Content {
        let status = status::read(resource);
        let mut fields = Labels::from([("status.phase".to_owned(), status::phase(&status).to_owned())]);
        if let Some(owner) = &resource.owner {
            fields.insert("status.cluster".to_owned(), owner.object_name.clone());
        }
        let metadata = metadata::of(resource, finalizers::of(resource, &status, &self.required)).into();
        let (json, splice) = encode(self.kind, &metadata, &resource.spec, &status::of(resource, &status).into());
        let value = Stored { json: json.into(), splice, schema: self.tag.clone() };
        Content { uid: resource.id.clone(), labels: metadata::labels(&resource.labels), fields, value }
    }
}

/// The object as JSON, and where its resourceVersion belongs: first in the metadata. The spec is copied.
fn encode(kind: Kind, metadata: &Value, spec: &Json, status: &Value) -> (Vec<u8>, u32) {
    let (metadata, status, spec) = (json::encode(metadata), json::encode(status), one_line(spec));
    let mut json = Vec::with_capacity(metadata.len() + status.len() + spec.len() + 128);
    json.extend_from_slice(
        format!(r#"{{"apiVersion":"{GROUP}/{VERSION}","kind":"{}","metadata":"#, kind::name(kind)).as_bytes(),
    );
    let splice = json.len() + "{".len();
    json.extend_from_slice(&metadata);
    json.extend_from_slice(br#","spec":"#);
    json.extend_from_slice(spec.as_bytes());
    json.extend_from_slice(br#","status":"#);
    json.extend_from_slice(&status);
    json.push(b'}');
    (json, u32::try_from(splice).unwrap_or(u32::MAX))
}

/// JSON without line feeds, which would end an event of a watch.
fn one_line(json: &Json) -> Cow<'_, str> {
    match json.get().contains(['\n', '\r']) {
        false => Cow::Borrowed(json.get()),
        true => Cow::Owned(
            serde_json::from_str(json.get()).map_or_else(|_| "{}".to_owned(), |value: Value| value.to_string()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_one_line_and_takes_its_revision() {
        let spec = Json::from(
            serde_json::value::RawValue::from_string("{\n  \"a\": \"b\\nc\"\r\n}".to_owned()).expect("JSON"),
        );
        let (json, splice) = encode(Kind::Cluster, &json!({ "name": "a" }), &spec, &json!({ "phase": "Ready" }));
        assert!(!json.contains(&b'\n') && !json.contains(&b'\r'));
        let whole: Value = serde_json::from_slice(&json::with_revision(&json, splice, 7)).expect("JSON");
        let expected = json!({
            "apiVersion": "hyperfleet.openshift.io/v1alpha1",
            "kind": "Cluster",
            "metadata": { "name": "a", "resourceVersion": "7" },
            "spec": { "a": "b\nc" },
            "status": { "phase": "Ready" },
        });
        assert_eq!(whole, expected);
    }
}
