//! `managedFields` as a client sends them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use machinery::managed_fields::FieldSet;

fuzz_target!(|data: &[u8]| {
    let Some(value) = fuzz::value(data) else { return };
    let Ok(set) = FieldSet::parse(&value) else { return };
    // As printed: a float that is whole comes back as an integer.
    assert_eq!(FieldSet::parse(&set.to_value()).map(|again| again.to_value()).ok(), Some(set.to_value()));
    assert_eq!(set.union(&set), set);
    assert_eq!(set.intersection(&set), set);
    assert!(set.difference(&set).is_empty());
});
