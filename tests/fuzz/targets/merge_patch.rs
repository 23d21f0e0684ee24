//! A merge patch, and an object that it is applied to.
#![no_main]

use fuzz::{parts, value};
use libfuzzer_sys::fuzz_target;
use machinery::{json, patch::Patch};
use serde_json::json;

fuzz_target!(|data: &[u8]| {
    let [patch, object] = parts(data);
    let Ok(patch) = Patch::merge(patch) else { return };
    let object = value(object).unwrap_or_else(|| json!({"a": {"b": [1, 2, 3]}, "c/d": "e"}));
    let Ok(patched) = patch.apply(&object) else { return };
    assert!(json::depth(&patched) <= json::MAX_DEPTH, "a patch makes nothing that is too deep");
    let again = patch.apply(&patched);
    assert_eq!(again.as_ref().ok(), Some(&patched), "the same patch again changes nothing");
});
