//! What a configuration would replace as a whole.

use serde_json::Value;

use super::types::{FieldTypes, ListType, MapType, WithMeta};

/// Where `config` has lists, maps or objects that are owned as wholes, as the kube-apiserver writes paths. What is below a
/// key that is not declared is not looked at.
pub fn atomics(config: &Value, types: &dyn FieldTypes) -> Vec<String> {
    let mut walk = Walk { types: &WithMeta(types), names: Vec::new(), path: String::new(), found: Vec::new() };
    walk.visit(config);
    walk.found
}

struct Walk<'a> {
    types: &'a dyn FieldTypes,
    names: Vec<&'a str>,
    path: String,
    found: Vec<String>,
}

// === impl Walk ===

impl<'a> Walk<'a> {
    fn visit(&mut self, value: &'a Value) {
        match value {
            Value::Object(map) => {
                if self.types.map(&self.names) == MapType::Atomic {
                    self.found.push(self.path.clone());
                }
                for (name, value) in map {
                    self.names.push(name);
                    let declared = self.types.is_declared(&self.names);
                    self.names.pop();
                    if declared {
                        self.within(name, &format!(".{name}"), value);
                    }
                }
            }
            Value::Array(items) => {
                if self.types.list(&self.names) == ListType::Atomic {
                    self.found.push(self.path.clone());
                }
                for (index, item) in items.iter().enumerate() {
                    self.within("*", &format!("[{index}]"), item);
                }
            }
            _ => {}
        }
    }

    fn within(&mut self, name: &'a str, step: &str, value: &'a Value) {
        let length = self.path.len();
        self.path.push_str(step);
        self.names.push(name);
        self.visit(value);
        self.names.pop();
        self.path.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::managed_fields::Untyped;

    struct Declared;

    impl FieldTypes for Declared {
        fn list(&self, path: &[&str]) -> ListType {
            if path == ["spec", "set"] { ListType::Set } else { ListType::Atomic }
        }

        fn map(&self, path: &[&str]) -> MapType {
            if path == ["spec", "whole"] { MapType::Atomic } else { MapType::Granular }
        }

        fn is_declared(&self, path: &[&str]) -> bool {
            path.last() != Some(&"key")
        }

        fn has_version(&self, _: &str) -> bool {
            true
        }
    }

    #[test]
    fn what_is_replaced_as_a_whole_is_found_where_it_is_declared() {
        let config =
            json!({"metadata": {"labels": {"a": "b"}}, "spec": {"set": [[1]], "list": [], "whole": {}, "key": []}});
        assert_eq!(atomics(&config, &Declared), [".spec.list", ".spec.set[0]", ".spec.whole"]);
        assert_eq!(atomics(&config, &Untyped), Vec::<String>::new());
    }
}
