//! From the object that the apiserver writes to what the record shall be.

use std::collections::BTreeMap;

use hyperfleet_records::Json;
use machinery::meta::ObjectMeta;
use proto::store::{Content, Error, Result};
use serde_json::{Value, value::to_raw_value};

use crate::metadata;

/// What a written object says of its record.
pub(crate) struct Wanted {
    pub spec: Json,
    pub labels: BTreeMap<String, String>,
    /// What is kept beside the record.
    pub kubernetes: Json,
    pub deleting: bool,
}

// === impl Wanted ===

impl Wanted {
    /// Reads an object. Its status does not count.
    pub(crate) fn read(content: &Content) -> Result<Self> {
        let object: Value = serde_json::from_slice(&content.value.json)
            .map_err(|error| Error::Invalid { reason: format!("the object is not JSON: {error}") })?;
        let meta = ObjectMeta::of(&object);
        Ok(Self {
            spec: raw(&object["spec"]),
            labels: meta.labels(),
            kubernetes: raw(&metadata::kept(&object["metadata"]).into()),
            deleting: meta.is_deleting(),
        })
    }
}

fn raw(value: &Value) -> Json {
    let empty = Value::Object(Default::default());
    to_raw_value(if value.is_null() { &empty } else { value }).expect("a value can be written")
}
