//! `noderestarts`: read as any object; deleted by the worker, which cancels what has not ended.

use std::sync::Arc;

use apiserver::{Actor, Call, Verb};
use async_trait::async_trait;
use axum::body::Body;
use http::{Response, StatusCode};
use machinery::{meta::ObjectMeta, options::DeleteOptions, status::Status};
use proto::restart::{Cancel, Error, Restarts};
use serde_json::Value;

use crate::{phase, user};

/// The actor of `noderestarts`.
pub(crate) struct NodeRestarts {
    restarts: Arc<dyn Restarts>,
}

// === impl NodeRestarts ===

impl NodeRestarts {
    pub(crate) fn new(restarts: Arc<dyn Restarts>) -> Self {
        Self { restarts }
    }

    /// The answer is the object as long as it is there, and the usual success once it is gone.
    async fn delete(&self, call: &mut Call<'_>) -> Result<Response<Body>, Status> {
        call.acceptable()?;
        let body = call.value().await?;
        let options = DeleteOptions::parse(call.query(), body.as_ref())?;
        let restart = call.stored().await?;
        preconditions(call, &options, &restart)?;
        let (name, uid) = (ObjectMeta::of(&restart).name().to_owned(), ObjectMeta::of(&restart).uid().to_owned());
        if options.dry_run {
            return dry_run(call, &restart);
        }
        let cancel = Cancel { name: name.clone(), uid: uid.clone(), user: user::of(call.user()) };
        self.restarts.cancel(cancel).await.map_err(|Error(refusal)| *refusal)?;
        match call.find(&name).await?.filter(|left| ObjectMeta::of(left).uid() == uid) {
            Some(left) => call.object(StatusCode::OK, &left),
            None => Ok(gone(call, &restart)),
        }
    }
}

#[async_trait]
impl Actor for NodeRestarts {
    fn verbs(&self) -> &[openapi::Verb] {
        &[openapi::Verb::Delete, openapi::Verb::Get, openapi::Verb::List, openapi::Verb::Watch]
    }

    fn instead(&self, verb: Verb) -> Option<&'static str> {
        match verb {
            Verb::Create | Verb::Update | Verb::Patch => Some("to restart a node, POST to nodes/NAME/restart"),
            Verb::DeleteCollection => Some("delete them one by one, since each is cancelled or refused on its own"),
            _ => None,
        }
    }

    async fn act(&self, call: &mut Call<'_>) -> Result<Option<Response<Body>>, Status> {
        match call.verb() {
            Verb::Delete => self.delete(call).await.map(Some),
            _ => Ok(None),
        }
    }
}

/// What the worker would say, as far as the object tells.
fn dry_run(call: &Call<'_>, restart: &Value) -> Result<Response<Body>, Status> {
    if phase::past_return(restart) {
        let (name, phase) = (ObjectMeta::of(restart).name(), phase::of(restart));
        let problem = format!("it is {phase}: the provider may have been asked already");
        return Err(Status::conflict(&call.kind().group_resource(), name, &problem));
    }
    Ok(gone(call, restart))
}

fn gone(call: &Call<'_>, restart: &Value) -> Response<Body> {
    let meta = ObjectMeta::of(restart);
    call.status(&Status::deleted(&call.kind().group_resource(), meta.name(), meta.uid()))
}

/// A deletion may name the uid and the revision that it means.
fn preconditions(call: &Call<'_>, options: &DeleteOptions, restart: &Value) -> Result<(), Status> {
    let meta = ObjectMeta::of(restart);
    let checks =
        [("uid", &options.uid, meta.uid()), ("resourceVersion", &options.resource_version, meta.resource_version())];
    for (field, wanted, found) in checks {
        if let Some(wanted) = wanted.as_ref().filter(|wanted| *wanted != found) {
            let problem = format!("preconditions.{field} is {wanted}, but its {field} is {found}");
            return Err(Status::conflict(&call.kind().group_resource(), meta.name(), &problem));
        }
    }
    Ok(())
}
