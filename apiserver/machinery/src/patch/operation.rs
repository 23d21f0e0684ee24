//! The operations of a JSON patch, as they are sent.

use json_patch::{
    AddOperation, CopyOperation, MoveOperation, PatchOperation, RemoveOperation, ReplaceOperation, TestOperation,
    jsonptr::PointerBuf,
};
use serde_json::{Map, Value};

use super::mistyped;

/// One operation. Go decodes whatever has these fields; whether it makes sense shows when it is its turn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Operation {
    op: Option<String>,
    path: Option<String>,
    from: Option<String>,
    value: Value,
}

/// Reads operations, and the paths of their fields that no operation has. The error is Go's text.
pub(super) fn decode(patch: Value) -> Result<(Vec<Operation>, Vec<String>), String> {
    let (mut operations, mut unknown) = (Vec::new(), Vec::new());
    let sent = match patch {
        Value::Null => Vec::new(),
        Value::Array(operations) => operations,
        value => return Err(mistyped(&value, "value of type []handlers.jsonPatchOp")),
    };
    for (index, operation) in sent.into_iter().enumerate() {
        let fields = match operation {
            Value::Null => Map::new(),
            Value::Object(fields) => fields,
            value => return Err(mistyped(&value, "value of type handlers.jsonPatchOp")),
        };
        operations.push(Operation::decode(fields, |field| unknown.push(format!("[{index}].{field}")))?);
    }
    Ok((operations, unknown))
}

// === impl Operation ===

impl Operation {
    fn decode(fields: Map<String, Value>, mut unknown: impl FnMut(&str)) -> Result<Self, String> {
        let mut operation = Self::default();
        for (field, value) in fields {
            let text = match field.as_str() {
                "op" => &mut operation.op,
                "path" => &mut operation.path,
                "from" => &mut operation.from,
                "value" => {
                    operation.value = value;
                    continue;
                }
                field => {
                    unknown(field);
                    continue;
                }
            };
            *text = match value {
                Value::Null => None,
                Value::String(text) => Some(text),
                value => return Err(mistyped(&value, &format!("struct field jsonPatchOp.{field} of type string"))),
            };
        }
        Ok(operation)
    }

    /// The operation that RFC 6902 knows; `None` if it knows none such, or a pointer is none. As in Go, what lacks a
    /// value has null.
    pub(super) fn resolve(&self) -> Option<PatchOperation> {
        let path = pointer(&self.path)?;
        let from = || pointer(&self.from);
        let value = self.value.clone();
        Some(match self.op.as_deref()? {
            "add" => PatchOperation::Add(AddOperation { path, value }),
            "remove" => PatchOperation::Remove(RemoveOperation { path }),
            "replace" => PatchOperation::Replace(ReplaceOperation { path, value }),
            "move" => PatchOperation::Move(MoveOperation { from: from()?, path }),
            "copy" => PatchOperation::Copy(CopyOperation { from: from()?, path }),
            "test" => PatchOperation::Test(TestOperation { path, value }),
            _ => return None,
        })
    }
}

fn pointer(text: &Option<String>) -> Option<PointerBuf> {
    PointerBuf::parse(text.as_deref()?).ok()
}
