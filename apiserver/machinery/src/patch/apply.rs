//! Applying a JSON patch.
//!
//! RFC 6902 as `json-patch` has it, but for what clients of Kubernetes rely on: `replace` adds a field that is not
//! there, `test` for null holds where there is none, `copy` of a field that is not there makes a null, and `add`, `move` and `copy` cannot replace the whole object.

use json_patch::{AddOperation, PatchOperation, jsonptr::Pointer};
use serde_json::Value;

use super::operation::Operation;
use crate::{json, status::Status};

/// How many bytes all copies may take together: as much as a body.
const MAX_COPIED: usize = 3 << 20;
/// How many values may be moved aside or looked at, all operations together. Moving so many takes less than a second.
const MAX_WORK: usize = 1 << 26;

/// What the operations make of `object`; all of them, or an error.
pub(super) fn apply(operations: &[Operation], object: &Value) -> Result<Value, Status> {
    let mut work = Work { object: object.clone(), copied: 0, moved: 0 };
    for operation in operations {
        let operation = operation.resolve().ok_or_else(Status::unprocessable)?;
        work.apply(operation)?;
    }
    Ok(work.object)
}

struct Work {
    object: Value,
    copied: usize,
    moved: usize,
}

// === impl Work ===

impl Work {
    fn apply(&mut self, operation: PatchOperation) -> Result<(), Status> {
        let Some(operation) = self.lenient(operation) else { return Ok(()) };
        self.check(&operation)?;
        json_patch::patch_unsafe(&mut self.object, &[operation]).map_err(|_| Status::unprocessable())
    }

    /// The operation as a kube-apiserver understands it; `None` if it holds already.
    fn lenient(&self, operation: PatchOperation) -> Option<PatchOperation> {
        let is_missing = |path: &Pointer| {
            let fields = self.parent(path).and_then(Value::as_object);
            fields.zip(path.last()).is_some_and(|(fields, name)| !fields.contains_key(name.decoded().as_ref()))
        };
        match operation {
            PatchOperation::Replace(replace) if is_missing(&replace.path) => {
                Some(PatchOperation::Add(AddOperation { path: replace.path, value: replace.value }))
            }
            PatchOperation::Copy(copy) if is_missing(&copy.from) => {
                Some(PatchOperation::Add(AddOperation { path: copy.path, value: Value::Null }))
            }
            PatchOperation::Test(test) if test.value.is_null() && is_missing(&test.path) => None,
            operation => Some(operation),
        }
    }

