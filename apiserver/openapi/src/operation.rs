//! The operations on a resource, as OpenAPI v2 and v3 both describe them.
//!
//! Names and texts are those of a custom resource in a kube-apiserver: generated clients are named after `operationId`.

use serde_json::{Value, json};

use crate::{
    Resource, Subresource, SubresourceKind, Verb, parameter,
    parameter::Parameter,
    published,
    shared::{DELETE_OPTIONS, PATCH, SCALE, STATUS},
};

/// The media types that objects are read and written in.
pub(crate) const OBJECTS: [&str; 2] = ["application/json", "application/yaml"];
/// The media types of patches. A strategic merge patch needs types that only the kube-apiserver has.
pub(crate) const PATCHES: [&str; 3] =
    ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"];

/// A path and what can be done there.
pub(crate) struct Path {
    pub(crate) path: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) operations: Vec<Operation>,
}

/// One method on a path.
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) id: String,
    pub(crate) tag: String,
    pub(crate) description: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    /// What is answered to those who may ask, with content of this schema.
    pub(crate) responses: &'static [Response],
    pub(crate) answer: String,
    /// `x-kubernetes-action`.
    pub(crate) action: &'static str,
    /// `x-kubernetes-group-version-kind`: the resource's own, even of a subresource of another kind.
    pub(crate) kind: Value,
}

/// Status code and description.
pub(crate) type Response = (&'static str, &'static str);

/// A request's body.
pub(crate) struct Body {
    pub(crate) schema: String,
    pub(crate) types: &'static [&'static str],
    pub(crate) required: bool,
}

/// The fixed part of an operation, by verb.
struct Form {
    verb: Verb,
    method: &'static str,
    action: &'static str,
    /// The first word of the operation's name.
    word: &'static str,
    parameters: fn() -> Vec<Parameter>,
    /// What is answered to those who may ask.
    responses: &'static [Response],
}

const OK: Response = ("200", "OK");
const CREATED: Response = ("201", "Created");
const ACCEPTED: Response = ("202", "Accepted");
/// The answer to everybody else, without content.
pub(crate) const UNAUTHORIZED: Response = ("401", "Unauthorized");

/// A watch is a list with a parameter, so it has no operation of its own.
const FORMS: [Form; 7] = [
    form(Verb::List, "get", "list", "list", parameter::list, &[OK]),
    form(Verb::Create, "post", "post", "create", parameter::write, &[OK, CREATED, ACCEPTED]),
    form(Verb::DeleteCollection, "delete", "deletecollection", "delete", parameter::list, &[OK]),
    form(Verb::Get, "get", "get", "read", parameter::get, &[OK]),
    form(Verb::Update, "put", "put", "replace", parameter::write, &[OK, CREATED]),
    form(Verb::Delete, "delete", "delete", "delete", parameter::delete, &[OK, ACCEPTED]),
    form(Verb::Patch, "patch", "patch", "patch", parameter::patch, &[OK]),
];

const fn form(
    verb: Verb,
    method: &'static str,
    action: &'static str,
    word: &'static str,
    parameters: fn() -> Vec<Parameter>,
    responses: &'static [Response],
) -> Form {
    Form { verb, method, action, word, parameters, responses }
}

const OF_COLLECTION: &[Verb] = &[Verb::List, Verb::Create, Verb::DeleteCollection];
const OF_OBJECT: &[Verb] = &[Verb::Get, Verb::Update, Verb::Delete, Verb::Patch];
const OF_SUBRESOURCE: &[Verb] = &[Verb::Create, Verb::Get, Verb::Update, Verb::Delete, Verb::Patch];

/// Where operations are: of a resource, in all namespaces, or of a subresource.
#[derive(Clone, Copy)]
struct Place<'a> {
    resource: &'a Resource,
    all_namespaces: bool,
    subresource: Option<&'a Subresource>,
}

