//! What a kind and its resource are called, and the rules for it.

use machinery::{field::Error, name::dns1123_subdomain};
use serde_json::Value;

use crate::{name::dns1035_label, path::Path, read::Reader};

/// The names of a kind and its resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The resource, as in URLs: `widgets`.
    pub plural: String,
    /// What a single one may be called on the command line: `widget`.
    pub singular: String,
    /// The kind: `Widget`.
    pub kind: String,
    /// The kind of lists: `WidgetList`.
    pub list_kind: String,
    /// Abbreviations for the command line: `wd`.
    pub short_names: Vec<String>,
    /// Groups of resources that it belongs to: `all`.
    pub categories: Vec<String>,
}

// === impl Names ===

impl Names {
    pub(super) fn read(value: &Value, path: &Path<'_>, problems: &mut Vec<Error>) -> Option<Self> {
        let mut read = Reader::new(value, path, problems)?;
        let mut names = Self {
            plural: read.text("plural"),
            singular: read.text("singular"),
            kind: read.text("kind"),
            list_kind: read.text("listKind"),
            short_names: read.texts("shortNames"),
            categories: read.texts("categories"),
        };
        if names.singular.is_empty() {
            names.singular = names.kind.to_lowercase();
        }
        if names.list_kind.is_empty() {
            names.list_kind = format!("{}List", names.kind);
        }
        names.check(path, problems);
        Some(names)
    }

    fn check(&self, path: &Path<'_>, problems: &mut Vec<Error>) {
        label(&self.plural, &path.field("plural"), problems);
        label(&self.singular, &path.field("singular"), problems);
        kind(&self.kind, &path.field("kind"), problems);
        kind(&self.list_kind, &path.field("listKind"), problems);
        if self.kind == self.list_kind {
            let detail = "kind and listKind may not be the same";
            problems.push(Error::invalid(path.field("listKind"), self.list_kind.as_str(), detail));
        }
        for (name, labels) in [("shortNames", &self.short_names), ("categories", &self.categories)] {
            let list = path.field(name);
            labels.iter().enumerate().for_each(|(index, text)| label(text, &list.index(index), problems));
        }
    }
}

/// Checks the group, which the names are completed with.
pub(super) fn group(group: &str, spec: &Path<'_>, problems: &mut Vec<Error>) {
    let path = spec.field("group");
    let wrong = dns1123_subdomain(group);
    if group.is_empty() {
        problems.push(Error::required(path, "must be a domain with at least one dot"));
    } else if !wrong.is_empty() {
        problems.push(Error::invalid(path, group, &wrong.join(",")));
    } else if !group.contains('.') {
        problems.push(Error::invalid(path, group, "should be a domain with at least one dot"));
    }
}

fn label(text: &str, path: &Path<'_>, problems: &mut Vec<Error>) {
    let wrong = dns1035_label(text);
    if text.is_empty() {
        problems.push(Error::required(path, ""));
    } else if !wrong.is_empty() {
        problems.push(Error::invalid(path, text, &wrong.join(",")));
    }
}

fn kind(text: &str, path: &Path<'_>, problems: &mut Vec<Error>) {
    let wrong = dns1035_label(&text.to_lowercase());
    if text.is_empty() {
        problems.push(Error::required(path, ""));
    } else if !wrong.is_empty() {
        let detail = format!("may have mixed case, but should otherwise match: {}", wrong.join(","));
        problems.push(Error::invalid(path, text, &detail));
    }
}
