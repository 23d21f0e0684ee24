//! A JSON patch, and an object that it is applied to.
#![no_main]

use fuzz::{parts, value};
use libfuzzer_sys::fuzz_target;
use machinery::{json, patch::Patch};
use serde_json::json;

fuzz_target!(|data: &[u8]| {
    let [patch, object] = parts(data);
    let Ok(patch) = Patch::json(patch) else { return };
    assert!(patch.is_json());
    let object = value(object).unwrap_or_else(|| json!({"a": {"b": [1, 2, 3]}, "c/d": "e", "~": null}));
    if let Ok(patched) = patch.apply(&object) {
        assert!(json::depth(&patched) <= json::MAX_DEPTH, "a patch can make it too deep to be read again");
    }
});
