//! The parameters of operations.
//!
//! What deletion takes is described by the properties of `DeleteOptions`, the rest here.

use serde_json::{Value, json};

use crate::{shared, shared::DELETE_OPTIONS};

/// A parameter in a path or a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    location: Location,
    kind: &'static str,
    description: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Location {
    Path,
    Query,
}

/// Name, type and description.
type Described = (&'static str, &'static str, &'static str);

/// What reads of many objects take.
const LIST: [Described; 11] = [
    ("allowWatchBookmarks", "boolean", "Whether a watch may send BOOKMARK events, which only carry a resourceVersion."),
    ("continue", "string", "The previous page's metadata.continue; the other parameters must be that page's."),
    ("fieldSelector", "string", "Restricts the objects by their fields. Defaults to everything."),
    ("labelSelector", "string", "Restricts the objects by their labels. Defaults to everything."),
    (
        "limit",
        "integer",
        "The most objects in one answer. If there are more, metadata.continue leads to the next page.",
    ),
    ("resourceVersion", "string", "How old the answer may be, as resourceVersionMatch says. A watch begins after it."),
    ("resourceVersionMatch", "string", "How resourceVersion is meant: Exact or NotOlderThan."),
    ("sendInitialEvents", "boolean", "Whether a watch begins with an event for every object there is and a BOOKMARK."),
    ("shardSelector", "string", "A part of the objects. Alpha in Kubernetes and, as there by default, without effect."),
    ("timeoutSeconds", "integer", "Ends the list or watch after this time, whatever happens."),
    ("watch", "boolean", "Follows changes as a stream of events instead of returning a list."),
];

/// What reads of one object take.
const GET: [Described; 1] = [("resourceVersion", "string", "How old the answer may be: at least this revision.")];

/// What writes take besides `dryRun`.
const WRITE: [Described; 2] = [
    ("fieldManager", "string", "Under which name to record who wrote which field. Required for apply."),
    (
        "fieldValidation",
        "string",
        "What to do about unknown and repeated fields: Ignore, Warn (the default) or Strict.",
    ),
];

/// What patches take besides.
const PATCH: [Described; 1] = [("force", "boolean", "Whether an apply takes over fields that others manage.")];

/// The properties of `DeleteOptions` that may also stand in the query.
const DELETE: [&str; 5] = [
    "dryRun",
    "gracePeriodSeconds",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "orphanDependents",
    "propagationPolicy",
];

/// What is common to the operations of a path.
pub(crate) fn of_path(kind: &str, namespaced: bool, named: bool) -> Vec<Parameter> {
    let path = |name, description: String| Parameter { name, location: Location::Path, kind: "string", description };
    let name = named.then(|| path("name", format!("name of the {kind}")));
    let namespace = namespaced.then(|| path("namespace", "the namespace of the object".to_owned()));
    let pretty =
        query(("pretty", "string", "Whether to indent the output. Defaults to whether a person seems to ask."));
    name.into_iter().chain(namespace).chain([pretty]).collect()
}

/// Parameters of lists, watches and the deletion of many.
pub(crate) fn list() -> Vec<Parameter> {
    LIST.map(query).into()
}

/// Parameters of reading one object.
pub(crate) fn get() -> Vec<Parameter> {
    GET.map(query).into()
}

/// Parameters of creating and replacing.
pub(crate) fn write() -> Vec<Parameter> {
    of_delete_options(&["dryRun"]).chain(WRITE.map(query)).collect()
}

/// Parameters of patching.
pub(crate) fn patch() -> Vec<Parameter> {
    write().into_iter().chain(PATCH.map(query)).collect()
}

/// Parameters of deleting one object.
pub(crate) fn delete() -> Vec<Parameter> {
    of_delete_options(&DELETE).collect()
}

/// A parameter of a query.
pub(crate) fn query((name, kind, description): (&'static str, &'static str, &str)) -> Parameter {
    Parameter { name, location: Location::Query, kind, description: description.to_owned() }
}

fn of_delete_options(names: &'static [&'static str]) -> impl Iterator<Item = Parameter> {
    let properties = &shared::v2()[DELETE_OPTIONS]["properties"];
    names.iter().map(|&name| {
        let property = &properties[name];
        let kind = match property["type"].as_str() {
            Some("boolean") => "boolean",
            Some("integer") => "integer",
            // A list is repeated, or separated by commas: each time a string.
            _ => "string",
        };
        query((name, kind, property["description"].as_str().unwrap_or_default()))
    })
}

// === impl Parameter ===

impl Parameter {
    /// As OpenAPI v3 writes it.
    pub(crate) fn v3(&self) -> Value {
        let mut value = self.common();
        value["schema"] = json!({"type": self.kind, "uniqueItems": true});
        value
    }

    /// As OpenAPI v2 writes it.
    pub(crate) fn v2(&self) -> Value {
        let mut value = self.common();
        value["type"] = json!(self.kind);
        value["uniqueItems"] = json!(true);
        value
    }

    fn common(&self) -> Value {
        match self.location {
            Location::Path => {
                json!({"name": self.name, "in": "path", "description": self.description, "required": true})
            }
            Location::Query => json!({"name": self.name, "in": "query", "description": self.description}),
        }
    }
}
