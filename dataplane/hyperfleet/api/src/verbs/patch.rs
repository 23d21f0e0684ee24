//! Changes of a record.

use http::StatusCode;
use hyperfleet_records::Key;

use crate::{
    api::Api,
    error::Result,
    input::{self, Strictness},
    json,
    jwt::Caller,
    present,
    reply::{self, Answer},
};

pub(super) async fn patch(api: &Api, key: &Key, body: &[u8], caller: &Caller) -> Result<Answer> {
    let patch = input::patch(json::object(body)?, key.kind, Strictness::of(&api.rules), &api.schemas.current())?;
    let asked = api.now();
    let resource = api.records.patch(key, patch, &caller.name).await?;
    // Records keep microseconds.
    if resource.updated.0.as_microsecond() >= asked.as_microsecond() {
        api.metrics.started(key.kind, false);
    }
    Ok(reply::json(StatusCode::OK, present::record(&resource, None)))
}
