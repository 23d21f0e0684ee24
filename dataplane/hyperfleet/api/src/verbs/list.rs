//! Records of a kind, or those of a cluster.

use http::StatusCode;
use hyperfleet_records::Kind;

use crate::{
    api::Api,
    error::Result,
    fields::Fields,
    filters::Asked,
    present,
    reply::{self, Answer},
};

pub(super) async fn list(api: &Api, asked: &Asked, kind: Kind, owner: Option<&str>) -> Result<Answer> {
    let strict = api.rules.strict_lists;
    let fields = Fields::read(asked.params.filled("fields"), kind)?;
    let paging = asked.params.paging(strict)?;
    let query = asked.params.query(kind, paging, strict)?;
    let page = api.records.list(kind, owner, &query).await?;
    Ok(reply::json(StatusCode::OK, present::list(kind, &page, paging, fields.as_ref())))
}
