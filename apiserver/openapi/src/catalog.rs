//! Resources by group and version, in the order in which every document lists them.
//!
//! The order is Kubernetes' own: groups and resources by name, versions by what they promise, so that the first version
//! of a group is the preferred one. It does not depend on the order in which resources were given.

use std::collections::BTreeMap;

use schema::definition::compare_versions;

use crate::Resource;

/// A group that is served.
pub(crate) struct Group<'a> {
    pub(crate) name: &'a str,
    /// Never empty.
    pub(crate) versions: Vec<Version<'a>>,
}

/// A version of a group.
pub(crate) struct Version<'a> {
    pub(crate) group: &'a str,
    pub(crate) name: &'a str,
    pub(crate) resources: Vec<&'a Resource>,
}

impl Version<'_> {
    /// `GROUP/VERSION`.
    pub(crate) fn group_version(&self) -> String {
        format!("{}/{}", self.group, self.name)
    }
}

/// Sorts resources into groups and versions.
pub(crate) fn groups(resources: &[Resource]) -> Vec<Group<'_>> {
    let mut groups: BTreeMap<&str, BTreeMap<&str, Vec<&Resource>>> = BTreeMap::new();
    for resource in resources {
        groups.entry(&resource.group).or_default().entry(&resource.version).or_default().push(resource);
    }
    groups.into_iter().map(|(name, versions)| Group { name, versions: sorted(name, versions) }).collect()
}

fn sorted<'a>(group: &'a str, versions: BTreeMap<&'a str, Vec<&'a Resource>>) -> Vec<Version<'a>> {
    let version = |(name, mut resources): (&'a str, Vec<&'a Resource>)| {
        resources.sort_by_key(|resource| &resource.plural);
        Version { group, name, resources }
    };
    let mut versions: Vec<_> = versions.into_iter().map(version).collect();
    versions.sort_by(|one, other| compare_versions(other.name, one.name));
    versions
}
