//! A new record.

use http::StatusCode;
use hyperfleet_records::{Kind, New};

use crate::{
    api::Api,
    error::Result,
    input::{self, Creation, Strictness},
    json,
    jwt::Caller,
    present,
    reply::{self, Answer},
};

pub(super) async fn create(
    api: &Api,
    kind: Kind,
    owner: Option<String>,
    body: &[u8],
    caller: &Caller,
) -> Result<Answer> {
    let Creation { name, spec, labels } =
        input::creation(json::object(body)?, kind, Strictness::of(&api.rules), &api.schemas.current())?;
    let resource = api.records.create(New { kind, owner, name, spec, labels, by: caller.name.clone() }).await?;
    api.metrics.started(kind, false);
    Ok(reply::json(StatusCode::CREATED, present::record(&resource, None)))
}
