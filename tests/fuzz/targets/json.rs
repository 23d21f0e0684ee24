//! Bodies that are JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use machinery::json;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    match json::decode(data) {
        Ok(decoded) => {
            assert!(json::depth(&decoded.value) <= json::MAX_DEPTH);
            let written = json::encode(&decoded.value);
            let again = json::decode(&written).expect("what is written can be read");
            // As bytes: a large float that is whole comes back as an integer, as in Go.
            assert_eq!(json::encode(&again.value), written);
            assert!(serde_json::from_slice::<Value>(&written).is_ok(), "anybody can read it");
            json::pretty(&written);
        }
        Err(error) => {
            assert!(error.offset() <= data.len());
            let deep = error.to_string().contains("depth");
            assert!(deep || serde_json::from_slice::<Value>(data).is_err(), "anybody else can read it: {error}");
        }
    }
});
