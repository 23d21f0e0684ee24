//! `update`: an object replaced by what the client made of it. It must be there, and be the one that the client read.

use auth::User;
use axum::body::Body;
use http::{Response, StatusCode};
use machinery::{
    meta::{self, Received},
    options::WriteOptions,
};
use serde_json::Value;

use super::{address, admission::Asked, write};
use crate::{context::Context, decode, error::Result, respond, strategy};

pub(super) async fn update(context: &Context, user: &User, body: Body) -> Result<Response<Body>> {
    let options = WriteOptions::update(&context.query)?;
    let body = decode::body(body).await?;
    let mut new = decode::object(context, options.field_validation, &body)?;
    address::namespace(context.path.namespace.as_deref(), &mut new)?;
    address::name(context.path.name.as_deref().unwrap_or_default(), &new)?;
    context.warnings.add(meta::dedup_owner_references(&mut new, Received::Whole));
    let mut manager = String::new();
    let by = context.by(options.field_manager.as_deref(), &mut manager);
    let make = |old: &Value| {
        strategy::same_object(&context.kind, old, &new)?;
        Ok(new.clone())
    };
    let dry_run = options.dry_run;
    let how = write::Changing { by, dry_run, asked: Some(Asked { user, dry_run }) };
    let outcome = write::change(context, &context.key()?, &how, make).await?;
    respond::outcome(context, StatusCode::OK, outcome)
}
