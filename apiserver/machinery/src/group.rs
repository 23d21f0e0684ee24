//! Names of APIs: groups, versions, kinds and resources, printed as Kubernetes prints them.

use std::fmt;

/// A resource of a group, in whatever version.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupResource {
    /// API group; empty is the core group.
    pub group: String,
    /// Plural resource name.
    pub resource: String,
}

/// A kind of a group, in whatever version.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKind {
    /// API group; empty is the core group.
    pub group: String,
    /// Kind.
    pub kind: String,
}

/// A version of a group, the value of `apiVersion`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupVersion {
    /// API group; empty is the core group.
    pub group: String,
    /// Version.
    pub version: String,
}

/// A kind in one version of its group.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupVersionKind {
    /// API group; empty is the core group.
    pub group: String,
    /// Version.
    pub version: String,
    /// Kind.
    pub kind: String,
}

/// An `apiVersion` with more than one slash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unexpected GroupVersion string: {0}")]
pub struct ParseError(String);

// === impl GroupResource ===

impl GroupResource {
    /// `resource` of `group`.
    pub fn new(group: &str, resource: &str) -> Self {
        Self { group: group.to_owned(), resource: resource.to_owned() }
    }
}

impl fmt::Display for GroupResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        dotted(f, &self.resource, &self.group)
    }
}

// === impl GroupKind ===

impl GroupKind {
    /// `kind` of `group`.
    pub fn new(group: &str, kind: &str) -> Self {
        Self { group: group.to_owned(), kind: kind.to_owned() }
    }
}

impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        dotted(f, &self.kind, &self.group)
    }
}

// === impl GroupVersion ===

impl GroupVersion {
    /// `version` of `group`.
    pub fn new(group: &str, version: &str) -> Self {
        Self { group: group.to_owned(), version: version.to_owned() }
    }

    /// Reads an `apiVersion`: `v1`, `apps/v1`; `""` and `/` name nothing and are taken as such.
    pub fn parse(api_version: &str) -> Result<Self, ParseError> {
        if matches!(api_version, "" | "/") {
            return Ok(Self::default());
        }
        match api_version.split('/').collect::<Vec<_>>().as_slice() {
            [version] => Ok(Self::new("", version)),
            [group, version] => Ok(Self::new(group, version)),
            _ => Err(ParseError(api_version.to_owned())),
        }
    }

    /// The kind of this name in this version.
    pub fn with_kind(&self, kind: &str) -> GroupVersionKind {
        GroupVersionKind::new(&self.group, &self.version, kind)
    }
}

impl fmt::Display for GroupVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.group.is_empty() {
            write!(f, "{}/", self.group)?;
        }
        f.write_str(&self.version)
    }
}

// === impl GroupVersionKind ===

impl GroupVersionKind {
    /// `kind` of `group` in `version`.
    pub fn new(group: &str, version: &str, kind: &str) -> Self {
        Self { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
    }

    /// The `apiVersion` of such objects.
    pub fn group_version(&self) -> GroupVersion {
        GroupVersion::new(&self.group, &self.version)
    }

    /// The kind without its version.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind::new(&self.group, &self.kind)
    }
}

/// As Go prints it: `gold.example.com/v1, Kind=Widget`, with the slash also when the group is empty.
impl fmt::Display for GroupVersionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}, Kind={}", self.group, self.version, self.kind)
    }
}

fn dotted(f: &mut fmt::Formatter<'_>, name: &str, group: &str) -> fmt::Result {
    f.write_str(name)?;
    if !group.is_empty() {
        write!(f, ".{group}")?;
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_print_as_kubernetes_prints_them() {
        assert_eq!(GroupResource::new("gold.example.com", "widgets").to_string(), "widgets.gold.example.com");
        assert_eq!(GroupResource::new("", "pods").to_string(), "pods");
        assert_eq!(GroupKind::new("gold.example.com", "Widget").to_string(), "Widget.gold.example.com");
        assert_eq!(GroupVersion::new("", "v1").to_string(), "v1");
        let kind = GroupVersionKind::new("gold.example.com", "v2", "Widget");
        assert_eq!(kind.to_string(), "gold.example.com/v2, Kind=Widget");
        assert_eq!(GroupVersionKind::default().to_string(), "/, Kind=");
    }

    #[test]
    fn api_versions_have_at_most_one_slash() {
        assert_eq!(GroupVersion::parse("v1").unwrap(), GroupVersion::new("", "v1"));
        assert_eq!(GroupVersion::parse("apps/v1").unwrap(), GroupVersion::new("apps", "v1"));
        assert_eq!(GroupVersion::parse("").unwrap(), GroupVersion::default());
        assert_eq!(GroupVersion::parse("a/b/c").unwrap_err().to_string(), "unexpected GroupVersion string: a/b/c");
    }
}
