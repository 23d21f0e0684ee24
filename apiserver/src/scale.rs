//! The scale of an object: `autoscaling/v1` Scale, which `kubectl scale` and autoscalers know, made of three of the object's
//! fields. Of what is written only the wanted number of replicas counts.

use machinery::{
    field::{Error, ErrorList},
    managed_fields::{self, Manager, Scope},
    meta::{self, ObjectMeta},
    negotiate::{Encoding, Output, View},
    status::Status,
    time::Timestamp,
};
use schema::Scale;
use serde_json::{Value, json};

use crate::{
    error::Result,
    kinds::Kind,
    strategy::By,
    view::{self, IncludeObject},
};

const API_VERSION: &str = "autoscaling/v1";
const KIND: &str = "Scale";
const MANAGER: &str = "scale";

/// What kinds with a scale must be like besides what their schemas say; `status` alone when only that is written.
pub(crate) fn validate(kind: &Kind, object: &Value, status: bool) -> ErrorList {
    let Some(scale) = &kind.version().scale else { return ErrorList::new() };
    let mut errors = ErrorList::new();
    if !status {
        errors.extend(count(object, &scale.spec_replicas).err());
    }
    errors.extend(count(object, &scale.status_replicas).err());
    errors.extend(scale.label_selector.as_ref().and_then(|path| text(object, path).err()));
    errors
}

/// The scale of an object.
pub(crate) fn of(scale: &Scale, object: &Value) -> Result<Value> {
    let Some(replicas) = number(object, &scale.spec_replicas)? else {
        let path = format!(".{}", scale.spec_replicas);
        return Err(Status::internal(&format!("the spec replicas field {path:?} does not exist")).into());
    };
    let mut shown = shown(scale, object)?;
    if replicas != 0 {
        shown["spec"]["replicas"] = replicas.into();
    }
    Ok(shown)
}

/// The same to be patched: a number that is not there yet is none that could be asked for.
pub(crate) fn patchable(scale: &Scale, object: &Value) -> Result<Value> {
    let mut shown = shown(scale, object)?;
    shown["spec"]["replicas"] = number(object, &scale.spec_replicas)?.unwrap_or(i64::from(i32::MIN)).into();
    Ok(shown)
}

/// What is sent as a scale, as it is understood; and the fields that no scale has.
pub(crate) fn decode(mut scale: Value) -> Result<(Value, Vec<String>), String> {
    let said = |field: &str| scale[field].as_str().unwrap_or_default().to_owned();
    let (version, kind) = (said("apiVersion"), said("kind"));
    if !matches!((version.as_str(), kind.as_str()), (API_VERSION | "", KIND | "")) {
        return Err(format!("no kind {kind:?} is registered for version {version:?}"));
    }
    let mut unknown = meta::coerce(&mut scale)?;
    let Some(fields) = scale.as_object_mut() else { return Err("it is no object".to_owned()) };
    let mut drop_unknown = |fields: &mut serde_json::Map<String, Value>, at: &str, known: &[&str]| {
        unknown.extend(fields.keys().filter(|key| !known.contains(&key.as_str())).map(|key| format!("{at}{key}")));
        fields.retain(|key, _| known.contains(&key.as_str()));
    };
    drop_unknown(fields, "", &["apiVersion", "kind", "metadata", "spec", "status"]);
    for (part, known) in [("spec", &["replicas"][..]), ("status", &["replicas", "selector"])] {
        match fields.get_mut(part) {
            Some(Value::Object(inner)) => drop_unknown(inner, &format!("{part}."), known),
            None | Some(Value::Null) => {}
            Some(other) => return Err(mistyped(other, &format!(".{part}"), &format!("v1.Scale{}", capital(part)))),
        }
    }
    match &scale["spec"]["replicas"] {
        Value::Null => {}
        number if number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()) => {}
        other => return Err(mistyped(other, "Spec.spec.replicas", "int32")),
    }
    Ok((scale, unknown))
}

/// The object that its new scale makes of `old`: the one number is another, and belongs to who wrote it.
pub(crate) fn set(kind: &Kind, scale: &Scale, old: &Value, new: &Value, by: &By<'_>) -> Result<Value> {
    let replicas = new["spec"]["replicas"].as_i64().unwrap_or_default();
    if replicas == i64::from(i32::MIN) {
        let path = format!(".{}", scale.spec_replicas);
        return Err(Status::bad_request(&format!("the spec replicas field {path:?} cannot be empty")).into());
    }
    let mut object = with_replicas(old.clone(), &scale.spec_replicas, replicas);
    let revision = ObjectMeta::of(new).resource_version();
    if !revision.is_empty() {
        object["metadata"]["resourceVersion"] = revision.into();
    }
    let api_version = kind.group_version().to_string();
    let field = [field(scale)];
    managed_fields::update(Some(old), &mut object, &manager(by, &api_version, &field), kind.schema());
    Ok(object)
}

/// The object that applying a scale makes of `old`.
pub(crate) fn apply(kind: &Kind, scale: &Scale, old: &Value, new: &Value, by: &By<'_>, force: bool) -> Result<Value> {
    let api_version = kind.group_version().to_string();
    let meta = ObjectMeta::of(old);
    let mut config = json!({"apiVersion": api_version, "kind": kind.name(), "metadata": {"name": meta.name()}});
    if let Some(replicas) = new["spec"]["replicas"].as_i64() {
        config = with_replicas(config, &scale.spec_replicas, replicas);
    }
    let field = [field(scale)];
    let applied = managed_fields::apply(Some(old), &config, &manager(by, &api_version, &field), force, kind.schema());
    Ok(applied.map_err(|conflicts| conflicts.status())?)
}

