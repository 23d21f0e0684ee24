//! The wish that a record goes: adapters clean up before it does.

use http::StatusCode;
use hyperfleet_records::Key;

use crate::{
    api::Api,
    error::Result,
    jwt::Caller,
    present,
    reply::{self, Answer},
};

pub(super) async fn delete(api: &Api, key: &Key, caller: &Caller) -> Result<Answer> {
    let resource = api.records.delete(key, &caller.name).await?;
    api.metrics.started(key.kind, true);
    Ok(reply::json(StatusCode::ACCEPTED, present::record(&resource, None)))
}