/// The paths of a resource.
pub(crate) fn paths(resource: &Resource) -> Vec<Path> {
    let place = Place { resource, all_namespaces: false, subresource: None };
    let root = format!("/apis/{}/{}", resource.group, resource.version);
    let all = format!("{root}/{}", resource.plural);
    let collection =
        if resource.namespaced { format!("{root}/namespaces/{{namespace}}/{}", resource.plural) } else { all.clone() };
    let object = format!("{collection}/{{name}}");
    let everywhere =
        resource.namespaced.then(|| Place { all_namespaces: true, ..place }.path(all, &resource.verbs, &[Verb::List]));
    let below = resource.subresources.iter().map(|subresource| {
        let path = format!("{object}/{}", subresource.name);
        Place { subresource: Some(subresource), ..place }.path(path, &subresource.verbs, OF_SUBRESOURCE)
    });
    let own = [
        place.path(collection, &resource.verbs, OF_COLLECTION),
        place.path(object.clone(), &resource.verbs, OF_OBJECT),
    ];
    everywhere.into_iter().chain(own).chain(below).filter(|path| !path.operations.is_empty()).collect()
}

// === impl Place ===

impl Place<'_> {
    fn path(self, path: String, served: &[Verb], possible: &[Verb]) -> Path {
        let named = path.contains("{name}");
        let mut parameters = parameter::of_path(&self.resource.kind, path.contains("{namespace}"), named);
        let forms = FORMS.iter().filter(|form| served.contains(&form.verb) && possible.contains(&form.verb));
        let mut operations: Vec<_> = forms.map(|form| self.operation(form)).collect();
        // What all operations of a path take is said once, on the path.
        let common: Vec<_> = match operations.split_first() {
            Some((first, others)) => first
                .parameters
                .iter()
                .filter(|one| others.iter().all(|other| other.parameters.contains(one)))
                .cloned()
                .collect(),
            None => Vec::new(),
        };
        operations
            .iter_mut()
            .for_each(|operation| operation.parameters.retain(|parameter| !common.contains(parameter)));
        parameters.extend(common);
        parameters.sort_by_key(|parameter| parameter.name);
        Path { path, parameters, operations }
    }

    fn operation(self, form: &Form) -> Operation {
        let resource = self.resource;
        Operation {
            method: form.method,
            id: self.id(form),
            tag: format!("{}_{}", identifier(trimmed(&resource.group), false), identifier(&resource.version, false)),
            description: self.description(form),
            parameters: self.parameters(form),
            body: self.body(form.verb),
            responses: form.responses,
            answer: self.answer(form.verb),
            action: form.action,
            kind: json!({"group": resource.group, "version": resource.version, "kind": resource.kind}),
        }
    }

    /// Those of the verb, and those of the resource.
    fn parameters(self, form: &Form) -> Vec<Parameter> {
        let subresource = self.subresource.map_or("", |subresource| &subresource.name);
        let own = self.resource.parameters.iter();
        let own = own.filter(|own| own.verb == form.verb && own.subresource == subresource);
        let mut parameters = (form.parameters)();
        parameters.extend(own.map(|own| parameter::query((own.name, own.kind, own.description))));
        parameters
    }

    fn id(self, form: &Form) -> String {
        let Resource { group, version, kind, .. } = self.resource;
        let collection = if form.verb == Verb::DeleteCollection { "Collection" } else { "" };
        let namespaced = if self.resource.namespaced && !self.all_namespaces { "Namespaced" } else { "" };
        let below = self.subresource.map(|subresource| identifier(&subresource.name, true)).unwrap_or_default();
        let everywhere = if self.all_namespaces { "ForAllNamespaces" } else { "" };
        let (word, group, version) = (form.word, identifier(trimmed(group), true), identifier(version, true));
        format!("{word}{group}{version}{collection}{namespaced}{kind}{below}{everywhere}")
    }

    fn description(self, form: &Form) -> String {
        let kind = &self.resource.kind;
        let of = self.subresource.map(|subresource| format!(" {} of", subresource.name)).unwrap_or_default();
        match form.verb {
            Verb::List | Verb::Watch => format!("list{of} objects of kind {kind}"),
            Verb::DeleteCollection => format!("delete collection of{of} {kind}"),
            Verb::Patch => format!("partially update{of} the specified {kind}"),
            Verb::Get | Verb::Update => format!("{}{of} the specified {kind}", form.word),
            Verb::Create | Verb::Delete => format!("{}{of}{} {kind}", form.word, article(kind)),
        }
    }

    /// The name of the schema of what is read and written.
    fn own(self) -> String {
        match self.subresource.map(|subresource| subresource.kind) {
            Some(SubresourceKind::Scale) => SCALE.to_owned(),
            Some(SubresourceKind::Other(kind)) => published::name(self.resource, kind),
            Some(SubresourceKind::Own) | None => published::name(self.resource, &self.resource.kind),
        }
    }

    fn answer(self, verb: Verb) -> String {
        match verb {
            Verb::List => published::name(self.resource, &self.resource.list_kind),
            Verb::Delete | Verb::DeleteCollection => STATUS.to_owned(),
            _ => self.own(),
        }
    }

    fn body(self, verb: Verb) -> Option<Body> {
        let subresource = self.subresource.map_or("", |subresource| &subresource.name);
        let sent = self.resource.bodies.iter().find(|body| body.verb == verb && body.subresource == subresource);
        if let Some(sent) = sent {
            let schema = published::name(self.resource, sent.kind);
            return Some(Body { schema, types: &OBJECTS, required: !sent.optional });
        }
        match verb {
            Verb::Create | Verb::Update => Some(Body { schema: self.own(), types: &OBJECTS, required: true }),
            Verb::Patch => Some(Body { schema: PATCH.to_owned(), types: &PATCHES, required: true }),
            Verb::Delete => Some(Body { schema: DELETE_OPTIONS.to_owned(), types: &OBJECTS, required: false }),
            Verb::Get | Verb::List | Verb::Watch | Verb::DeleteCollection => None,
        }
    }
}