/// A scale in the form that was asked for.
pub(crate) fn encode(output: Output, include: IncludeObject, scale: &Value, now: Timestamp) -> Vec<u8> {
    match (output.view, output.encoding) {
        (View::Partial(version) | View::PartialList(version), Encoding::Protobuf) => {
            machinery::protobuf::object(scale, version)
        }
        (view, _) => view::one_with(&schema::Columns::of_scale(), view, include, scale, now),
    }
}

fn shown(scale: &Scale, object: &Value) -> Result<Value> {
    let meta = &object["metadata"];
    let mut shown = json!({"kind": KIND, "apiVersion": API_VERSION, "metadata": {}, "spec": {}, "status": {}});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if !meta[field].is_null() {
            shown["metadata"][field] = meta[field].clone();
        }
    }
    shown["status"]["replicas"] = number(object, &scale.status_replicas)?.unwrap_or_default().into();
    let selector = scale.label_selector.as_ref().map(|path| text(object, path).map_err(|error| error.to_string()));
    if let Some(selector) = selector.transpose().map_err(|problem| Status::internal(&problem))?
        && !selector.is_empty()
    {
        shown["status"]["selector"] = selector.into();
    }
    Ok(shown)
}

/// The top-level field that the wanted number is in.
fn field(scale: &Scale) -> &str {
    scale.spec_replicas.split('.').next().unwrap_or_default()
}

fn manager<'a>(by: &By<'a>, api_version: &'a str, scope: &'a [&'a str]) -> Manager<'a> {
    Manager { name: by.manager, api_version, subresource: MANAGER, time: by.now, scope: Scope::Only(scope) }
}

fn with_replicas(mut object: Value, path: &str, replicas: i64) -> Value {
    let mut at = &mut object;
    for step in path.split('.') {
        if !at.is_object() {
            *at = json!({});
        }
        at = &mut at[step];
    }
    *at = replicas.into();
    object
}

/// The value at a path, null if there is none; or what stands in the way.
fn at<'a>(object: &'a Value, path: &str) -> std::result::Result<&'a Value, String> {
    path.split('.').try_fold(object, |value, step| match value {
        Value::Null => Ok(value),
        Value::Object(fields) => Ok(fields.get(step).unwrap_or(&Value::Null)),
        other => Err(accessor(other, path, "map[string]interface{}")),
    })
}

/// The number at a path, if there is one.
fn number(object: &Value, path: &str) -> Result<Option<i64>> {
    let value = at(object, path).map_err(|problem| Status::internal(&problem))?;
    match (value, value.as_i64()) {
        (Value::Null, _) => Ok(None),
        (_, Some(number)) => Ok(Some(number)),
        (other, None) => Err(Status::internal(&accessor(other, path, "int64")).into()),
    }
}

fn count(object: &Value, path: &str) -> std::result::Result<(), Error> {
    let shown = format!(".{path}");
    let invalid = |number: i64, problem: &str| Err(Error::invalid(&*shown, Value::from(number), problem));
    let value = at(object, path).or_else(|problem| invalid(0, &problem).map(|()| &Value::Null))?;
    match (value, value.as_i64()) {
        (Value::Null, _) => Ok(()),
        (_, Some(number)) if number < 0 => invalid(number, "should be a non-negative integer"),
        (_, Some(number)) if number > i64::from(i32::MAX) => {
            invalid(number, &format!("should be less than or equal to {}", i32::MAX))
        }
        (_, Some(_)) => Ok(()),
        (other, None) => invalid(0, &accessor(other, path, "int64")),
    }
}

fn text<'a>(object: &'a Value, path: &str) -> std::result::Result<&'a str, Error> {
    let invalid = |problem: &str| Error::invalid(&*format!(".{path}"), Value::from(""), problem);
    match at(object, path).map_err(|problem| invalid(&problem))? {
        Value::Null => Ok(""),
        Value::String(text) => Ok(text),
        other => Err(invalid(&accessor(other, path, "string"))),
    }
}

/// What Go says of a field of another type.
fn accessor(value: &Value, path: &str, wanted: &str) -> String {
    let (shown, kind) = match value {
        Value::String(text) => (text.clone(), "string"),
        Value::Bool(value) => (value.to_string(), "bool"),
        Value::Number(number) if number.is_f64() => (number.to_string(), "float64"),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(Value::to_string).collect();
            (format!("[{}]", items.join(" ")), "[]interface {}")
        }
        other => (other.to_string(), "map[string]interface {}"),
    };
    format!(".{path} accessor error: {shown} is of the type {kind}, expected {wanted}")
}

fn mistyped(value: &Value, field: &str, wanted: &str) -> String {
    let kind = match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Number(number) if wanted == "int32" => format!("number {number}"),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(_) => "array".to_owned(),
        Value::Object(_) => "object".to_owned(),
    };
    format!("json: cannot unmarshal {kind} into Go struct field Scale{field} of type {wanted}")
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}
