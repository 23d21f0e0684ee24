//! A request as an actor sees it.

use std::sync::{Arc, Mutex};

use auth::{Attributes, User};
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use machinery::{
    meta::ObjectMeta,
    negotiate::{Encoding, Output, Shape, View},
    status::Status,
    time::Timestamp,
};
use proto::store::{self, At, Entry, Store};
use runtime::Shutdown;
use serde_json::Value;

use crate::{
    api::Api,
    audit::Noted,
    context::Context,
    decode,
    error::{Failure, Result},
    extension::{Session, StatusWriter},
    filters,
    kinds::Kind,
    object,
    request::{RequestInfo, Verb},
    respond,
    warnings::Warnings,
};

/// A request for a kind that acts.
pub struct Call<'a> {
    context: Context,
    /// Why it cannot be answered in the media type that is asked for, by anybody but the actor.
    unacceptable: Option<Failure>,
    info: &'a RequestInfo,
    user: &'a User,
    /// Never locked: in it, a call can be shared between threads, which a body cannot.
    body: Mutex<Body>,
}

/// What a caller may do, to be asked when the call itself is gone.
#[derive(Clone)]
pub struct Access {
    api: Arc<Api>,
    user: User,
}

// === impl Access ===

impl Access {
    /// Who asks.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// Refuses with 403 what the caller may not do.
    pub async fn authorize(&self, attributes: &Attributes) -> Result<(), Status> {
        filters::allowed(&self.api, &self.user, attributes).await.map_err(status)
    }
}

// === impl Call ===

impl<'a> Call<'a> {
    pub(crate) fn new(
        context: Result<Context>,
        lenient: impl FnOnce() -> Context,
        info: &'a RequestInfo,
        user: &'a User,
        body: Body,
    ) -> Self {
        let (context, unacceptable) = match context {
            Ok(context) => (context, None),
            Err(failure) => (lenient(), Some(failure)),
        };
        Self { context, unacceptable, info, user, body: Mutex::new(body) }
    }

    /// What the verb goes on with.
    pub(crate) fn split(self) -> Result<(Context, Body)> {
        match self.unacceptable {
            Some(failure) => Err(failure),
            None => Ok((self.context, self.body.into_inner().unwrap_or_default())),
        }
    }

    /// What is asked for.
    pub fn verb(&self) -> Verb {
        self.info.verb
    }

    /// The kind.
    pub fn kind(&self) -> &Kind {
        &self.context.kind
    }

    /// The namespace in the path.
    pub fn namespace(&self) -> Option<&str> {
        self.context.path.namespace.as_deref()
    }

    /// The name in the path; `None` is the collection.
    pub fn name(&self) -> Option<&str> {
        self.context.path.name.as_deref()
    }

    /// The subresource in the path.
    pub fn subresource(&self) -> Option<&str> {
        self.context.path.subresource.as_deref()
    }

    /// The decoded query, in order; a name may come more than once.
    pub fn query(&self) -> &[(String, String)] {
        &self.info.query
    }

