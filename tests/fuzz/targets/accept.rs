//! The headers that say what a client sends and wants.
#![no_main]

use libfuzzer_sys::fuzz_target;
use machinery::negotiate;

fuzz_target!(|data: &[u8]| {
    let header = fuzz::text(data);
    for pretty in [false, true] {
        let _ = negotiate::accept(header, pretty);
        negotiate::status(header, pretty);
    }
    let _ = negotiate::watch(header);
    if let Some(chosen) = negotiate::choose(header, &["application/json", "application/yaml"]) {
        assert!(["application/json", "application/yaml"].contains(&chosen));
    }
    let _ = (negotiate::discovery(header, true), negotiate::discovery(header, false));
    let _ = (negotiate::content_type(header), negotiate::patch_type(header));
    negotiate::pretty(Some(header), header);
    assert!(machinery::managed_fields::default_manager(header).len() <= 128);
});
