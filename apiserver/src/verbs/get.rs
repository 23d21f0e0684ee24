//! `get`: one object, or its status subresource, which reads the same.

use axum::body::Body;
use http::{Response, StatusCode};
use machinery::{negotiate::Shape, options::GetOptions, status::Status};
use proto::store::At;

use crate::{context::Context, error::Result, respond};

pub(super) async fn get(context: &Context) -> Result<Response<Body>> {
    let options = GetOptions::parse(&context.query)?;
    let at = options.resource_version.map_or(At::Latest, At::NotOlderThan);
    let key = context.key()?;
    let entry = context.store().get(&key, at).await.map_err(|error| context.failed(&error))?;
    let entry = entry.ok_or_else(|| Status::not_found(&context.kind.group_resource(), &key.name))?;
    context.presentable(Shape::Object)?;
    respond::entry(context, StatusCode::OK, &entry)
}
