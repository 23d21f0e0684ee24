//! What the verbs do, one file each. [`dispatch`] is the table from a request to its verb.

mod address;
mod create;
mod delete;
mod delete_collection;
mod get;
mod list;
mod patch;
mod update;
mod watch;
mod write;

pub(crate) use self::write::Outcome;

use std::sync::Arc;

use axum::{body::Body, http::Request};
use http::Response;
use machinery::status::Status;

use crate::{
    api::Api,
    context::Context,
    error::{Failure, Result},
    kinds::Kind,
    request::{RequestInfo, ResourcePath, Target, Verb},
    respond,
};

/// Answers a request for a resource; `None` when no such resource is served.
pub(crate) async fn dispatch(api: &Arc<Api>, info: &RequestInfo, request: Request<Body>) -> Response<Body> {
    let Target::Resource(path) = &info.target else { return respond::not_found() };
    let kinds = api.kinds();
    let Some(kind) = kinds.get(&path.group, &path.version, &path.resource) else { return respond::not_found() };
    if !scope_fits(kind.namespaced(), path, info.verb) {
        return respond::not_found();
    }
    if !subresource_fits(kind, path) {
        let name = path.name.as_deref().unwrap_or_default();
        return respond::status(&Status::not_found(&kind.group_resource(), name), info);
    }
    let context = match Context::new(api, kind, path, info, request.headers()) {
        Ok(context) => context,
        Err(Failure(status)) => return respond::status(&status, info),
    };
    let warnings = Arc::clone(&context.warnings);
    let mut response = match answer(context, info.verb, request.into_body()).await {
        Ok(response) => response,
        Err(Failure(status)) => respond::status(&status, info),
    };
    warnings.send(&mut response);
    response
}

async fn answer(context: Context, verb: Verb, body: Body) -> Result<Response<Body>> {
    let (named, subresource) = (context.path.name.is_some(), context.path.subresource.is_some());
    if (verb, subresource) == (Verb::Watch, false) {
        return watch::watch(context).await;
    }
    let context = &context;
    match (subresource, verb, named) {
        (false, Verb::List, _) => list::list(context).await,
        (false, Verb::Create, _) => create::create(context, body).await,
        (false, Verb::DeleteCollection, _) => delete_collection::delete_collection(context, body).await,
        (false, Verb::Delete, true) => delete::delete(context, body).await,
        (_, Verb::Get, true) => get::get(context).await,
        (_, Verb::Update, true) => update::update(context, body).await,
        (_, Verb::Patch, true) => patch::patch(context, body).await,
        (false, Verb::Update | Verb::Patch, false) => Err(Status::bad_request("name must be provided").into()),
        _ => Err(Status::method_not_allowed(&context.kind.group_resource(), verb.as_str()).into()),
    }
}

/// The only subresource that there is, where the kind has it.
fn subresource_fits(kind: &Kind, path: &ResourcePath) -> bool {
    match path.subresource.as_deref() {
        None => true,
        Some("status") => kind.version().status,
        Some(_) => false,
    }
}

/// A namespaced kind is reached without a namespace only to read all of it; a cluster-scoped one never has one.
fn scope_fits(namespaced: bool, path: &ResourcePath, verb: Verb) -> bool {
    match (namespaced, &path.namespace) {
        (true, None) => matches!(verb, Verb::List | Verb::Watch),
        (false, Some(_)) => false,
        _ => true,
    }
}
