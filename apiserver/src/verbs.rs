//! What the verbs do, one file each. [`dispatch`] is the table from a request to its verb.

mod address;
mod admission;
mod apply;
mod create;
mod delete;
mod delete_collection;
mod get;
mod list;
mod patch;
mod scale;
mod update;
mod watch;
mod write;

pub(crate) use self::write::{Changing, Outcome, change};

use std::sync::Arc;

use auth::User;
use axum::{body::Body, http::Request};
use http::Response;
use machinery::status::Status;

use crate::{
    api::Api,
    context::Context,
    error::{Failure, Result},
    extension::{Actor, Call},
    kinds::Kind,
    request::{RequestInfo, ResourcePath, Target, Verb},
    respond, stores,
};

/// Answers a request for a resource; `None` when no such resource is served.
pub(crate) async fn dispatch(
    api: &Arc<Api>,
    info: &RequestInfo,
    user: &User,
    request: Request<Body>,
) -> Response<Body> {
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
    let (parts, body) = request.into_parts();
    let context = Context::new(api, kind, path, info, &parts.headers);
    let answered = match kind.actor() {
        Some(actor) => {
            let lenient = || Context::lenient(api, kind, path, info, &parts.headers);
            acted(&**actor, Call::new(context, lenient, info, user, body), info, user).await
        }
        None => match context {
            Ok(context) => Ok(warned(context, info, user, body).await),
            Err(failure) => Err(failure),
        },
    };
    answered.unwrap_or_else(|Failure(status)| respond::status(&status, info))
}

/// The actor's answer, or the verb's.
async fn acted(actor: &dyn Actor, mut call: Call<'_>, info: &RequestInfo, user: &User) -> Result<Response<Body>> {
    let verb = call.verb();
    let served = call.subresource().is_some() || actor.verbs().iter().any(|served| served.as_str() == verb.as_str());
    if !served {
        let mut refusal = Status::method_not_allowed(&call.kind().group_resource(), verb.as_str());
        refusal.message.extend(actor.instead(verb).map(|instead| format!(": {instead}")));
        return Err(refusal.into());
    }
    let (warnings, annotations) = (call.warnings(), call.annotations());
    if let Some(mut response) = actor.act(&mut call).await? {
        warnings.send(&mut response);
        annotations.send(&mut response);
        return Ok(response);
    }
    if call.subresource().is_some_and(|name| name != "status") {
        return Err(Status::method_not_allowed(&call.kind().group_resource(), verb.as_str()).into());
    }
    let (context, body) = call.split()?;
    Ok(warned(context, info, user, body).await)
}

/// The verb's answer, with what the client is warned of.
async fn warned(context: Context, info: &RequestInfo, user: &User, body: Body) -> Response<Body> {
    let (warnings, annotations) = (Arc::clone(&context.warnings), Arc::clone(&context.annotations));
    let mut response = match stores::written_for(user, answer(context, info.verb, user, body)).await {
        Ok(response) => response,
        Err(Failure(status)) => respond::status(&status, info),
    };
    warnings.send(&mut response);
    annotations.send(&mut response);
    response
}

async fn answer(context: Context, verb: Verb, user: &User, body: Body) -> Result<Response<Body>> {
    let (named, subresource) = (context.path.name.is_some(), context.path.subresource.is_some());
    if (verb, subresource) == (Verb::Watch, false) {
        return watch::watch(context).await;
    }
    let context = &context;
    match (subresource, verb, named) {
        (false, Verb::List, _) => list::list(context).await,
        (false, Verb::Create, _) => create::create(context, user, body).await,
        (false, Verb::DeleteCollection, _) => delete_collection::delete_collection(context, user, body).await,
        (false, Verb::Delete, true) => delete::delete(context, user, body).await,
        (true, Verb::Get | Verb::Update | Verb::Patch, true) if let Some(paths) = context.scale() => match verb {
            Verb::Get => scale::get(context, paths).await,
            Verb::Update => scale::update(context, paths, user, body).await,
            _ => scale::patch(context, paths, user, body).await,
        },
        (_, Verb::Get, true) => get::get(context).await,
        (_, Verb::Update, true) => update::update(context, user, body).await,
        (_, Verb::Patch, true) => patch::patch(context, user, body).await,
        (false, Verb::Update | Verb::Patch, false) => Err(Status::bad_request("name must be provided").into()),
        _ => Err(Status::method_not_allowed(&context.kind.group_resource(), verb.as_str()).into()),
    }
}

/// Whether the kind has the subresource: of stored ones there are the status and the scale.
fn subresource_fits(kind: &Kind, path: &ResourcePath) -> bool {
    match path.subresource.as_deref() {
        None => true,
        Some("status") if kind.version().status => true,
        Some("scale") if kind.version().scale.is_some() => true,
        Some(name) => kind.actor().is_some_and(|actor| actor.subresources().iter().any(|other| other.name == name)),
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
