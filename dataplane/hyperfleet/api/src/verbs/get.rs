//! One record.

use http::StatusCode;
use hyperfleet_records::Key;

use crate::{
    api::Api,
    error::Result,
    fields::Fields,
    filters::Asked,
    present,
    reply::{self, Answer},
};

pub(super) async fn get(api: &Api, asked: &Asked, key: &Key) -> Result<Answer> {
    let fields = Fields::read(asked.params.filled("fields"), key.kind)?;
    let resource = api.records.get(key).await?;
    Ok(reply::json(StatusCode::OK, present::record(&resource, fields.as_ref())))
}
