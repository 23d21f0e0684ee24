//! `JSONPatch`: a patch that an expression makes is applied to the object that is written.

use machinery::patch::Patch;
use schema::cel::Val;
use serde_json::{Map, Value, json};

use super::apply::misnamed;

/// The operations that an expression made.
pub(super) fn read(value: &Val<'_>) -> Result<Value, String> {
    let mismatch = "type mismatch: JSONPatchType.expression should evaluate to array";
    let Some(items) = value.items() else { return Err(mismatch.to_owned()) };
    items.iter().map(|item| operation(item, mismatch)).collect()
}

fn operation(item: &Val<'_>, mismatch: &str) -> Result<Value, String> {
    let Val::Made(made) = item else {
        return Err(format!("{mismatch} of JSONPatch, got element of {}", item.type_name()));
    };
    if made.name != "JSONPatch" {
        return Err(format!("{mismatch} of JSONPatch, got element of {}", made.name));
    }
    let mut operation = Map::from_iter([("op".to_owned(), json!("")), ("path".to_owned(), json!(""))]);
    for (field, value) in &made.fields {
        if let Val::Made(inner) = value {
            let wrong = misnamed(inner);
            if !wrong.is_empty() {
                return Err(format!("type mismatch: {}", wrong.join("\n")));
            }
        }
        let unwritable =
            |why| format!("JSONPath valueExpression evaluated to a type that could not marshal to JSON: {why}");
        let written = value.to_json().map_err(unwritable)?;
        if *field != "from" || written != "" {
            operation.insert((*field).to_owned(), written);
        }
    }
    Ok(Value::Object(operation))
}

/// What the operations make of `object`; the object itself where a test fails.
pub(super) fn apply(object: &Value, operations: &Value) -> Result<Value, String> {
    let mut patched = object.clone();
    for operation in operations.as_array().into_iter().flatten() {
        let body = Value::Array(vec![operation.clone()]).to_string();
        let applied = Patch::json(body.as_bytes()).and_then(|patch| patch.apply(&patched));
        match (applied, explain(&patched, operation)) {
            (_, Some(Failed::Because(why))) => return Err(format!("JSON Patch: {why}")),
            (Err(_), Some(Failed::Test)) => return Ok(object.clone()),
            (Ok(next), _) => patched = next,
            (Err(status), None) => return Err(format!("JSON Patch: {}", status.message)),
        }
    }
    Ok(patched)
}

/// Why an operation fails, in the words of the library that the kube-apiserver uses.
#[derive(Debug, PartialEq, Eq)]
enum Failed {
    /// It was a test, of something that is there.
    Test,
    Because(String),
}

fn explain(object: &Value, operation: &Value) -> Option<Failed> {
    let text = |field: &str| operation[field].as_str().unwrap_or_default();
    let (path, from) = (text("path"), text("from"));
    let because = |why: String| Some(Failed::Because(why));
    match text("op") {
        "add" => match place(object, path) {
            None => because(format!("add operation does not apply: doc is missing path: \"{path}\": missing value")),
            Some((Value::Array(items), key)) => match added_at(items, &key) {
                Ok(()) => None,
                Err(why) => because(format!("error in add for path: '{path}': {why}")),
            },
            Some(_) => None,
        },
        "remove" => match place(object, path) {
            None => because(format!("remove operation does not apply: doc is missing path: \"{path}\": missing value")),
            Some((holder, key)) => match there(holder, &key) {
                Ok(true) => None,
                Ok(false) => because(format!(
                    "error in remove for path: '{path}': Unable to remove nonexistent key: {key}: missing value"
                )),
                Err(why) => because(format!("error in remove for path: '{path}': {why}")),
            },
        },
        "replace" if path.is_empty() => None,
        "replace" => match place(object, path) {
            None => because(format!("replace operation does not apply: doc is missing path: {path}: missing value")),
            Some((holder, key)) => match there(holder, &key) {
                // A field that is not there is added.
                Ok(_) => None,
                Err(_) => {
                    because(format!("replace operation does not apply: doc is missing key: {path}: missing value"))
                }
            },
        },
        "move" => match place(object, from) {
            None => because(format!("move operation does not apply: doc is missing from path: {from}: missing value")),
            Some(_) => None,
        },
        "copy" => match place(object, from) {
            None => because(format!("copy operation does not apply: doc is missing from path: {from}: missing value")),
            Some(_) => None,
        },
        "test" if path.is_empty() => Some(Failed::Test),
        "test" => match place(object, path) {
            None => because(format!("test operation does not apply: is missing path: {path}: missing value")),
            Some((holder, key)) => match there(holder, &key) {
                Ok(_) => Some(Failed::Test),
                Err(why) => because(format!("error in test for path: '{path}': {why}")),
            },
        },
        other => because(format!("Unexpected kind: {other}")),
    }
}

