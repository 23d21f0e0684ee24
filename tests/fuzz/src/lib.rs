//! What the targets share: inputs of several parts, and the kinds they are about.

use std::sync::LazyLock;

use machinery::json;
use schema::{Definition, Version};
use serde_json::Value;

/// Between the parts of an input, so that seeds can be read and written by people.
const SEPARATOR: &[u8] = b"\n---\n";

/// The kinds of the examples, and the one that is built in: `apiVersion` and version.
pub static KINDS: LazyLock<Vec<(String, Version)>> = LazyLock::new(|| {
    let documents: [&[u8]; 3] = [
        include_bytes!("../../examples/crds/widgets.yaml"),
        include_bytes!("../../examples/crds/rules.yaml"),
        include_bytes!("../../../apiserver/src/kinds/bundle_deployment.yaml"),
    ];
    let definitions = documents.iter().flat_map(|document| Definition::parse(document).expect("an example is valid"));
    let stored = |definition: Definition| {
        let version = definition.storage().clone();
        (format!("{}/{}", definition.group, version.name), version)
    };
    definitions.map(stored).collect()
});

/// The first `N` parts of an input; those that are missing are empty.
pub fn parts<const N: usize>(mut data: &[u8]) -> [&[u8]; N] {
    std::array::from_fn(|_| match data.windows(SEPARATOR.len()).position(|window| window == SEPARATOR) {
        Some(at) => {
            let part = &data[..at];
            data = &data[at + SEPARATOR.len()..];
            part
        }
        None => std::mem::take(&mut data),
    })
}

/// A part that is JSON as the server reads it.
pub fn value(part: &[u8]) -> Option<Value> {
    json::decode(part).ok().map(|decoded| decoded.value)
}

/// A part as the text of a header: what is not UTF-8 never gets so far.
pub fn text(part: &[u8]) -> &str {
    std::str::from_utf8(part).unwrap_or_default()
}
