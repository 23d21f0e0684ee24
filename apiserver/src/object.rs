//! Between a store's bytes and an object in the version asked for.
//!
//! Bytes pass through when the stored version and schema are the requested ones. Otherwise the object is decoded, gets
//! the defaults that its schema has today, and the requested `apiVersion`, after the kind's actor has said it in the words of
//! that version. Where a webhook converts, that was done before: see [`conversion`](crate::conversion).

use bytes::{BufMut, Bytes, BytesMut};
use machinery::{json, meta};
use proto::store::{Content, Entry, Labels, Revision, Value as Stored};
use serde_json::Value;

use crate::{error::Result, kinds::Kind};
use machinery::status::Status;

/// The object in the kind's version, with its resourceVersion.
pub(crate) fn decode(kind: &Kind, content: &Content, revision: Revision) -> Result<Value> {
    let mut object = parsed(content)?;
    if content.value.schema != kind.tag() {
        if let Some(actor) = kind.actor() {
            actor.convert(&mut object, &kind.version().name);
        }
        kind.schema().default(&mut object);
        object["apiVersion"] = Value::String(kind.group_version().to_string());
    }
    meta::set_resource_version(&mut object, revision);
    Ok(object)
}

/// The object as it is stored, in the version of `kind`, which it was stored in, with the defaults that its schema has today.
pub(crate) fn plain(kind: &Kind, content: &Content) -> Result<Value> {
    let mut object = parsed(content)?;
    if content.value.schema != kind.tag() {
        kind.schema().default(&mut object);
    }
    Ok(object)
}

fn parsed(content: &Content) -> Result<Value> {
    serde_json::from_slice(&content.value.json)
        .map_err(|error| Status::internal(&format!("a stored object is not JSON: {error}")).into())
}

/// What the store keeps of an object.
pub(crate) fn encode(kind: &Kind, object: &Value) -> Content {
    let (json, splice) = json::encode_stored(object);
    let meta = meta::ObjectMeta::of(object);
    Content {
        uid: meta.uid().to_owned(),
        labels: meta.labels(),
        fields: selectable_fields(kind, object),
        value: Stored { json: json.into(), splice, schema: kind.tag().to_owned() },
    }
}

/// Appends the object as JSON to `out`, untouched where that is allowed.
pub(crate) fn write_json(kind: &Kind, content: &Content, revision: Revision, out: &mut BytesMut) -> Result<()> {
    if content.value.schema == kind.tag() {
        splice(&content.value, revision, out);
    } else {
        out.put_slice(&json::encode(&decode(kind, content, revision)?));
    }
    Ok(())
}

/// The object as a JSON document, which ends with a line feed as all of Kubernetes' do.
pub(crate) fn json(kind: &Kind, entry: &Entry) -> Result<Bytes> {
    let mut out = BytesMut::with_capacity(entry.content.value.json.len() + 64);
    write_json(kind, &entry.content, entry.revision, &mut out)?;
    out.put_u8(b'\n');
    Ok(out.freeze())
}

/// The value's bytes with `"resourceVersion":"N",` where it belongs.
fn splice(value: &Stored, revision: Revision, out: &mut BytesMut) {
    let at = (value.splice as usize).min(value.json.len());
    out.reserve(value.json.len() + 48);
    out.put_slice(&value.json[..at]);
    out.put_slice(b"\"resourceVersion\":\"");
    out.put_slice(revision.to_string().as_bytes());
    out.put_slice(b"\",");
    out.put_slice(&value.json[at..]);
}

/// The values of the fields that the definition declares selectable, where an object has them.
fn selectable_fields(kind: &Kind, object: &Value) -> Labels {
    let fields = kind.version().selectable_fields.iter();
    fields.filter_map(|field| Some((field.clone(), machinery::meta::field(object, field)?))).collect()
}
