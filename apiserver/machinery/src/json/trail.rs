//! Where a reader is in a document, and which fields it has met twice.

use std::collections::BTreeSet;

/// A complaint costs memory; Go stops at as many.
const MAX_DUPLICATES: usize = 100;

/// The way from the document to where a reader is.
#[derive(Default)]
pub(crate) struct Trail {
    steps: Vec<Step>,
    duplicates: Vec<String>,
    seen: BTreeSet<String>,
}

enum Step {
    Field(String),
    Item(usize),
}

// === impl Trail ===

impl Trail {
    /// Goes into a field of an object.
    pub(crate) fn field(&mut self, name: &str) {
        self.steps.push(Step::Field(name.to_owned()));
    }

    /// Goes into an item of a list.
    pub(crate) fn item(&mut self, index: usize) {
        self.steps.push(Step::Item(index));
    }

    /// Goes back.
    pub(crate) fn leave(&mut self) {
        self.steps.pop();
    }

    /// Notes that `field` comes again in the object that the reader is in.
    pub(crate) fn duplicate(&mut self, field: &str) {
        if self.duplicates.len() == MAX_DUPLICATES {
            return;
        }
        let path = self.path_of(field);
        if self.seen.insert(path.clone()) {
            self.duplicates.push(path);
        }
    }

    /// The fields that came twice, such as `spec.list[0].name`, each once.
    pub(crate) fn into_duplicates(self) -> Vec<String> {
        self.duplicates
    }

    fn path_of(&self, field: &str) -> String {
        let mut path = String::new();
        for step in &self.steps {
            match step {
                Step::Item(index) => path.push_str(&format!("[{index}]")),
                Step::Field(name) if path.is_empty() => path.push_str(name),
                Step::Field(name) => path.extend([".", name]),
            }
        }
        if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
    }
}
