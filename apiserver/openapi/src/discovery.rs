//! Discovery as it has always been: one document for all groups, one per group, one per version.
//!
//! Field order follows the Kubernetes types, so that bodies are equal to a kube-apiserver's byte for byte.

pub(crate) mod aggregated;

use serde::Serialize;

use crate::{
    Resource, Subresource, SubresourceKind, Verb,
    catalog::{Group, Version},
};

/// `/apis`.
#[derive(Serialize)]
pub(crate) struct GroupList<'a> {
    kind: &'static str,
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    groups: Vec<GroupEntry<'a>>,
}

/// `/apis/GROUP`.
#[derive(Serialize)]
pub(crate) struct GroupDocument<'a> {
    kind: &'static str,
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    #[serde(flatten)]
    group: GroupEntry<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupEntry<'a> {
    name: &'a str,
    versions: Vec<VersionEntry<'a>>,
    preferred_version: Option<VersionEntry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VersionEntry<'a> {
    group_version: String,
    version: &'a str,
}

/// `/apis/GROUP/VERSION`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResourceList<'a> {
    kind: &'static str,
    api_version: &'static str,
    group_version: String,
    resources: Vec<ResourceEntry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceEntry<'a> {
    name: String,
    singular_name: &'a str,
    namespaced: bool,
    /// Only where they are not the list's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    kind: &'a str,
    verbs: Vec<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    short_names: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    categories: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_version_hash: Option<&'a str>,
}

/// `/api`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CoreVersions {
    kind: &'static str,
    api_version: &'static str,
    versions: [&'static str; 0],
    #[serde(rename = "serverAddressByClientCIDRs")]
    addresses: [&'static str; 0],
}

/// The versions of the core group: none is served here.
pub(crate) fn core() -> CoreVersions {
    CoreVersions { kind: "APIVersions", api_version: "v1", versions: [], addresses: [] }
}

/// The list of all groups.
pub(crate) fn group_list<'a>(groups: &[Group<'a>]) -> GroupList<'a> {
    GroupList { kind: "APIGroupList", api_version: "v1", groups: groups.iter().map(group_entry).collect() }
}

/// One group.
pub(crate) fn group<'a>(group: &Group<'a>) -> GroupDocument<'a> {
    GroupDocument { kind: "APIGroup", api_version: "v1", group: group_entry(group) }
}

fn group_entry<'a>(group: &Group<'a>) -> GroupEntry<'a> {
    let preferred_version = group.versions.first().map(version_entry);
    GroupEntry { name: group.name, versions: group.versions.iter().map(version_entry).collect(), preferred_version }
}

fn version_entry<'a>(version: &Version<'a>) -> VersionEntry<'a> {
    VersionEntry { group_version: version.group_version(), version: version.name }
}

/// The resources of one version.
pub(crate) fn resource_list<'a>(version: &Version<'a>) -> ResourceList<'a> {
    let rows = |&resource: &&'a Resource| {
        let below = resource.subresources.iter().map(move |subresource| subresource_entry(resource, subresource));
        std::iter::once(resource_entry(resource)).chain(below)
    };
    ResourceList {
        kind: "APIResourceList",
        api_version: "v1",
        group_version: version.group_version(),
        resources: version.resources.iter().flat_map(rows).collect(),
    }
}

fn resource_entry(resource: &Resource) -> ResourceEntry<'_> {
    ResourceEntry {
        name: resource.plural.clone(),
        singular_name: &resource.singular,
        namespaced: resource.namespaced,
        group: None,
        version: None,
        kind: &resource.kind,
        verbs: names(&resource.verbs),
        short_names: &resource.short_names,
        categories: &resource.categories,
        storage_version_hash: resource.storage_version_hash.as_deref(),
    }
}

fn subresource_entry<'a>(resource: &'a Resource, subresource: &'a Subresource) -> ResourceEntry<'a> {
    let (group, version, kind) = match subresource.kind {
        SubresourceKind::Own => (None, None, resource.kind.as_str()),
        SubresourceKind::Scale => (Some("autoscaling"), Some("v1"), "Scale"),
        SubresourceKind::Other(kind) => (None, None, kind),
    };
    ResourceEntry {
        name: format!("{}/{}", resource.plural, subresource.name),
        singular_name: "",
        namespaced: resource.namespaced,
        group,
        version,
        kind,
        verbs: names(&subresource.verbs),
        short_names: &[],
        categories: &[],
        storage_version_hash: None,
    }
}

fn names(verbs: &[Verb]) -> Vec<&'static str> {
    verbs.iter().map(|verb| verb.as_str()).collect()
}