/// What holds the place of a path, and its key there.
fn place<'a>(object: &'a Value, path: &str) -> Option<(&'a Value, String)> {
    let (above, key) = path.rsplit_once('/')?;
    let holder = object.pointer(above).filter(|holder| holder.is_object() || holder.is_array())?;
    Some((holder, key.replace("~1", "/").replace("~0", "~")))
}

/// Whether something is at a key; an error is that there can be nothing.
fn there(holder: &Value, key: &str) -> Result<bool, String> {
    match holder {
        Value::Array(items) => {
            let index: i64 = key.parse().map_err(|_| no_number(key))?;
            let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
            if index >= length || index < -length { Err(no_index(index)) } else { Ok(true) }
        }
        holder => Ok(holder.get(key).is_some()),
    }
}

fn added_at(items: &[Value], key: &str) -> Result<(), String> {
    if key == "-" {
        return Ok(());
    }
    let index: i64 =
        key.parse().map_err(|_| format!("value was not a proper array index: '{key}': {}", no_number(key)))?;
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    if index > length || index < -length - 1 { Err(no_index(index)) } else { Ok(()) }
}

fn no_number(key: &str) -> String {
    format!("strconv.Atoi: parsing {key:?}: invalid syntax")
}

fn no_index(index: i64) -> String {
    format!("Unable to access invalid index: {index}: invalid index referenced")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_change_the_object_or_say_why_not() {
        let object = json!({"spec": {"a": 1, "l": [1, 2]}});
        for (operations, expected) in [
            (json!([{"op": "add", "path": "/spec/b", "value": 2}]), Ok(json!({"spec": {"a": 1, "b": 2, "l": [1, 2]}}))),
            (
                json!([{"op": "replace", "path": "/spec/n", "value": 2}]),
                Ok(json!({"spec": {"a": 1, "n": 2, "l": [1, 2]}})),
            ),
            (json!([{"op": "add", "path": "/spec/l/-", "value": 3}]), Ok(json!({"spec": {"a": 1, "l": [1, 2, 3]}}))),
            (
                json!([{"op": "remove", "path": "/spec/a"}, {"op": "test", "path": "/spec/l/0", "value": 9}]),
                Ok(object.clone()),
            ),
            (
                json!([{"op": "add", "path": "/no/b", "value": 2}]),
                Err("JSON Patch: add operation does not apply: doc is missing path: \"/no/b\": missing value"),
            ),
            (
                json!([{"op": "remove", "path": "/spec/z"}]),
                Err(
                    "JSON Patch: error in remove for path: '/spec/z': Unable to remove nonexistent key: z: missing value",
                ),
            ),
            (
                json!([{"op": "add", "path": "/spec/l/7", "value": 1}]),
                Err(
                    "JSON Patch: error in add for path: '/spec/l/7': Unable to access invalid index: 7: invalid index referenced",
                ),
            ),
            (json!([{"op": "nope", "path": "/spec"}]), Err("JSON Patch: Unexpected kind: nope")),
        ] {
            assert_eq!(apply(&object, &operations), expected.map_err(str::to_owned), "{operations}");
        }
    }
}
