//! Bodies and files that are YAML.
#![no_main]

use libfuzzer_sys::fuzz_target;
use machinery::{json, yaml};

fuzz_target!(|data: &[u8]| {
    let Ok(decoded) = yaml::decode(data) else { return };
    assert!(json::depth(&decoded.value) <= json::MAX_DEPTH);
    decoded.problem();
    let written = yaml::encode(&decoded.value);
    // Go writes a key `<<` as it stands, which reads as a merge; and so do we.
    if written.windows(2).any(|pair| pair == b"<<") {
        return;
    }
    let again = yaml::decode(&written).expect("what is written can be read");
    // As bytes: a large float that is whole comes back as an integer, as in Go.
    assert_eq!(yaml::encode(&again.value), written);
});
