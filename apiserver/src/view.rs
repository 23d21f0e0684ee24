//! The ways to look at an object other than whole: a Table, or its metadata alone.

use machinery::{
    json, meta,
    negotiate::{Encoding, Output, View},
    partial, protobuf,
    status::Status,
    time::Timestamp,
};
use serde_json::{Map, Value, json};

use crate::{context::Context, error::Result, kinds::Kind};
use proto::store::Revision;
use schema::Columns;

/// What a Table's rows carry of their objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum IncludeObject {
    /// Nothing.
    None,
    /// Its metadata.
    #[default]
    Metadata,
    /// All of it.
    Object,
}

// === impl IncludeObject ===

impl IncludeObject {
    /// The request's `includeObject`, which counts only when a Table is asked for.
    pub(crate) fn parse(context: &Context) -> Result<Self> {
        if !matches!(context.output.view, View::Table(_)) {
            return Ok(Self::default());
        }
        let given = context.query.iter().find(|(key, _)| key == "includeObject").map(|(_, value)| value.as_str());
        match given {
            None | Some("" | "Metadata") => Ok(Self::Metadata),
            Some("None") => Ok(Self::None),
            Some("Object") => Ok(Self::Object),
            Some(other) => Err(Status::bad_request(&format!(
                "Unable to convert to Table as requested: includeObject: Invalid value: {other:?}: must be 'Metadata', 'Object', 'None', or empty"
            ))
            .into()),
        }
    }
}

/// One object on its own, as protobuf if that is asked for, else as JSON; a Table of one row. `columns` says whether its
/// columns are defined.
pub(crate) fn one(
    kind: &Kind,
    output: Output,
    include: IncludeObject,
    object: &Value,
    now: Timestamp,
    columns: bool,
) -> Vec<u8> {
    match (output.view, output.encoding) {
        (View::Partial(version) | View::PartialList(version), Encoding::Protobuf) => protobuf::object(object, version),
        (View::Table(version), _) if !columns => table(
            &revision(object),
            version,
            &Value::Null,
            &[row(&kind.version().columns, version, include, object, now)],
        ),
        (view, _) => one_with(&kind.version().columns, view, include, object, now),
    }
}

/// One object on its own as JSON, with columns of its own.
pub(crate) fn one_with(
    columns: &Columns,
    view: View,
    include: IncludeObject,
    object: &Value,
    now: Timestamp,
) -> Vec<u8> {
    match view {
        View::Object => json::encode(object),
        View::Partial(version) | View::PartialList(version) => partial::json(object, version.as_str()),
        View::Table(version) => {
            let rows = [row(columns, version, include, object, now)];
            table(&revision(object), version, &columns.definitions(), &rows)
        }
    }
}

fn revision(object: &Value) -> Value {
    json!({ "resourceVersion": meta::ObjectMeta::of(object).resource_version() })
}

/// One object as an item of a collection: a row, or what the collection is of.
pub(crate) fn item(kind: &Kind, view: View, include: IncludeObject, object: &Value, now: Timestamp) -> Vec<u8> {
    match view {
        View::Object => json::encode(object),
        View::Partial(version) | View::PartialList(version) => partial::json(object, version.as_str()),
        View::Table(version) => row(&kind.version().columns, version, include, object, now),
    }
}

/// What comes before the items of a collection.
pub(crate) fn begin_list(kind: &Kind, view: View) -> String {
    match view {
        View::Table(version) => {
            let definitions = text(&kind.version().columns.definitions());
            let version = version.as_str();
            format!(
                "{{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/{version}\",\"columnDefinitions\":{definitions},\"rows\":["
            )
        }
        View::Partial(version) | View::PartialList(version) => {
            let version = version.as_str();
            format!("{{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/{version}\",\"items\":[")
        }
        View::Object => format!("{{\"apiVersion\":{:?},\"items\":[", kind.group_version().to_string()),
    }
}

/// An object that says nothing but how far a watch is.
pub(crate) fn bookmark(kind: &Kind, output: Output, revision: Revision, initial_end: bool, columns: bool) -> Vec<u8> {
    let mut metadata = Map::new();
    if initial_end {
        metadata.insert("annotations".to_owned(), json!({ "k8s.io/initial-events-end": "true" }));
    }
    metadata.insert("resourceVersion".to_owned(), revision.to_string().into());
    let (version, name) = (kind.group_version().to_string(), kind.name());
    let object = json!({ "apiVersion": version, "kind": name, "metadata": metadata });
    // In a Table it is a row without a name, so that printers leave it out.
    one(kind, output, IncludeObject::Metadata, &object, Timestamp::default(), columns)
}

/// A status, as protobuf if that is asked for, else as JSON.
pub(crate) fn status(status: &Status, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Protobuf => protobuf::status(status),
        Encoding::Json | Encoding::Yaml => status.to_json(),
    }
}

fn row(
    columns: &Columns,
    version: machinery::negotiate::MetaVersion,
    include: IncludeObject,
    object: &Value,
    now: Timestamp,
) -> Vec<u8> {
    let cells = text(&Value::Array(columns.cells(object, now)));
    let shown = match include {
        IncludeObject::None => b"null".to_vec(),
        IncludeObject::Metadata => partial::json(object, version.as_str()),
        IncludeObject::Object => json::encode(object),
    };
    let mut row = format!("{{\"cells\":{cells},\"object\":").into_bytes();
    row.extend_from_slice(&shown);
    row.push(b'}');
    row
}

fn table(metadata: &Value, version: machinery::negotiate::MetaVersion, columns: &Value, rows: &[Vec<u8>]) -> Vec<u8> {
    let (metadata, columns, version) = (text(metadata), text(columns), version.as_str());
    let mut table = format!(
        "{{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/{version}\",\"metadata\":{metadata},\"columnDefinitions\":{columns},\"rows\":["
    )
    .into_bytes();
    table.extend(rows.join(&b','));
    table.extend_from_slice(b"]}");
    table
}

fn text(value: &Value) -> String {
    String::from_utf8_lossy(&json::encode(value)).into_owned()
}
