//! Where in a document a walk is, kept on the stack and written out only when something is wrong there.

use std::fmt;

/// A position: the root, or a step below another position.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Path<'a> {
    /// The whole document; written as nothing.
    Root,
    /// A position that is written with this prefix: validation of a part of an object names it by the whole's path.
    At(&'a str),
    /// A field: `parent.name`, or `name` right below the root.
    Field(&'a Path<'a>, &'a str),
    /// An entry of a map whose keys are data: `parent[key]`.
    Key(&'a Path<'a>, &'a str),
    /// An item of a list: `parent[3]`.
    Index(&'a Path<'a>, usize),
}

// === impl Path ===

impl<'a> Path<'a> {
    /// The field `name` of what is here.
    pub(crate) fn field(&'a self, name: &'a str) -> Path<'a> {
        Path::Field(self, name)
    }

    /// The entry `key` of the map that is here.
    pub(crate) fn key(&'a self, key: &'a str) -> Path<'a> {
        Path::Key(self, key)
    }

    /// The item at `index` of the list that is here.
    pub(crate) fn index(&'a self, index: usize) -> Path<'a> {
        Path::Index(self, index)
    }

    /// Whether this is the whole document.
    pub(crate) fn is_root(&self) -> bool {
        matches!(self, Path::Root)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::At(prefix) => f.write_str(prefix),
            Path::Field(parent, name) if parent.is_root() => f.write_str(name),
            Path::Field(parent, name) => write!(f, "{parent}.{name}"),
            Path::Key(parent, key) => write!(f, "{parent}[{key}]"),
            Path::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

impl From<Path<'_>> for String {
    fn from(path: Path<'_>) -> Self {
        path.to_string()
    }
}

impl From<&Path<'_>> for String {
    fn from(path: &Path<'_>) -> Self {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_kubernetes_writes_it() {
        let spec = Path::Root.field("spec");
        let ports = spec.field("ports");
        assert_eq!(ports.index(2).field("port").to_string(), "spec.ports[2].port");
        let labels = spec.field("labels");
        assert_eq!(labels.key("a/b").to_string(), "spec.labels[a/b]");
        assert_eq!(Path::At("status").field("phase").to_string(), "status.phase");
        assert_eq!(Path::Root.to_string(), "");
    }
}
