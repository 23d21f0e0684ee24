//! Both kinds do what any stored kind does, but for their status: it is an aggregate of what adapters report.

use apiserver::{Actor, Call, Verb};
use async_trait::async_trait;
use axum::body::Body;
use http::Response;
use machinery::status::Status;

/// Who may write it, and how.
const INSTEAD: &str = "the status is made of what adapters report: POST the report to /api/hyperfleet/v1, under the resource's path, /statuses";

/// A kind whose status is reported over REST.
pub(crate) struct Reported;

#[async_trait]
impl Actor for Reported {
    async fn act(&self, call: &mut Call<'_>) -> Result<Option<Response<Body>>, Status> {
        match (call.subresource(), call.verb()) {
            (Some("status"), verb) if verb != Verb::Get => {
                let mut refusal = Status::method_not_allowed(&call.kind().group_resource(), verb.as_str());
                refusal.message += &format!(": {INSTEAD}");
                Err(refusal)
            }
            _ => Ok(None),
        }
    }
}
