//! One version of a kind.

use std::sync::Arc;

use machinery::field::Error;
use serde_json::Value;

use crate::{
    Columns, Schema,
    path::Path,
    read::Reader,
    structural::node::{Node, Type, Types},
};

/// The most fields that selectors may name besides those of every object.
const SELECTABLE_MAX: usize = 8;

/// What may not be said at the root of a schema when the status is validated on its own: it would be lost.
const NOT_BESIDE_STATUS: [&str; 12] = [
    "allOf",
    "anyOf",
    "default",
    "enum",
    "maxProperties",
    "minProperties",
    "not",
    "oneOf",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
];

/// A version of a kind.
#[derive(Clone, Debug)]
pub struct Version {
    /// Its name, such as `v1beta1`.
    pub name: String,
    /// Whether it is offered to clients.
    pub served: bool,
    /// Whether objects are stored in it.
    pub storage: bool,
    /// What its objects look like.
    pub schema: Arc<Schema>,
    /// How they are printed.
    pub columns: Columns,
    /// Whether there is a status subresource.
    pub status: bool,
    /// Whether there is a scale subresource, and where its values are.
    pub scale: Option<Scale>,
    /// The fields that selectors may name, such as `spec.color`.
    pub selectable_fields: Vec<String>,
    /// Whether clients are warned that it will go.
    pub deprecated: bool,
    /// What they are told, if it is deprecated.
    pub deprecation_warning: Option<String>,
}

/// Where an object keeps what the scale subresource shows. The paths have no leading dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scale {
    /// The wanted number of replicas, such as `spec.replicas`.
    pub spec_replicas: String,
    /// The present number of replicas, such as `status.replicas`.
    pub status_replicas: String,
    /// The selector of the replicas, as text.
    pub label_selector: Option<String>,
}

/// Reads `spec.versions`.
pub(super) fn all(values: &[Value], path: &Path<'_>, problems: &mut Vec<Error>) -> Vec<Version> {
    let mut versions: Vec<Version> = Vec::new();
    let (mut names, mut stored) = (Vec::new(), 0);
    for (index, value) in values.iter().enumerate() {
        let at = path.index(index);
        let name = value["name"].as_str().unwrap_or_default();
        if names.contains(&name) {
            problems.push(Error::duplicate(at.field("name"), name));
        }
        names.push(name);
        stored += usize::from(value["storage"] == true);
        versions.extend(read(value, &at, problems));
    }
    if stored != 1 {
        let detail = "must have exactly one version marked as storage version";
        problems.push(Error::invalid(path, names.into_iter().collect::<Value>(), detail));
    } else if !values.iter().any(|value| value["served"] == true) {
        let detail = "must have a version that is served";
        problems.push(Error::invalid(path, names.into_iter().collect::<Value>(), detail));
    }
    versions
}

fn read(value: &Value, path: &Path<'_>, problems: &mut Vec<Error>) -> Option<Version> {
    let mut read = Reader::new(value, path, problems)?;
    let (name, warning) = (read.text("name"), read.text("deprecationWarning"));
    let (served, storage, deprecated) = (read.flag("served"), read.flag("storage"), read.flag("deprecated"));
    let (columns, selectable) = (read.items("additionalPrinterColumns"), read.items("selectableFields"));
    let subresources = &value["subresources"];
    let status = subresources.get("status").is_some_and(|status| !status.is_null());
    let wrong = crate::name::dns1035_label(&name);
    if !wrong.is_empty() {
        problems.push(Error::invalid(path.field("name"), name.as_str(), &wrong.join(",")));
    }
    deprecation(deprecated, &value["deprecationWarning"], path, problems);
    let columns = Columns::parse(columns, &path.field("additionalPrinterColumns"), problems);
    let scale = scale(&subresources["scale"], path, problems);
    let schema = schema(&value["schema"], status, path, problems)?;
    let selectable_fields = selectable_fields(selectable, &schema, &path.field("selectableFields"), problems);
    let deprecation_warning = Some(warning).filter(|warning| !warning.is_empty());
    let schema = Arc::new(schema);
    Some(Version {
        name,
        served,
        storage,
        schema,
        columns,
        status,
        scale,
        selectable_fields,
        deprecated,
        deprecation_warning,
    })
}

