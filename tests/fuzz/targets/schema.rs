//! An object, and the schemas of the examples: pruned, completed, checked, printed.
#![no_main]

use fuzz::{KINDS, parts, value};
use libfuzzer_sys::fuzz_target;
use machinery::time::Timestamp;

fuzz_target!(|data: &[u8]| {
    let [object, old] = parts(data);
    let Some(object) = value(object).filter(|object| object.is_object()) else { return };
    let old = value(old).filter(|old| old.is_object());
    for (_, version) in KINDS.iter() {
        let mut object = object.clone();
        version.schema.prune(&mut object);
        assert_eq!(version.schema.prune(&mut object), Vec::<String>::new(), "pruned is pruned");
        version.schema.default(&mut object);
        let complete = object.clone();
        version.schema.default(&mut object);
        assert_eq!(object, complete, "complete is complete");
        version.schema.validate(&object, None);
        version.schema.validate(&object, old.as_ref());
        version.schema.validate_status(&object, old.as_ref().unwrap_or(&complete));
        version.columns.cells(&object, Timestamp::from_unix(1_700_000_000));
    }
});