    /// The first value of a query parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.info.param(name)
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.context.headers
    }

    /// The `Accept` header, all of it.
    pub fn accept(&self) -> &str {
        &self.info.accept
    }

    /// Whether the answer is wanted as plain, compact JSON: neither YAML nor a Table.
    pub fn plain(&self) -> bool {
        let Output { view, encoding, pretty, .. } = self.context.output;
        self.unacceptable.is_none() && view == View::Object && encoding == Encoding::Json && !pretty
    }

    /// Whether the answer is to be indented where it can be.
    pub fn pretty(&self) -> bool {
        self.unacceptable.is_none() && self.context.output.pretty
    }

    /// Who asks.
    pub fn user(&self) -> &User {
        self.user
    }

    /// When.
    pub fn now(&self) -> Timestamp {
        self.context.now
    }

    /// What follows goes on with this.
    pub fn join(&mut self, session: Arc<dyn Session>) {
        self.context.session = Some(session);
    }

    /// Where the objects of the kind are.
    pub fn store(&self) -> &Arc<dyn Store> {
        self.context.store()
    }

    /// The end of the process, which an answer without an end of its own must not wait for.
    pub fn shutdown(&self) -> &Shutdown {
        self.context.api.shutdown()
    }

    /// Writes the status of the object that the path names, then or later.
    pub fn status_writer(&self) -> StatusWriter {
        StatusWriter::new(self.context.clone())
    }

    /// The body, to its end; 413 when it is longer than 3 MiB. A second call gives nothing.
    pub async fn body(&mut self) -> Result<Bytes, Status> {
        let body = self.body.get_mut().map(std::mem::take).unwrap_or_default();
        decode::body(body).await.map_err(status)
    }

    /// The body as JSON or YAML, whichever it says it is, if there is one.
    pub async fn value(&mut self) -> Result<Option<Value>, Status> {
        let body = self.body().await?;
        decode::optional(&self.context.headers, &body).map_err(status)
    }

    /// Refuses what cannot be answered in the media type that is asked for. For actors that answer in the usual ones.
    pub fn acceptable(&self) -> Result<(), Status> {
        match &self.unacceptable {
            Some(Failure(refusal)) => Err(Status::clone(refusal)),
            None => Ok(()),
        }
    }

    /// What follows is about another resource of the same group and version, as the answer of a subresource may be.
    pub fn turn_to(&mut self, resource: &str) -> Result<(), Status> {
        let kinds = self.context.api.kinds();
        let kind = kinds.get(&self.context.path.group, &self.context.path.version, resource);
        self.context.kind = Arc::clone(kind.ok_or_else(|| Status::internal(&format!("{resource} is not served")))?);
        Ok(())
    }

    /// The stored object that the path names, or 404.
    pub async fn stored(&self) -> Result<Value, Status> {
        let key = self.context.key().map_err(status)?;
        let found = self.find(&key.name).await?;
        found.ok_or_else(|| Status::not_found(&self.kind().group_resource(), &key.name))
    }

    /// The stored object of that name, in the namespace of the path.
    pub async fn find(&self, name: &str) -> Result<Option<Value>, Status> {
        let entry = self.store().get(&self.context.key_of(name), At::Latest).await;
        let entry = entry.map_err(|error| self.failed(&error))?;
        entry.map(|entry| object::decode(self.kind(), &entry.content, entry.revision).map_err(status)).transpose()
    }

    /// The status that a store's error is for this request.
    pub fn failed(&self, error: &store::Error) -> Status {
        status(self.context.failed(error))
    }

    /// Refuses with 403 what the caller may not do besides what was asked already.
    pub async fn authorize(&self, attributes: &Attributes) -> Result<(), Status> {
        filters::allowed(&self.context.api, self.user, attributes).await.map_err(status)
    }

    /// What the caller may do, for what goes on without the call.
    pub fn access(&self) -> Access {
        Access { api: Arc::clone(&self.context.api), user: self.user.clone() }
    }

    pub(crate) fn warnings(&self) -> Arc<Warnings> {
        Arc::clone(&self.context.warnings)
    }

    pub(crate) fn annotations(&self) -> Arc<Noted> {
        Arc::clone(&self.context.annotations)
    }

    /// Warns the client.
    pub fn warn(&self, text: &str) {
        self.context.warnings.add(vec![text.to_owned()]);
    }

    /// Answers with one object of the kind, in the representation that was asked for.
    pub fn object(&self, code: StatusCode, object: &Value) -> Result<Response<Body>, Status> {
        self.context.presentable(Shape::Object).map_err(status)?;
        respond::object(&self.context, code, object).map_err(status)
    }

    /// Answers with objects of the kind, which have uids, as a list at `revision`, in the representation that was asked for.
    pub fn objects(&self, revision: u64, objects: &[Value]) -> Result<Response<Body>, Status> {
        let entries = objects.iter().map(|object| {
            let meta = ObjectMeta::of(object);
            let key =
                self.context.kind.key(Some(meta.namespace()).filter(|namespace| !namespace.is_empty()), meta.name());
            let revision = meta.resource_version().parse().unwrap_or(revision);
            Entry { key, revision, content: object::encode(&self.context.kind, object) }
        });
        respond::collection(&self.context, revision, entries.collect()).map_err(status)
    }

    /// Answers with a status, such as that of a deletion.
    pub fn status(&self, status: &Status) -> Response<Body> {
        respond::status_for(status, &self.context.output)
    }

    /// Answers with something that is no object of the kind, such as the object of a subresource.
    pub fn bytes(&self, code: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
        respond::stream(code, content_type, body)
    }
}

fn status(failure: Failure) -> Status {
    *failure.0
}