fn deprecation(deprecated: bool, warning: &Value, path: &Path<'_>, problems: &mut Vec<Error>) {
    let detail = match warning.as_str() {
        None => return,
        Some(_) if !deprecated => "can only be set for deprecated versions",
        Some("") => "must not be an empty string",
        Some(text) if text.len() > 256 => "must be <= 256 characters long",
        Some(text) if text.chars().any(char::is_control) => "must only contain printable UTF-8 characters",
        Some(_) => return,
    };
    problems.push(Error::invalid(path.field("deprecationWarning"), warning, detail));
}

fn schema(value: &Value, status: bool, path: &Path<'_>, problems: &mut Vec<Error>) -> Option<Schema> {
    let path = path.field("schema");
    let path = path.field("openAPIV3Schema");
    let Some(document) = value.get("openAPIV3Schema").filter(|document| !document.is_null()) else {
        problems.push(Error::required(path, "because otherwise all fields are pruned"));
        return None;
    };
    let said = |key: &&str| document.get(*key).is_some_and(|value| !value.is_null());
    for key in NOT_BESIDE_STATUS.iter().filter(|key| status && said(key)) {
        let detail = "must not be set at the root of the schema if the status subresource is enabled";
        problems.push(Error::forbidden(path.field(key), detail));
    }
    Schema::parse(document.clone(), &path.to_string()).map_err(|errors| problems.extend(errors)).ok()
}

fn scale(value: &Value, path: &Path<'_>, problems: &mut Vec<Error>) -> Option<Scale> {
    let subresources = path.field("subresources");
    let path = subresources.field("scale");
    if value.is_null() {
        return None;
    }
    let mut read = Reader::new(value, &path, problems)?;
    let (spec, status, selector) =
        (read.text("specReplicasPath"), read.text("statusReplicasPath"), read.text("labelSelectorPath"));
    let spec_replicas = replicas_path(&spec, &["spec"], &path.field("specReplicasPath"), problems);
    let status_replicas = replicas_path(&status, &["status"], &path.field("statusReplicasPath"), problems);
    let label_selector = match selector.as_str() {
        "" => None,
        selector => replicas_path(selector, &["spec", "status"], &path.field("labelSelectorPath"), problems),
    };
    Some(Scale { spec_replicas: spec_replicas?, status_replicas: status_replicas?, label_selector })
}

/// A path of dots and names below one of these fields, without its leading dot.
fn replicas_path(text: &str, below: &[&str], path: &Path<'_>, problems: &mut Vec<Error>) -> Option<String> {
    let inner = text.strip_prefix('.').filter(|inner| {
        let mut names = inner.split('.');
        names.next().is_some_and(|first| below.contains(&first))
            && names.clone().next().is_some()
            && names.all(|name| !name.is_empty())
    });
    if inner.is_none() {
        let below: Vec<_> = below.iter().map(|field| format!(".{field}")).collect();
        problems.push(match text {
            "" => Error::required(path, ""),
            text => Error::invalid(path, text, &format!("should be a json path under {}", below.join(" or "))),
        });
    }
    inner.map(str::to_owned)
}

fn selectable_fields(values: &[Value], schema: &Schema, path: &Path<'_>, problems: &mut Vec<Error>) -> Vec<String> {
    let mut fields = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let (at, text) = (path.index(index), value["jsonPath"].as_str().unwrap_or_default());
        let at = at.field("jsonPath");
        match selectable_field(text, &schema.root) {
            Ok(field) if fields.contains(&field) => problems.push(Error::duplicate(at, text)),
            Ok(field) => fields.push(field),
            Err(_) if text.is_empty() => problems.push(Error::required(at, "")),
            Err(detail) => problems.push(Error::invalid(at, text, detail)),
        }
    }
    if fields.len() > SELECTABLE_MAX {
        problems.push(Error::too_many(path, fields.len(), SELECTABLE_MAX));
    }
    fields
}

fn selectable_field(text: &str, root: &Node) -> Result<String, &'static str> {
    let inner = text.strip_prefix('.').ok_or("must be a json path that begins with .")?;
    if inner.split('.').next() == Some("metadata") {
        return Err("must not point to fields in metadata");
    }
    let found = inner.split('.').try_fold(root, |node, name| node.properties.get(name));
    match found.ok_or("must point to a field of the schema")?.types {
        Types::One(Type::String | Type::Boolean | Type::Integer) => Ok(inner.to_owned()),
        _ => Err(
            "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.",
        ),
    }
}
