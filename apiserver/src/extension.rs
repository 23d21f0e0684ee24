//! Kinds that act: what a kind does beyond being stored.
//!
//! An [`Extension`] is a definition, which makes the kind like any other, and an [`Actor`], which is asked first. What the
//! actor leaves alone, the verbs do: a kind whose actor answers nothing is a kind without one. Extensions are given to
//! [`Server::bind`](crate::Server::bind) by whoever puts the process together, so that this crate knows none of them.

mod call;
mod session;
mod status_writer;

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use http::Response;
use machinery::{field::ErrorList, status::Status};
use proto::store::Store;
use serde_json::Value;

pub use self::{
    call::{Access, Call},
    session::Session,
    status_writer::StatusWriter,
};
use crate::request::Verb;

/// A kind and what it does.
#[derive(Clone)]
pub struct Extension {
    /// Where its definition is from, for errors.
    pub origin: &'static str,
    /// The CustomResourceDefinition document.
    pub definition: &'static str,
    /// What it does.
    pub actor: Arc<dyn Actor>,
    /// Where its objects are kept; `None` is where the server keeps all others. What such a store makes of a write is read
    /// back from it for the answer: it may know better than the server what an object is.
    pub store: Option<Arc<dyn Store>>,
}

/// What a kind does beyond being stored. It is asked after authentication and authorization, and before the verb.
#[async_trait]
pub trait Actor: Send + Sync + 'static {
    /// The verbs that there are. Another one is 405.
    fn verbs(&self) -> &[openapi::Verb] {
        &openapi::Verb::ALL
    }

    /// What to do instead of a verb that there is not; the refusal ends with it.
    fn instead(&self, _verb: Verb) -> Option<&'static str> {
        None
    }

    /// The subresources that there are beside those of the definition. Each verb of them is this actor's to answer.
    fn subresources(&self) -> Vec<openapi::Subresource> {
        Vec::new()
    }

    /// Says what `object` says in the words of `version`. Without a word of the actor's, all versions say it alike.
    fn convert(&self, _object: &mut Value, _version: &str) {}

    /// What is wrong with an object that its schema cannot tell; `old` is what it shall replace. Pure.
    fn validate(&self, _object: &Value, _old: Option<&Value>) -> ErrorList {
        ErrorList::new()
    }

    /// Whether the bodies of its requests and answers are kept out of the audit log, whatever the policy says.
    fn confidential(&self) -> bool {
        false
    }

    /// What queries may say besides what they all may; for OpenAPI.
    fn parameters(&self) -> Vec<openapi::QueryParameter> {
        Vec::new()
    }

    /// What is sent where it is no object of the kind; for OpenAPI.
    fn bodies(&self) -> Vec<openapi::RequestBody> {
        Vec::new()
    }

    /// Answers a request, or leaves it to the verb with `None`; then the body must not have been read.
    async fn act(&self, call: &mut Call<'_>) -> Result<Option<Response<Body>>, Status>;
}

/// An extension of a response: it is not to be compressed, because it is long, and its reader is near or in a hurry.
#[derive(Debug, Clone, Copy)]
pub struct Uncompressed;
