//! What is printed: NodeRestarts as `-o` wants them.

use machinery::yaml;
use serde_json::Value;

use crate::{cli::Output, restart};

/// The document, with its last line feed.
pub(crate) fn of(output: Output, object: &Value) -> String {
    match output {
        Output::Json => format!("{object:#}\n"),
        // Each begins a document, so that several can be read as one stream.
        Output::Yaml => format!("---\n{}", String::from_utf8_lossy(&yaml::encode(object))),
        Output::Name => format!("noderestart.infraops.michael.io/{}\n", restart::name(object)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_format_ends_with_a_line_feed() {
        let object = json!({ "kind": "NodeRestart", "metadata": { "name": "a-1" } });
        assert_eq!(of(Output::Name, &object), "noderestart.infraops.michael.io/a-1\n");
        assert_eq!(of(Output::Yaml, &object), "---\nkind: NodeRestart\nmetadata:\n  name: a-1\n");
        assert!(of(Output::Json, &object).ends_with("}\n"));
    }
}