    /// Refuses what would be too deep, too large or too slow.
    fn check(&mut self, operation: &PatchOperation) -> Result<(), Status> {
        match operation {
            PatchOperation::Add(add) => {
                self.insert(&add.path)?;
                check_depth(&add.path, json::depth(&add.value))
            }
            PatchOperation::Replace(replace) => check_depth(&replace.path, json::depth(&replace.value)),
            PatchOperation::Remove(remove) => self.shift(&remove.path),
            PatchOperation::Move(r#move) => {
                self.shift(&r#move.from)?;
                self.insert(&r#move.path)?;
                self.check_move(&r#move.from, &r#move.path)
            }
            PatchOperation::Copy(copy) => {
                self.insert(&copy.path)?;
                self.check_copy(&copy.from, &copy.path)
            }
            PatchOperation::Test(_) => Ok(()),
        }
    }

    fn insert(&mut self, path: &Pointer) -> Result<(), Status> {
        if path.is_root() {
            return Err(Status::unprocessable());
        }
        self.shift(path)
    }

    /// Accounts for the items of a list that make place for another, or close up.
    fn shift(&mut self, path: &Pointer) -> Result<(), Status> {
        let items = self.parent(path).and_then(Value::as_array).map_or(0, Vec::len);
        let index = path.last().and_then(|token| token.encoded().parse().ok()).unwrap_or(items);
        self.spend(items.saturating_sub(index))
    }

    fn check_move(&mut self, from: &Pointer, to: &Pointer) -> Result<(), Status> {
        if to.count() <= from.count() {
            return Ok(());
        }
        let value = self.get(from)?;
        let (depth, values) = (json::depth(value), count(value));
        self.spend(values)?;
        check_depth(to, depth)
    }

    fn check_copy(&mut self, from: &Pointer, to: &Pointer) -> Result<(), Status> {
        if from.is_root() {
            return Err(Status::unprocessable());
        }
        let value = self.get(from)?;
        check_depth(to, json::depth(value))?;
        self.copied += json::encode(value).len();
        if self.copied > MAX_COPIED {
            return Err(Status::too_large(&format!("limit is {MAX_COPIED}")));
        }
        Ok(())
    }

    fn spend(&mut self, values: usize) -> Result<(), Status> {
        self.moved += values;
        if self.moved > MAX_WORK {
            return Err(Status::too_large("the JSON patch moves too many values"));
        }
        Ok(())
    }

    fn get(&self, path: &Pointer) -> Result<&Value, Status> {
        self.object.pointer(path.as_str()).ok_or_else(Status::unprocessable)
    }

    fn parent(&self, path: &Pointer) -> Option<&Value> {
        self.object.pointer(path.parent()?.as_str())
    }
}

fn check_depth(path: &Pointer, depth: usize) -> Result<(), Status> {
    if path.count() + depth > json::MAX_DEPTH { Err(Status::unprocessable()) } else { Ok(()) }
}

fn count(value: &Value) -> usize {
    match value {
        Value::Object(map) => 1 + map.values().map(count).sum::<usize>(),
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        _ => 1,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use crate::{json, patch::Patch, status::Status};

    use super::Value;

    fn apply(object: &Value, operations: Value) -> Result<Value, Status> {
        Patch::json(operations.to_string().as_bytes()).unwrap().apply(object)
    }

    #[test]
    fn operations_change_the_object() {
        let object = json!({ "a": { "b": 1, "n": null, "~/": 2 }, "l": [1, 2] });
        let cases = [
            (json!([]), object.clone()),
            (json!(null), object.clone()),
            (
                json!([{"op": "add", "path": "/c", "value": {}}]),
                json!({ "a": { "b": 1, "n": null, "~/": 2 }, "l": [1, 2], "c": {} }),
            ),
            (json!([{"op": "replace", "path": "/a", "value": 5}]), json!({ "a": 5, "l": [1, 2] })),
            (
                json!([{"op": "remove", "path": "/a"}, {"op": "add", "path": "/l/-", "value": 3}]),
                json!({ "l": [1, 2, 3] }),
            ),
            (
                json!([{"op": "remove", "path": "/a"}, {"op": "add", "path": "/l/0", "value": 0}]),
                json!({ "l": [0, 1, 2] }),
            ),
            (json!([{"op": "remove", "path": "/a"}, {"op": "remove", "path": "/l/0"}]), json!({ "l": [2] })),
            (
                json!([{"op": "move", "from": "/a/b", "path": "/l/1"}, {"op": "remove", "path": "/a"}]),
                json!({ "l": [1, 1, 2] }),
            ),
            (json!([{"op": "copy", "from": "/l", "path": "/a"}]), json!({ "a": [1, 2], "l": [1, 2] })),
            (
                json!([{"op": "test", "path": "/a/~0~1", "value": 2}, {"op": "replace", "path": "/a", "value": 1}]),
                json!({ "a": 1, "l": [1, 2] }),
            ),
            (json!([{"op": "test", "path": "", "value": object}]), object.clone()),
            // As a kube-apiserver has it.
            (
                json!([{"op": "replace", "path": "/a", "value": 1}, {"op": "replace", "path": "/new", "value": 1}]),
                json!({ "a": 1, "l": [1, 2], "new": 1 }),
            ),
            (
                json!([{"op": "test", "path": "/none", "value": null}, {"op": "test", "path": "/a/n", "value": null}]),
                object.clone(),
            ),
            (json!([{"op": "test", "path": "/none"}]), object.clone()),
            (
                json!([{"op": "remove", "path": "/a"}, {"op": "copy", "from": "/none", "path": "/x"}]),
                json!({ "l": [1, 2], "x": null }),
            ),
            (json!([{"op": "add", "path": "/a"}]), json!({ "a": null, "l": [1, 2] })),
        ];
        for (operations, expected) in cases {
            assert_eq!(apply(&object, operations.clone()), Ok(expected), "{operations}");
        }
    }

    #[test]
    fn operations_that_do_not_apply_are_unprocessable() {
        let object = json!({ "a": { "b": 1, "n": null }, "l": [1, 2], "s": "x" });
        let cases = [
            json!({"op": "test", "path": "/a/b", "value": 77}),
            json!({"op": "test", "path": "/a/b", "value": null}),
            json!({"op": "test", "path": "/a/n", "value": 1}),
            json!({"op": "test", "path": "/none", "value": 1}),
            json!({"op": "test", "path": "/none/none", "value": null}),
            json!({"op": "test", "path": "/l/5", "value": null}),
            json!({"op": "test", "path": "", "value": {}}),
            json!({"op": "remove", "path": "/none"}),
            json!({"op": "remove", "path": "/l/2"}),
            json!({"op": "remove", "path": "/l/-"}),
            json!({"op": "remove", "path": ""}),
            json!({"op": "add", "path": "/none/x", "value": 1}),
            json!({"op": "add", "path": "/s/x", "value": 1}),
            json!({"op": "add", "path": "/a/n/x", "value": 1}),
            json!({"op": "add", "path": "/l/3", "value": 1}),
            json!({"op": "add", "path": "/l/-1", "value": 1}),
            json!({"op": "add", "path": "/l/x", "value": 1}),
            json!({"op": "add", "path": "", "value": {}}),
            json!({"op": "add", "path": "a", "value": 1}),
            json!({"op": "add", "path": "/~2", "value": 1}),
            json!({"op": "add", "value": 1}),
            json!({"op": "replace", "path": "/l/2", "value": 1}),
            json!({"op": "replace", "path": "/none/x", "value": 1}),
            json!({"op": "move", "from": "/none", "path": "/x"}),
            json!({"op": "move", "from": "/a", "path": "/a/x"}),
            json!({"op": "move", "from": "/a", "path": ""}),
            json!({"op": "move", "path": "/x"}),
            json!({"op": "copy", "from": "/none/x", "path": "/x"}),
            json!({"op": "copy", "from": "/l/2", "path": "/x"}),
            json!({"op": "copy", "from": "", "path": "/x"}),
            json!({"op": "copy", "from": "/a", "path": ""}),
            json!({"op": "spam", "path": "/a"}),
            json!({"path": "/a"}),
            json!(null),
        ];
        for operation in cases {
            assert_eq!(apply(&object, json!([operation])), Err(Status::unprocessable()), "{operation}");
        }
    }

    #[test]
    fn a_patch_applies_as_a_whole_or_not_at_all() {
        let object = json!({ "a": 1 });
        let operations = json!([{"op": "remove", "path": "/a"}, {"op": "test", "path": "/b", "value": 1}]);
        assert_eq!(apply(&object, operations), Err(Status::unprocessable()));
        assert_eq!(object, json!({ "a": 1 }));
    }

    #[test]
    fn copies_are_limited_together() {
        let object = json!({ "a": "x".repeat(1 << 20) });
        let copy = |to: &str| json!({ "op": "copy", "from": "/a", "path": to });
        assert!(apply(&object, json!([copy("/b"), copy("/c")])).is_ok());
        let status = apply(&object, json!([copy("/b"), copy("/c"), copy("/c")])).unwrap_err();
        assert_eq!((status.code, status.message.as_str()), (413, "Request entity too large: limit is 3145728"));
        let doubling: Vec<_> = (0..64).map(|_| json!({ "op": "copy", "from": "/a", "path": "/a/-" })).collect();
        assert_eq!(apply(&json!({ "a": [0] }), json!(doubling)).unwrap_err().code, 413);
    }

    #[test]
    fn nothing_gets_deeper_than_can_be_read() {
        let doubling: Vec<_> = (0..32).map(|_| json!({ "op": "copy", "from": "/a", "path": "/a/0" })).collect();
        let nested: Vec<_> = (0..200)
            .flat_map(|_| {
                [
                    json!({ "op": "add", "path": "/b", "value": {} }),
                    json!({ "op": "move", "from": "/a", "path": "/b/a" }),
                    json!({ "op": "move", "from": "/b", "path": "/a" }),
                ]
            })
            .collect();
        let object = json!({ "a": [0] });
        assert_eq!(apply(&object, json!(nested)), Err(Status::unprocessable()));
        assert!(apply(&object, json!(doubling)).is_err());
        let deep = |levels: usize| (1..levels).fold(json!({}), |value, _| json!({ "x": value }));
        let add = |value: Value| json!([{ "op": "add", "path": "/a", "value": value }]);
        assert_eq!(json::depth(&apply(&object, add(deep(json::MAX_DEPTH - 3))).unwrap()), json::MAX_DEPTH - 2);
        assert_eq!(
            apply(&json!({ "a": deep(118) }), json!([{ "op": "move", "from": "/a", "path": "/b" }])).unwrap(),
            json!({ "b": deep(118) })
        );
        let deeper = json!([{ "op": "add", "path": "/b", "value": { "c": {} } }, { "op": "move", "from": "/a", "path": "/b/c/d" }]);
        assert_eq!(apply(&json!({ "a": deep(119) }), deeper), Err(Status::unprocessable()));
    }

    #[test]
    fn moving_many_values_many_times_is_refused() {
        let object = json!({ "l": vec![0; 100_000] });
        let operations = vec![json!({ "op": "add", "path": "/l/0", "value": 0 }); 10_000];
        assert_eq!(apply(&object, json!(operations)).unwrap_err().code, 413);
        let appended = vec![json!({ "op": "add", "path": "/l/-", "value": 0 }); 1_000];
        assert_eq!(apply(&object, json!(appended)).unwrap()["l"].as_array().unwrap().len(), 101_000);
    }
}
