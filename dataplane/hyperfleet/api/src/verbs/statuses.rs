//! What adapters report.

use http::StatusCode;
use hyperfleet_records::{Key, Reported};

use crate::{
    api::Api,
    error::Result,
    filters::Asked,
    json, present,
    reply::{self, Answer},
    report::{self, Strictness},
};

pub(super) async fn list(api: &Api, asked: &Asked, key: &Key) -> Result<Answer> {
    let paging = asked.params.paging(api.rules.strict_lists)?;
    let limit = u64::try_from(paging.size).unwrap_or_default();
    let page = api.records.statuses(key, paging.offset(), limit).await?;
    Ok(reply::json(StatusCode::OK, present::statuses(&page, paging)))
}

pub(super) async fn report(api: &Api, asked: &Asked, key: &Key, body: &[u8]) -> Result<Answer> {
    let strictness = Strictness { conditions: api.rules.strict_reports, times: api.rules.strict_times };
    let report = report::read(json::object(body)?, strictness, asked.now)?;
    let counts = match api.records.report(key, report).await? {
        Reported::Stored(status) => status,
        Reported::Stale(why, _) if api.rules.stale_no_content => {
            tracing::debug!(hyperfleet.id = key.id, "a report for {} does not count: {why}", key.id);
            return Ok(reply::empty(StatusCode::NO_CONTENT));
        }
        Reported::Stale(why, status) => {
            tracing::debug!(hyperfleet.id = key.id, "a report for {} does not count: {why}", key.id);
            status
        }
    };
    Ok(reply::json(StatusCode::CREATED, present::status(&counts)))
}
