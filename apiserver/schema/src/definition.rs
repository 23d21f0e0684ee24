//! CustomResourceDefinition documents: what kinds there are, under which names, in which versions.

mod conversion;
mod document;
mod names;
mod order;
mod version;

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use machinery::field::{self, aggregate};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use conversion::Conversion;
pub use names::Names;
pub use order::compare_versions;
pub use version::{Scale, Version};

use crate::{path::Path, read::Reader};

/// A kind that can be served.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The API group, such as `gold.example.com`.
    pub group: String,
    /// What the kind and its resource are called.
    pub names: Names,
    /// Where its objects live.
    pub scope: Scope,
    /// Its versions, the preferred one first: GA before beta before alpha, then the newer one.
    pub versions: Vec<Version>,
    /// Who converts objects between versions; `None` where their `apiVersion` is all that differs.
    pub conversion: Option<Conversion>,
}

/// Where objects live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In the cluster as a whole.
    Cluster,
    /// In namespaces.
    Namespaced,
}

/// Why a text holds no definitions that can be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing in it.
    #[error("there is no document: expected a CustomResourceDefinition of apiextensions.k8s.io/v1")]
    Empty,
    /// It is neither YAML nor JSON.
    #[error("{place} is neither YAML nor JSON: {message}")]
    Syntax {
        /// Which document.
        place: String,
        /// What is wrong, and where.
        message: String,
    },
    /// It is something else.
    #[error(
        "{place} is {found}, not a CustomResourceDefinition of apiextensions.k8s.io/v1: convert it or take it out of the file"
    )]
    Other {
        /// Which document.
        place: String,
        /// What it says it is.
        found: String,
    },
    /// It is a definition that cannot be served truthfully.
    #[error("{place}, CustomResourceDefinition {name:?}, cannot be served: {}", aggregate(.problems))]
    Invalid {
        /// Which document.
        place: String,
        /// The name of the definition.
        name: String,
        /// What is wrong, where, and what it should be.
        problems: Vec<field::Error>,
    },
}

// === impl Definition ===

impl Definition {
    /// Parses the definitions in a YAML or JSON text: one or several documents, each a definition or a List of them.
    pub fn parse(text: &[u8]) -> Result<Vec<Self>, Error> {
        let documents = document::split(text)?;
        if documents.is_empty() {
            return Err(Error::Empty);
        }
        documents.into_iter().map(|(place, value)| Self::from_value(place, &value)).collect()
    }

    fn from_value(place: String, value: &Value) -> Result<Self, Error> {
        let mut problems = Vec::new();
        match Self::read(value, &mut problems) {
            Some(definition) if problems.is_empty() => Ok(definition),
            _ => {
                let name = value["metadata"]["name"].as_str().unwrap_or_default().to_owned();
                Err(Error::Invalid { place, name, problems })
            }
        }
    }

    fn read(value: &Value, problems: &mut Vec<field::Error>) -> Option<Self> {
        let spec = &value["spec"];
        let path = Path::At("spec");
        let mut read = Reader::new(spec, &path, problems)?;
        let (group, scope, versions) = (read.text("group"), read.text("scope"), read.items("versions"));
        let preserve = read.flag("preserveUnknownFields");
        if preserve {
            let detail =
                "must be false: set x-kubernetes-preserve-unknown-fields in the schema of each version instead";
            problems.push(field::Error::invalid(path.field("preserveUnknownFields"), true, detail));
        }
        names::group(&group, &path, problems);
        let names = Names::read(&spec["names"], &path.field("names"), problems);
        let scope = Scope::read(&scope, &path.field("scope"), problems);
        let versions = version::all(versions, &path.field("versions"), problems);
        let conversion = Conversion::read(&spec["conversion"], &versions, &path.field("conversion"), problems);
        let mut definition = Self { group, names: names?, scope: scope?, versions, conversion };
        definition.check_name(&value["metadata"]["name"], problems);
        definition.complete();
        Some(definition)
    }

    fn check_name(&self, name: &Value, problems: &mut Vec<field::Error>) {
        let required = format!("{}.{}", self.names.plural, self.group);
        if *name != required {
            let detail = format!("must be spec.names.plural+\".\"+spec.group, {required:?}");
            problems.push(field::Error::invalid("metadata.name", name, &detail));
        }
    }

    /// Fills in what versions can only know from the whole, and puts them in order.
    fn complete(&mut self) {
        let api_versions: Vec<_> =
            self.versions.iter().map(|version| format!("{}/{}", self.group, version.name)).collect();
        for (version, api_version) in self.versions.iter_mut().zip(&api_versions) {
            Arc::make_mut(&mut version.schema).api_versions = api_versions.clone();
            if version.deprecated {
                let warning = || format!("{api_version} {} is deprecated", self.names.kind);
                version.deprecation_warning.get_or_insert_with(warning);
            }
        }
        self.versions.sort_by(|one, other| compare_versions(&other.name, &one.name));
    }

    /// Whether objects live in namespaces.
    pub fn namespaced(&self) -> bool {
        self.scope == Scope::Namespaced
    }

    /// The version that objects are stored in.
    pub fn storage(&self) -> &Version {
        self.versions.iter().find(|version| version.storage).expect("a definition has exactly one storage version")
    }

    /// The `storageVersionHash` of discovery.
    pub fn storage_version_hash(&self) -> String {
        let hashed = format!("{}/{}/{}", self.group, self.storage().name, self.names.kind);
        BASE64_STANDARD.encode(&Sha256::digest(hashed)[..8])
    }
}

// === impl Scope ===

impl Scope {
    fn read(text: &str, path: &Path<'_>, problems: &mut Vec<field::Error>) -> Option<Self> {
        let scopes = BTreeMap::from([("Cluster", Scope::Cluster), ("Namespaced", Scope::Namespaced)]);
        let found = scopes.get(text).copied();
        if found.is_none() {
            problems.push(match text {
                "" => field::Error::required(path, "must be Cluster or Namespaced"),
                text => field::Error::not_supported(path, text, scopes.keys()),
            });
        }
        found
    }
}
