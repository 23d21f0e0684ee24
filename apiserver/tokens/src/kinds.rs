//! The actor of both kinds: it gives each request its session, and leaves the rest to the verbs.

use apiserver::{Actor, Call, Verb};
use async_trait::async_trait;
use axum::body::Body;
use http::Response;
use machinery::{field::ErrorList, status::Status};
use openapi::{Subresource, SubresourceKind};
use proto::token;
use serde_json::Value;

use crate::{rotate, rules, session::Session};

/// The subresource that gives a token another plaintext.
const ROTATE: &str = "rotate";

/// The actor.
pub(crate) struct Tokens;

#[async_trait]
impl Actor for Tokens {
    fn subresources(&self) -> Vec<Subresource> {
        vec![Subresource { name: ROTATE.to_owned(), kind: SubresourceKind::Own, verbs: vec![openapi::Verb::Create] }]
    }

    fn convert(&self, object: &mut Value, version: &str) {
        token::convert(object, version);
    }

    fn validate(&self, object: &Value, old: Option<&Value>) -> ErrorList {
        rules::validate(object, old)
    }

    /// What is sent may hold what was once answered.
    fn confidential(&self) -> bool {
        true
    }

    async fn act(&self, call: &mut Call<'_>) -> Result<Option<Response<Body>>, Status> {
        let (rotates, status, verb) =
            (call.subresource() == Some(ROTATE), call.subresource() == Some("status"), call.verb());
        if rotates && verb != Verb::Create || status && verb != Verb::Get {
            let mut refusal = Status::method_not_allowed(&call.kind().group_resource(), verb.as_str());
            refusal.message.push_str(if rotates { ": POST rotates" } else { ": the status is made by the server" });
            return Err(refusal);
        }
        let session = Session::begin(call).await?;
        call.join(session.clone());
        if rotates { rotate::rotate(&session, call).await.map(Some) } else { Ok(None) }
    }
}