fn trimmed(group: &str) -> &str {
    group.strip_suffix(".k8s.io").unwrap_or(group)
}

/// Camel case of the letters and digits of `text`: `gold.example.com` is `goldExampleCom`.
fn identifier(text: &str, capital: bool) -> String {
    let mut upper = capital;
    let mut identifier = String::with_capacity(text.len());
    for (at, letter) in text.char_indices() {
        if !(letter.is_alphabetic() || letter == '_' || (at > 0 && letter.is_numeric())) {
            upper = true;
        } else if std::mem::take(&mut upper) {
            identifier.extend(letter.to_uppercase());
        } else {
            identifier.push(letter);
        }
    }
    identifier
}

/// ` a`, ` an`, or nothing before what looks like a plural.
fn article(noun: &str) -> &'static str {
    if noun.ends_with('s') && !noun.ends_with("ss") {
        return "";
    }
    if noun.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']) { " an" } else { " a" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{QueryParameter, RequestBody, Resource};

    /// Nodes, of which nothing is served but a restart.
    fn restart() -> Resource {
        let restart = Subresource { name: "restart".into(), kind: SubresourceKind::Own, verbs: vec![Verb::Create] };
        Resource {
            group: "infra.k8s.io".into(),
            version: "v1".into(),
            storage_version_hash: None,
            plural: "nodes".into(),
            singular: "node".into(),
            kind: "Node".into(),
            list_kind: "NodeList".into(),
            short_names: vec![],
            categories: vec![],
            namespaced: false,
            verbs: vec![],
            subresources: vec![restart],
            selectable_fields: vec![],
            parameters: vec![],
            bodies: vec![],
            schema: json!({"type": "object"}),
        }
    }

    #[test]
    fn a_path_without_verbs_is_not_there() {
        let paths = paths(&restart());
        let found: Vec<_> = paths.iter().map(|path| path.path.as_str()).collect();
        assert_eq!(found, ["/apis/infra.k8s.io/v1/nodes/{name}/restart"]);
        let operation = &paths[0].operations[0];
        assert_eq!((operation.method, operation.id.as_str()), ("post", "createInfraV1NodeRestart"));
        assert_eq!(operation.description, "create restart of a Node");
        assert_eq!(operation.tag, "infra_v1");
    }

    #[test]
    fn what_all_operations_take_is_said_on_the_path() {
        let resource =
            Resource { namespaced: true, verbs: vec![Verb::List, Verb::Watch, Verb::DeleteCollection], ..restart() };
        let paths = paths(&resource);
        let own = paths.iter().find(|path| path.path.ends_with("{namespace}/nodes")).expect("lists have a path");
        let names: Vec<_> = own.parameters.iter().map(|parameter| parameter.name).collect();
        assert!(["labelSelector", "limit", "namespace", "pretty"].iter().all(|name| names.contains(name)), "{names:?}");
        assert!(names.is_sorted(), "{names:?}");
        assert!(own.operations.iter().all(|operation| operation.parameters.is_empty()));
    }

    #[test]
    fn a_resource_may_have_parameters_of_its_own() {
        let parameter = |subresource, name| QueryParameter {
            verb: Verb::Get,
            subresource,
            name,
            kind: "integer",
            description: "How many.",
        };
        let log = Subresource { name: "log".into(), kind: SubresourceKind::Own, verbs: vec![Verb::Get] };
        let resource = Resource {
            verbs: vec![Verb::Get, Verb::Delete],
            subresources: vec![log],
            parameters: vec![parameter("", "depth"), parameter("log", "lines")],
            ..restart()
        };
        let takes = |path: &str, method: &str| {
            let paths = paths(&resource);
            let path = paths.iter().find(|found| found.path.ends_with(path)).expect("the path is there");
            let operation = path.operations.iter().find(|found| found.method == method).expect("the method is there");
            let all = path.parameters.iter().chain(&operation.parameters).map(|parameter| parameter.name);
            all.filter(|name| ["depth", "lines"].contains(name)).collect::<Vec<_>>()
        };
        assert_eq!(takes("{name}", "get"), ["depth"]);
        assert_eq!(takes("{name}/log", "get"), ["lines"]);
        assert!(takes("{name}", "delete").is_empty());
    }

    #[test]
    fn what_is_sent_may_be_of_a_kind_of_its_own() {
        let body = RequestBody {
            verb: Verb::Create,
            subresource: "restart",
            kind: "RestartOptions",
            schema: json!({"type": "object"}),
            optional: true,
        };
        let resource = Resource { bodies: vec![body], ..restart() };
        let body = paths(&resource)[0].operations[0].body.as_ref().map(|body| (body.schema.clone(), body.required));
        assert_eq!(body, Some(("io.k8s.infra.v1.RestartOptions".to_owned(), false)));
        let defined = published::definitions(&resource, published::Dialect::V3);
        assert!(defined.iter().any(|(name, _)| name == "io.k8s.infra.v1.RestartOptions"));
    }

    #[test]
    fn identifiers_are_camel_case() {
        let cases = [
            ("gold.example.com", false, "goldExampleCom"),
            ("gold.example.com", true, "GoldExampleCom"),
            ("my-group.io", false, "myGroupIo"),
            ("v1beta1", true, "V1beta1"),
            ("3d.io", false, "DIo"),
        ];
        for (text, capital, expected) in cases {
            assert_eq!(identifier(text, capital), expected, "{text}");
        }
    }

    #[test]
    fn nouns_have_articles_unless_they_look_plural() {
        for (noun, expected) in [("Widget", " a"), ("Engine", " an"), ("Settings", ""), ("Class", " a")] {
            assert_eq!(article(noun), expected, "{noun}");
        }
    }
}
