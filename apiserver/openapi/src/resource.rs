//! The input: one kind in one version, whether it comes from a CustomResourceDefinition or is written in Rust.

use serde_json::Value;

/// A resource that is served at `/apis/GROUP/VERSION/PLURAL`.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The API group.
    pub group: String,
    /// The version described here.
    pub version: String,
    /// Changes when objects are to be stored in another version: storage migrators compare it. None, if none is stored.
    pub storage_version_hash: Option<String>,
    /// The name in paths.
    pub plural: String,
    /// The name of one object, for command lines.
    pub singular: String,
    /// The `kind` of objects.
    pub kind: String,
    /// The `kind` of lists.
    pub list_kind: String,
    /// Abbreviations for command lines.
    pub short_names: Vec<String>,
    /// Collective names, such as `all`.
    pub categories: Vec<String>,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// What can be done, in the order in which discovery lists it.
    pub verbs: Vec<Verb>,
    /// What else stands below an object's path, in the order in which discovery lists it.
    pub subresources: Vec<Subresource>,
    /// The paths of fields that field selectors may use besides name and namespace, such as `spec.color`.
    pub selectable_fields: Vec<String>,
    /// What queries may say besides what they all may.
    pub parameters: Vec<QueryParameter>,
    /// What is sent where it is no object of the kind.
    pub bodies: Vec<RequestBody>,
    /// The `openAPIV3Schema` of objects, as a CustomResourceDefinition has it.
    pub schema: Value,
}

/// A path below an object, such as `/status`.
#[derive(Clone, Debug)]
pub struct Subresource {
    /// The last segment of the path.
    pub name: String,
    /// What is read and written there.
    pub kind: SubresourceKind,
    /// What can be done, in the order in which discovery lists it.
    pub verbs: Vec<Verb>,
}

/// What the query of a verb may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryParameter {
    /// The verb.
    pub verb: Verb,
    /// Of which subresource; empty is the resource itself.
    pub subresource: &'static str,
    /// The name in the query.
    pub name: &'static str,
    /// Its type in JSON, such as `boolean`.
    pub kind: &'static str,
    /// What it does, for people.
    pub description: &'static str,
}

/// What is sent by a verb.
#[derive(Clone, Debug)]
pub struct RequestBody {
    /// The verb.
    pub verb: Verb,
    /// To which subresource; empty is the resource itself.
    pub subresource: &'static str,
    /// Its kind, of the same group-version.
    pub kind: &'static str,
    /// The `openAPIV3Schema` of it.
    pub schema: Value,
    /// Whether it may be absent.
    pub optional: bool,
}

/// The kind of what is read and written at a subresource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubresourceKind {
    /// The resource's own kind.
    Own,
    /// `autoscaling/v1` Scale.
    Scale,
    /// Another kind of the same group-version.
    Other(&'static str),
}

/// What can be done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Removes one object.
    Delete,
    /// Removes the objects that a selector matches.
    DeleteCollection,
    /// Reads one object.
    Get,
    /// Reads many.
    List,
    /// Changes parts of one object.
    Patch,
    /// Makes one.
    Create,
    /// Replaces one.
    Update,
    /// Follows changes.
    Watch,
}

// === impl Resource ===

impl Resource {
    /// The served versions of a definition.
    pub fn of(definition: &schema::Definition) -> Vec<Self> {
        definition
            .versions
            .iter()
            .filter(|version| version.served)
            .map(|version| Self::new(definition, version))
            .collect()
    }

    fn new(definition: &schema::Definition, version: &schema::Version) -> Self {
        let names = &definition.names;
        let status = version.status.then(Subresource::status);
        let scale = version.scale.is_some().then(Subresource::scale);
        Self {
            group: definition.group.clone(),
            version: version.name.clone(),
            storage_version_hash: Some(definition.storage_version_hash()),
            plural: names.plural.clone(),
            singular: names.singular.clone(),
            kind: names.kind.clone(),
            list_kind: names.list_kind.clone(),
            short_names: names.short_names.clone(),
            categories: names.categories.clone(),
            namespaced: definition.namespaced(),
            verbs: Verb::ALL.to_vec(),
            subresources: status.into_iter().chain(scale).collect(),
            selectable_fields: version.selectable_fields.clone(),
            parameters: Vec::new(),
            bodies: Vec::new(),
            schema: version.schema.document().clone(),
        }
    }
}

// === impl Subresource ===

impl Subresource {
    /// `/status`: the object, of which only the status is written.
    pub fn status() -> Self {
        Self { name: "status".to_owned(), kind: SubresourceKind::Own, verbs: Verb::OF_SUBRESOURCES.to_vec() }
    }

    /// `/scale`: the number of replicas, under a kind that autoscalers know.
    pub fn scale() -> Self {
        Self { name: "scale".to_owned(), kind: SubresourceKind::Scale, verbs: Verb::OF_SUBRESOURCES.to_vec() }
    }
}

// === impl Verb ===

impl Verb {
    /// Everything, in the order of a custom resource's discovery.
    pub const ALL: [Verb; 8] = [
        Verb::Delete,
        Verb::DeleteCollection,
        Verb::Get,
        Verb::List,
        Verb::Patch,
        Verb::Create,
        Verb::Update,
        Verb::Watch,
    ];

    const OF_SUBRESOURCES: [Verb; 3] = [Verb::Get, Verb::Patch, Verb::Update];

    /// The name in discovery and in authorization rules.
    pub const fn as_str(self) -> &'static str {
        match self {
            Verb::Delete => "delete",
            Verb::DeleteCollection => "deletecollection",
            Verb::Get => "get",
            Verb::List => "list",
            Verb::Patch => "patch",
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::Watch => "watch",
        }
    }
}
