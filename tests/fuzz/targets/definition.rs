//! A file of CustomResourceDefinitions.
#![no_main]

use libfuzzer_sys::fuzz_target;
use schema::Definition;
use serde_json::json;

fuzz_target!(|data: &[u8]| {
    let Ok(definitions) = Definition::parse(data) else { return };
    for definition in definitions {
        let version = definition.storage();
        let mut object = json!({"metadata": {"name": "a"}});
        version.schema.default(&mut object);
        version.schema.validate(&object, None);
        assert_eq!(version.columns.definitions().as_array().map(Vec::len), {
            let now = machinery::time::Timestamp::from_unix(1_700_000_000);
            Some(version.columns.cells(&object, now).len())
        });
    }
});
