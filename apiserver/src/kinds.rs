//! The kinds that this server serves: data, looked up by group, version and resource.
//!
//! To add one: put its CustomResourceDefinition document beside `bundle_deployment.yaml` and name it in [`BUILT_IN`],
//! or give it with `--crds`. A kind that acts, beyond being stored, is an [`Extension`].

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use machinery::{GroupKind, GroupResource, GroupVersion, GroupVersionKind};
use openapi::Documents;
use proto::store::{Key, Scope, Store};
use schema::{Definition, Schema, Version};

use crate::{
    conversion::Converter,
    extension::{Actor, Extension},
};

/// The definitions that come with the server.
const BUILT_IN: &[(&str, &str)] = &[("bundle_deployment.yaml", include_str!("kinds/bundle_deployment.yaml"))];

/// Everything that is served, immutable: a changed set of definitions makes a new one.
pub struct Kinds {
    by_resource: HashMap<(String, String, String), Arc<Kind>>,
    definitions: Vec<Arc<Definition>>,
    documents: Documents,
    stores: Vec<(GroupResource, Arc<dyn Store>)>,
}

/// One kind in one version.
pub struct Kind {
    definition: Arc<Definition>,
    version: usize,
    tag: String,
    selectable_fields: Vec<String>,
    actor: Option<Arc<dyn Actor>>,
    converter: OnceLock<Arc<Converter>>,
}

/// A definition, and what its kind does beyond being stored.
type Acting = (Arc<Definition>, Option<Arc<dyn Actor>>);

/// Why a set of definitions cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A path given with `--crds` cannot be read.
    #[error("reading {path}, given with --crds")]
    Read {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A document is not a definition that can be served.
    #[error("{origin} holds no definition that can be served")]
    Definition {
        /// The file.
        origin: String,
        /// Why.
        source: schema::definition::Error,
    },
    /// Two documents define the same resource.
    #[error("{resource} is defined twice: give each CRD once with --crds, and none that is built in")]
    Twice {
        /// The resource.
        resource: GroupResource,
    },
}

// === impl Kinds ===

impl Kinds {
    /// The built-in definitions, those of `extensions`, and those in the files and folders of `paths`.
    pub fn load(paths: &[PathBuf], extensions: &[Extension]) -> Result<Self, Error> {
        let mut definitions = Vec::new();
        for (origin, document) in BUILT_IN {
            definitions.extend(parse(origin, document.as_bytes())?);
        }
        for path in files(paths)? {
            let document = std::fs::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
            definitions.extend(parse(&path.display().to_string(), &document)?);
        }
        Self::new(definitions, extensions)
    }

    /// A registry of these definitions, and of those of `extensions`.
    pub fn new(definitions: Vec<Definition>, extensions: &[Extension]) -> Result<Self, Error> {
        let mut all: Vec<Acting> = Vec::new();
        let mut stores = Vec::new();
        for Extension { origin, definition, actor, store } in extensions {
            let definitions = parse(origin, definition.as_bytes())?;
            if let Some(store) = store {
                let resources = definitions.iter().map(group_resource);
                stores.extend(resources.map(|resource| (resource, Arc::clone(store))));
            }
            all.extend(definitions.into_iter().map(|definition| (Arc::new(definition), Some(Arc::clone(actor)))));
        }
        all.extend(definitions.into_iter().map(|definition| (Arc::new(definition), None)));
        let mut seen = BTreeMap::new();
        let mut by_resource = HashMap::new();
        for (definition, actor) in &all {
            let resource = group_resource(definition);
            if seen.insert(resource.to_string(), ()).is_some() {
                return Err(Error::Twice { resource });
            }
            for (index, version) in definition.versions.iter().enumerate().filter(|(_, version)| version.served) {
                let key = (definition.group.clone(), version.name.clone(), definition.names.plural.clone());
                by_resource.insert(key, Arc::new(Kind::new(Arc::clone(definition), index, actor.clone())));
            }
        }
        let resources: Vec<_> =
            all.iter().flat_map(|(definition, actor)| resources(definition, actor.as_deref())).collect();
        let definitions = all.into_iter().map(|(definition, _)| definition).collect();
        Ok(Self { by_resource, definitions, documents: Documents::build(&resources), stores })
    }

    /// The kind served at `/apis/GROUP/VERSION/RESOURCE`.
    pub fn get(&self, group: &str, version: &str, resource: &str) -> Option<&Arc<Kind>> {
        self.by_resource.get(&(group.to_owned(), version.to_owned(), resource.to_owned()))
    }

    /// Every definition, in the order of loading.
    pub fn definitions(&self) -> &[Arc<Definition>] {
        &self.definitions
    }

