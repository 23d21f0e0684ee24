//! The end of a record whose adapters do not clean up. Records log it with its reason.

use http::StatusCode;
use hyperfleet_records::Key;

use crate::{
    api::Api,
    error::Result,
    input, json,
    jwt::Caller,
    reply::{self, Answer},
};

pub(super) async fn force_delete(api: &Api, key: &Key, body: &[u8], caller: &Caller) -> Result<Answer> {
    let reason = input::reason(json::object(body)?)?;
    api.records.force_delete(key, &reason, &caller.name).await?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}
