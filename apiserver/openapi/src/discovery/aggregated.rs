//! Aggregated discovery: everything in one document.
//!
//! The kube-aggregator asks for it every minute and falls back to one request per group-version when the answer's
//! content type does not repeat the asked parameters exactly.

use serde::Serialize;

use super::names;
use crate::{
    Resource, Subresource, SubresourceKind,
    catalog::{self, Group},
};

/// The version of the aggregated document; the contents are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Asked by kube-apiservers since 1.30.
    V2,
    /// The only one that kube-apiservers 1.26 to 1.29 ask.
    V2beta1,
}

/// The document.
#[derive(Serialize)]
pub(crate) struct List<'a> {
    kind: &'static str,
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    metadata: Empty,
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct Item<'a> {
    metadata: Name<'a>,
    versions: Vec<VersionEntry<'a>>,
}

#[derive(Serialize)]
struct Name<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct VersionEntry<'a> {
    version: &'a str,
    resources: Vec<ResourceEntry<'a>>,
    freshness: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceEntry<'a> {
    resource: &'a str,
    response_kind: ResponseKind<'a>,
    scope: &'static str,
    singular_resource: &'a str,
    verbs: Vec<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    short_names: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    categories: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subresources: Vec<SubresourceEntry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SubresourceEntry<'a> {
    subresource: &'a str,
    response_kind: ResponseKind<'a>,
    verbs: Vec<&'static str>,
}

#[derive(Serialize)]
struct ResponseKind<'a> {
    group: &'a str,
    version: &'a str,
    kind: &'a str,
}

/// The document of these groups; of none for `/api`.
pub(crate) fn list<'a>(version: Version, groups: &[Group<'a>]) -> List<'a> {
    List {
        kind: "APIGroupDiscoveryList",
        api_version: version.api_version(),
        metadata: Empty {},
        items: groups.iter().map(item).collect(),
    }
}

fn item<'a>(group: &Group<'a>) -> Item<'a> {
    Item { metadata: Name { name: group.name }, versions: group.versions.iter().map(version_entry).collect() }
}

fn version_entry<'a>(version: &catalog::Version<'a>) -> VersionEntry<'a> {
    let resources = version.resources.iter().map(|resource| resource_entry(resource)).collect();
    VersionEntry { version: version.name, resources, freshness: "Current" }
}

fn resource_entry(resource: &Resource) -> ResourceEntry<'_> {
    ResourceEntry {
        resource: &resource.plural,
        response_kind: own_kind(resource),
        scope: if resource.namespaced { "Namespaced" } else { "Cluster" },
        singular_resource: &resource.singular,
        verbs: names(&resource.verbs),
        short_names: &resource.short_names,
        categories: &resource.categories,
        subresources: resource.subresources.iter().map(|below| subresource_entry(resource, below)).collect(),
    }
}

fn subresource_entry<'a>(resource: &'a Resource, subresource: &'a Subresource) -> SubresourceEntry<'a> {
    let response_kind = match subresource.kind {
        SubresourceKind::Own => own_kind(resource),
        SubresourceKind::Scale => ResponseKind { group: "autoscaling", version: "v1", kind: "Scale" },
        SubresourceKind::Other(kind) => ResponseKind { kind, ..own_kind(resource) },
    };
    SubresourceEntry { subresource: &subresource.name, response_kind, verbs: names(&subresource.verbs) }
}

fn own_kind(resource: &Resource) -> ResponseKind<'_> {
    ResponseKind { group: &resource.group, version: &resource.version, kind: &resource.kind }
}

// === impl Version ===

impl Version {
    /// Newest first.
    pub const ALL: [Version; 2] = [Version::V2, Version::V2beta1];

    /// The value of the media type parameter `v`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Version::V2 => "v2",
            Version::V2beta1 => "v2beta1",
        }
    }

    const fn api_version(self) -> &'static str {
        match self {
            Version::V2 => "apidiscovery.k8s.io/v2",
            Version::V2beta1 => "apidiscovery.k8s.io/v2beta1",
        }
    }

    /// The content type of the document as JSON, with its parameters in the order that the aggregator compares.
    pub const fn json_type(self) -> &'static str {
        match self {
            Version::V2 => "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
            Version::V2beta1 => "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
        }
    }

    /// The content type of the document as protobuf.
    pub const fn protobuf_type(self) -> &'static str {
        match self {
            Version::V2 => "application/vnd.kubernetes.protobuf;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
            Version::V2beta1 => {
                "application/vnd.kubernetes.protobuf;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
            }
        }
    }
}