    /// The resources whose kinds bring a store, and that store.
    pub fn stores(&self) -> &[(GroupResource, Arc<dyn Store>)] {
        &self.stores
    }

    /// Discovery and OpenAPI of all of them.
    pub fn documents(&self) -> &Documents {
        &self.documents
    }
}

// === impl Kind ===

impl Kind {
    pub(crate) fn new(definition: Arc<Definition>, version: usize, actor: Option<Arc<dyn Actor>>) -> Self {
        let tag = Self::tag_of(&definition.versions[version]);
        let mut selectable_fields = vec!["metadata.name".to_owned()];
        selectable_fields.extend(definition.namespaced().then(|| "metadata.namespace".to_owned()));
        selectable_fields.extend(definition.versions[version].selectable_fields.iter().cloned());
        Self { definition, version, tag, selectable_fields, actor, converter: OnceLock::new() }
    }

    /// What marks a stored value as written in this version and by this schema.
    pub fn tag_of(version: &Version) -> String {
        format!("{}/{}", version.name, version.schema.hash())
    }

    /// Who converts objects between its versions, where they differ by more than their `apiVersion`.
    pub(crate) fn converter(&self) -> Option<&Arc<Converter>> {
        self.converter.get()
    }

    /// Says who converts.
    pub(crate) fn converted_by(&self, converter: Arc<Converter>) {
        let _ = self.converter.set(converter);
    }

    /// What it does beyond being stored.
    pub(crate) fn actor(&self) -> Option<&Arc<dyn Actor>> {
        self.actor.as_ref()
    }

    /// The definition in all its versions.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// The version that this kind is served in.
    pub fn version(&self) -> &Version {
        &self.definition.versions[self.version]
    }

    /// The schema of that version.
    pub fn schema(&self) -> &Schema {
        &self.version().schema
    }

    /// Version and schema as stored values carry them: equal tags mean that bytes may pass through unread.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The fields that field selectors may name.
    pub fn selectable_fields(&self) -> &[String] {
        &self.selectable_fields
    }

    /// The kind's name, such as `BundleDeployment`.
    pub fn name(&self) -> &str {
        &self.definition.names.kind
    }

    /// Whether objects live in namespaces.
    pub fn namespaced(&self) -> bool {
        self.definition.namespaced()
    }

    /// As errors name it: `bundledeployments.fleet.cattle.io`.
    pub fn group_resource(&self) -> GroupResource {
        group_resource(&self.definition)
    }

    /// As validation errors name it: `BundleDeployment.fleet.cattle.io`.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind::new(&self.definition.group, self.name())
    }

    /// As objects name it in `apiVersion` and `kind`.
    pub fn group_version_kind(&self) -> GroupVersionKind {
        GroupVersionKind::new(&self.definition.group, &self.version().name, self.name())
    }

    /// The value of `apiVersion`.
    pub fn group_version(&self) -> GroupVersion {
        GroupVersion::new(&self.definition.group, &self.version().name)
    }

    /// The store's key of an object.
    pub fn key(&self, namespace: Option<&str>, name: &str) -> Key {
        let (group, resource) = (self.definition.group.clone(), self.definition.names.plural.clone());
        Key { group, resource, namespace: namespace.unwrap_or_default().to_owned(), name: name.to_owned() }
    }

    /// The store's scope of a namespace or of all.
    pub fn scope(&self, namespace: Option<&str>) -> Scope {
        let (group, resource) = (self.definition.group.clone(), self.definition.names.plural.clone());
        Scope { group, resource, namespace: namespace.map(str::to_owned) }
    }
}

fn group_resource(definition: &Definition) -> GroupResource {
    GroupResource::new(&definition.group, &definition.names.plural)
}

/// What discovery and OpenAPI say of a definition whose kind may act.
fn resources(definition: &Definition, actor: Option<&dyn Actor>) -> Vec<openapi::Resource> {
    let mut resources = openapi::Resource::of(definition);
    if let Some(actor) = actor {
        for resource in &mut resources {
            resource.verbs.retain(|verb| actor.verbs().contains(verb));
            resource.subresources.extend(actor.subresources());
            resource.parameters.extend(actor.parameters());
            resource.bodies.extend(actor.bodies());
        }
    }
    resources
}

fn parse(origin: &str, document: &[u8]) -> Result<Vec<Definition>, Error> {
    Definition::parse(document).map_err(|source| Error::Definition { origin: origin.to_owned(), source })
}

/// The files named by `paths`; of a folder its YAML and JSON files, by name.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| Error::Read { path, source }
    };
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path).map_err(failed(path))?;
        let mut inside: Vec<PathBuf> =
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(failed(path))?;
        inside.retain(|path| path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml" || ext == "json"));
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}
