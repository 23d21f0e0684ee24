//! The manifest for krew is one.
#![expect(clippy::unwrap_used, reason = "tests")]

use machinery::yaml;
use serde_json::Value;

#[test]
fn the_manifest_is_complete() {
    let manifest: Value = yaml::decode(include_bytes!("../krew.yaml")).unwrap().value;
    let text = |at: &str| manifest.pointer(at).and_then(Value::as_str).unwrap_or_default();
    assert_eq!(text("/metadata/name"), "cbt");
    assert!((1..=50).contains(&text("/spec/shortDescription").len()), "krew shows it in a table");
    let platforms = manifest["spec"]["platforms"].as_array().unwrap();
    for platform in platforms {
        let labels = &platform["selector"]["matchLabels"];
        let [os, arch] = ["os", "arch"].map(|label| labels[label].as_str().unwrap().to_uppercase());
        assert_eq!(platform["uri"], format!("${{{os}_{arch}_URI}}"));
        assert_eq!(platform["sha256"], format!("${{{os}_{arch}_SHA256}}"));
        assert_eq!(platform["bin"], "kubectl-cbt");
    }
    assert_eq!(platforms.len(), 4);
}
