//! Reading typed fields out of a document: what is of another type becomes an error at its position, and reads as
//! absent.

use machinery::field::Error;
use serde_json::{Map, Value};

use crate::path::Path;

/// An object of a document, and where it stands.
pub(crate) struct Reader<'a, 'p> {
    object: &'a Map<String, Value>,
    path: &'p Path<'p>,
    problems: &'p mut Vec<Error>,
}

// === impl Reader ===

impl<'a, 'p> Reader<'a, 'p> {
    /// A reader of `value`; nothing but an object can be read.
    pub(crate) fn new(value: &'a Value, path: &'p Path<'p>, problems: &'p mut Vec<Error>) -> Option<Self> {
        match value {
            Value::Object(object) => Some(Self { object, path, problems }),
            other => {
                problems.push(Error::invalid(path, other.clone(), "must be an object"));
                None
            }
        }
    }

    /// The field `key`, unless it is absent or null.
    pub(crate) fn value(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    /// A string; empty when absent.
    pub(crate) fn text(&mut self, key: &str) -> String {
        self.typed(key, "must be a string", Value::as_str).unwrap_or_default().to_owned()
    }

    /// A boolean; false when absent.
    pub(crate) fn flag(&mut self, key: &str) -> bool {
        self.typed(key, "must be true or false", Value::as_bool).unwrap_or_default()
    }

    /// A number.
    pub(crate) fn number(&mut self, key: &str) -> Option<f64> {
        self.typed(key, "must be a number", Value::as_f64)
    }

    /// A whole number.
    pub(crate) fn count(&mut self, key: &str) -> Option<i64> {
        self.typed(key, "must be an integer", Value::as_i64)
    }

    /// A list; empty when absent.
    pub(crate) fn items(&mut self, key: &str) -> &'a [Value] {
        self.typed(key, "must be a list", Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// A list of strings; empty when absent.
    pub(crate) fn texts(&mut self, key: &str) -> Vec<String> {
        let items = self.items(key);
        let texts: Vec<_> = items.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        if texts.len() < items.len() {
            self.refuse(key, "must be a list of strings");
        }
        texts
    }

    /// The entries of an object; none when absent.
    pub(crate) fn entries(&mut self, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        self.typed(key, "must be an object", Value::as_object).into_iter().flatten()
    }

    fn typed<T>(&mut self, key: &str, must: &str, get: impl FnOnce(&'a Value) -> Option<T>) -> Option<T> {
        let found = get(self.value(key)?);
        if found.is_none() {
            self.refuse(key, must);
        }
        found
    }

    fn refuse(&mut self, key: &str, must: &str) {
        let path = self.path.field(key).to_string();
        self.problems.push(Error::invalid(&path, self.object[key].clone(), must));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_of_another_type_are_errors_at_their_position_and_read_as_absent() {
        let document = json!({"name": 5, "on": "yes", "size": "big", "tags": ["a", 1], "map": [], "nothing": null});
        let (path, mut problems) = (Path::At("spec"), Vec::new());
        let mut read = Reader::new(&document, &path, &mut problems).expect("it is an object");
        assert_eq!(read.text("name"), "");
        assert!(!read.flag("on"));
        assert_eq!((read.number("size"), read.count("size")), (None, None));
        assert_eq!(read.texts("tags"), ["a"]);
        assert_eq!(read.entries("map").count(), 0);
        assert_eq!(read.value("nothing"), None);
        assert!(read.text("absent").is_empty());
        let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "spec.name: Invalid value: 5: must be a string",
                "spec.on: Invalid value: \"yes\": must be true or false",
                "spec.size: Invalid value: \"big\": must be a number",
                "spec.size: Invalid value: \"big\": must be an integer",
                "spec.tags: Invalid value: [\"a\",1]: must be a list of strings",
                "spec.map: Invalid value: []: must be an object",
            ]
        );
    }

    #[test]
    fn nothing_but_an_object_is_read() {
        let mut problems = Vec::new();
        assert!(Reader::new(&json!([]), &Path::At("spec"), &mut problems).is_none());
        assert_eq!(problems[0].to_string(), "spec: Invalid value: []: must be an object");
    }
}
