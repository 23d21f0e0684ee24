//! Where a list goes on, as the client says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use machinery::continue_token::Token;

fuzz_target!(|data: &[u8]| {
    for all_namespaces in [false, true] {
        let Ok(token) = Token::decode(fuzz::text(data), all_namespaces) else { continue };
        assert!(!token.name.contains('/') && !token.namespace.contains('/'), "{token:?} leaves its folder");
        assert_eq!(Token::decode(&token.encode(), all_namespaces).as_ref().ok(), Some(&token));
    }
});
