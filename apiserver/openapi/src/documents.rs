//! Everything that is served about the kinds, built once per set of definitions.

use std::{collections::BTreeMap, fmt::Write as _, sync::OnceLock};

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha512};

use crate::{
    Aggregated, Resource,
    catalog::{self, Group, Version},
    discovery::{self, aggregated},
    protobuf::{self, Encoding},
    v2, v3,
};

/// The documents of one set of resources, immutable.
#[derive(Debug)]
pub struct Documents {
    core: Document,
    group_list: Document,
    groups: BTreeMap<String, Document>,
    resource_lists: BTreeMap<String, Document>,
    aggregated: [Document; 2],
    aggregated_core: [Document; 2],
    v2: Document,
    v3: BTreeMap<String, Document>,
    v3_root: Document,
}

/// One document: JSON bytes, their hash, and the same as protobuf, encoded when it is first asked for.
#[derive(Debug)]
pub struct Document {
    json: Bytes,
    hash: String,
    encoding: &'static Encoding,
    protobuf: OnceLock<Bytes>,
}

// === impl Documents ===

impl Documents {
    /// Builds every document of these resources.
    pub fn build(resources: &[Resource]) -> Self {
        let groups = catalog::groups(resources);
        let versions = || groups.iter().flat_map(|group| &group.versions);
        let v3: BTreeMap<_, _> = versions().map(v3_document).collect();
        Self {
            core: Document::new(&discovery::core(), &protobuf::API_VERSIONS),
            group_list: Document::new(&discovery::group_list(&groups), &protobuf::GROUP_LIST),
            groups: groups.iter().map(group_document).collect(),
            resource_lists: versions().map(resource_list_document).collect(),
            aggregated: Aggregated::ALL.map(|version| aggregated_document(version, &groups)),
            aggregated_core: Aggregated::ALL.map(|version| aggregated_document(version, &[])),
            v2: Document::new(&v2::document(&groups), &protobuf::OPENAPI_V2),
            v3_root: v3_root(&v3),
            v3,
        }
    }

    /// `/api`: the core group, of which nothing is served.
    pub fn core(&self) -> &Document {
        &self.core
    }

    /// `/apis`.
    pub fn group_list(&self) -> &Document {
        &self.group_list
    }

    /// `/apis/GROUP`.
    pub fn group(&self, group: &str) -> Option<&Document> {
        self.groups.get(group)
    }

    /// `/apis/GROUP/VERSION`.
    pub fn resource_list(&self, group: &str, version: &str) -> Option<&Document> {
        self.resource_lists.get(&format!("{group}/{version}"))
    }

    /// `/apis`, asked for as one document of everything.
    pub fn aggregated(&self, version: Aggregated) -> &Document {
        &self.aggregated[version as usize]
    }

    /// `/api`, asked for as one document of everything: none.
    pub fn aggregated_core(&self, version: Aggregated) -> &Document {
        &self.aggregated_core[version as usize]
    }

    /// `/openapi/v2`.
    pub fn v2(&self) -> &Document {
        &self.v2
    }

    /// `/openapi/v3`: where the documents are. It is JSON whatever is asked for.
    pub fn v3_root(&self) -> &Document {
        &self.v3_root
    }

    /// `/openapi/v3/PATH`, such as `apis/GROUP/VERSION`.
    pub fn v3(&self, path: &str) -> Option<&Document> {
        self.v3.get(path)
    }

    /// The paths of [`Documents::v3`].
    pub fn v3_paths(&self) -> impl Iterator<Item = &str> {
        self.v3.keys().map(String::as_str)
    }
}

fn group_document(group: &Group<'_>) -> (String, Document) {
    (group.name.to_owned(), Document::new(&discovery::group(group), &protobuf::GROUP))
}

fn resource_list_document(version: &Version<'_>) -> (String, Document) {
    (version.group_version(), Document::new(&discovery::resource_list(version), &protobuf::RESOURCE_LIST))
}

fn aggregated_document(version: Aggregated, groups: &[Group<'_>]) -> Document {
    Document::new(&aggregated::list(version, groups), &protobuf::AGGREGATED)
}

fn v3_document(version: &Version<'_>) -> (String, Document) {
    (format!("apis/{}", version.group_version()), Document::new(&v3::document(version), &protobuf::OPENAPI_V3))
}

/// Only group-versions are listed. An aggregator sends requests for a path to any server that lists it, so a document
/// of `apis` or `version` here would at times be taken for the kube-apiserver's own.
fn v3_root(documents: &BTreeMap<String, Document>) -> Document {
    let url = |path: &str, hash: &str| json!({"serverRelativeURL": format!("/openapi/v3/{path}?hash={hash}")});
    let paths: BTreeMap<_, _> = documents.iter().map(|(path, document)| (path, url(path, &document.hash))).collect();
    Document::new(&json!({ "paths": paths }), &protobuf::NONE)
}

// === impl Document ===

impl Document {
    fn new(content: &impl Serialize, encoding: &'static Encoding) -> Self {
        let mut json =
            serde_json::to_vec(content).expect("documents are strings, numbers, lists and string-keyed maps");
        if encoding.is_object() {
            json.push(b'\n');
        }
        let hash = Sha512::digest(&json).iter().fold(String::with_capacity(128), |mut hash, byte| {
            write!(hash, "{byte:02X}").expect("a String takes every write");
            hash
        });
        Self { json: json.into(), hash, encoding, protobuf: OnceLock::new() }
    }

    /// The document as JSON.
    pub fn json(&self) -> &Bytes {
        &self.json
    }

    /// The document as a value, to be encoded otherwise.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.json).expect("the bytes were written by serde_json")
    }

    /// The document as protobuf: a Kubernetes envelope for discovery, the bare message for OpenAPI.
    pub fn protobuf(&self) -> &Bytes {
        self.protobuf.get_or_init(|| self.encoding.encode(&self.value()).into())
    }

    /// What changes with the content and only then: SHA-512 of the JSON in upper-case hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The value of the `ETag` header, of either form: the quoted hash.
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.hash)
    }
}
