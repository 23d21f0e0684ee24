//! What a verb needs to know of its request.

use std::sync::Arc;

use http::HeaderMap;
use machinery::{
    managed_fields, name,
    negotiate::{self, Output, Shape},
    selector::{FieldRequirement, FieldSelector},
    status::Status,
    time::Timestamp,
};
use proto::store::{self, Key, Scope, Store};

use crate::{
    api::Api,
    audit::Noted,
    error::{self, Failure, Result},
    extension::Session,
    kinds::Kind,
    request::{RequestInfo, ResourcePath, Verb},
    strategy::By,
    view::IncludeObject,
    warnings::Warnings,
};

/// A request for a resource that is served, its path and its headers checked.
#[derive(Clone)]
pub(crate) struct Context {
    /// The server.
    pub api: Arc<Api>,
    /// The kind asked for.
    pub kind: Arc<Kind>,
    /// The path.
    pub path: ResourcePath,
    /// The query.
    pub query: Vec<(String, String)>,
    /// The request's headers.
    pub headers: HeaderMap,
    /// How to answer.
    pub output: Output,
    /// When the request came.
    pub now: Timestamp,
    /// What the client is warned of.
    pub warnings: Arc<Warnings>,
    /// What the audit log is told besides.
    pub annotations: Arc<Noted>,
    /// What the kind's actor has to do with it.
    pub session: Option<Arc<dyn Session>>,
}

// === impl Context ===

impl Context {
    /// Reads what every verb needs: the media type of the answer, and the query.
    pub(crate) fn new(
        api: &Arc<Api>,
        kind: &Arc<Kind>,
        path: &ResourcePath,
        info: &RequestInfo,
        headers: &HeaderMap,
    ) -> Result<Self> {
        let output = match info.verb {
            Verb::Watch => negotiate::watch(&info.accept)?,
            _ => negotiate::accept(&info.accept, info.pretty)?,
        };
        let query = query(info, path)?;
        let context = Self { output, query, ..Self::lenient(api, kind, path, info, headers) };
        match info.verb {
            Verb::DeleteCollection => context.presentable(Shape::List)?,
            // An answer that cannot be given must not cost the client what it asked for.
            verb if verb.writes() || verb == Verb::Watch => context.presentable(Shape::Object)?,
            _ => {}
        }
        Ok(context)
    }

    /// The same without any check, for answers that are not of the usual media types: what is to be shown as an object
    /// is shown as JSON.
    pub(crate) fn lenient(
        api: &Arc<Api>,
        kind: &Arc<Kind>,
        path: &ResourcePath,
        info: &RequestInfo,
        headers: &HeaderMap,
    ) -> Self {
        Self {
            api: Arc::clone(api),
            kind: Arc::clone(kind),
            path: path.clone(),
            query: info.query.clone(),
            headers: headers.clone(),
            output: negotiate::status(&info.accept, info.pretty),
            now: api.clock().now(),
            warnings: Arc::default(),
            annotations: Arc::default(),
            session: None,
        }
    }

    /// Fails when what is there cannot be shown as the client asks.
    pub(crate) fn presentable(&self, there: Shape) -> Result<()> {
        self.output.view.check(there)?;
        IncludeObject::parse(self).map(|_| ())
    }

    /// The key of the object that the path names, or of `name` in the path's namespace.
    pub(crate) fn key_of(&self, name: &str) -> Key {
        self.kind.key(self.path.namespace.as_deref(), name)
    }

    /// The key of the object that the path names.
    pub(crate) fn key(&self) -> Result<Key> {
        let name = self.path.name.as_deref().unwrap_or_default();
        match name::path_segment(name) {
            Some(problem) => Err(Status::bad_request(&format!("Name parameter invalid: {name:?}: {problem}")).into()),
            None => Ok(self.key_of(name)),
        }
    }

    /// The scope of the collection that the path names.
    pub(crate) fn scope(&self) -> Scope {
        self.kind.scope(self.path.namespace.as_deref())
    }

    /// Where the objects of the kind are.
    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        match &self.session {
            Some(session) => session.store(),
            None => self.brought().unwrap_or(self.api.stores().own()),
        }
    }

    /// Whether the objects of the kind are in a store of its own, which may make of a write what it thinks right, or are
    /// converted on their way.
    pub(crate) fn has_own_store(&self) -> bool {
        self.brought().is_some()
    }

    fn brought(&self) -> Option<&Arc<dyn Store>> {
        let (stores, names) = (self.api.stores(), &self.kind.definition().names);
        stores.view(&self.kind).or_else(|| stores.find(&self.kind.definition().group, &names.plural))
    }

    /// Whether the status subresource is asked for.
    pub(crate) fn is_status(&self) -> bool {
        self.path.subresource.as_deref() == Some("status")
    }

    /// Where the object keeps its scale, if that subresource is asked for.
    pub(crate) fn scale(&self) -> Option<&schema::Scale> {
        let is_scale = self.path.subresource.as_deref() == Some("scale");
        self.kind.version().scale.as_ref().filter(|_| is_scale)
    }

    /// The failure that a store's error is for this request.
    pub(crate) fn failed(&self, error: &store::Error) -> Failure {
        if matches!(error, store::Error::Internal { .. }) {
            tracing::error!(k8s.resource = %self.kind.group_resource(), error = %error, "the storage failed");
        }
        error::status(error, &self.kind.group_resource()).into()
    }

    /// Who writes.
    pub(crate) fn by<'a>(&self, field_manager: Option<&'a str>, default: &'a mut String) -> By<'a> {
        *default = managed_fields::default_manager(headers_text(&self.headers, "user-agent"));
        By { manager: field_manager.unwrap_or(default), status: self.is_status(), recorded: false, now: self.now }
    }
}

/// The query. A watch of one object, which only a path that names the verb asks for, selects its name.
fn query(info: &RequestInfo, path: &ResourcePath) -> Result<Vec<(String, String)>> {
    const SELECTOR: &str = "fieldSelector";
    let mut query = info.query.clone();
    let (Verb::Watch, Some(name)) = (info.verb, &path.name) else { return Ok(query) };
    let given = FieldSelector::parse(info.param(SELECTOR).unwrap_or_default()).unwrap_or_default();
    if !given.is_empty() && given.exact("metadata.name") != Some(name) {
        return Err(Status::bad_request("fieldSelector metadata.name doesn't match requested name").into());
    }
    let of_name = FieldRequirement { field: "metadata.name".to_owned(), equal: true, value: name.clone() };
    query.insert(0, (SELECTOR.to_owned(), of_name.to_string()));
    Ok(query)
}

/// A header as text; empty when it is missing or not text.
pub(crate) fn headers_text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
