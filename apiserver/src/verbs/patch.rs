//! `patch`: an object changed by a JSON patch or a merge patch, again and again until nobody was faster; an apply patch is
//! a matter of its own.

use auth::User;
use axum::body::Body;
use http::{Response, StatusCode};
use machinery::{
    meta::{self, Received},
    negotiate::{self, PatchType},
    options::WriteOptions,
    patch::Patch,
};
use serde_json::Value;

use super::{address, admission::Asked, apply, write};
use crate::{context::Context, decode, error::Result, problems, respond};

pub(super) async fn patch(context: &Context, user: &User, body: Body) -> Result<Response<Body>> {
    let kind = negotiate::patch_type(decode::content_type(&context.headers))?;
    if kind == PatchType::Apply {
        return apply::apply(context, user, body).await;
    }
    let options = WriteOptions::patch(&context.query)?;
    let body = decode::body(body).await?;
    let patch = if kind == PatchType::Json { Patch::json(&body)? } else { Patch::merge(&body)? };
    let mut manager = String::new();
    let by = context.by(options.field_manager.as_deref(), &mut manager);
    let dry_run = options.dry_run;
    let how = write::Changing { by, dry_run, asked: Some(Asked { user, dry_run }) };
    let make = |old: &Value| patched(context, &options, &patch, old);
    let outcome = write::change(context, &context.key()?, &how, make).await?;
    respond::outcome(context, StatusCode::OK, outcome)
}

/// What the patch makes of `old`, decoded as if it had been sent.
fn patched(context: &Context, options: &WriteOptions, patch: &Patch, old: &Value) -> Result<Value> {
    let patched = patch.apply(old)?;
    let document = patched.clone();
    let decoded = decode::fit(&context.kind, patched, patch.duplicates().to_vec())
        .map_err(|unfit| problems::unfit_patch(&document, &unfit))?;
    context.warnings.add(problems::judge_patch(&document, options.field_validation, decoded.problems)?);
    let mut new = decoded.object;
    address::namespace(context.path.namespace.as_deref(), &mut new)?;
    address::name(context.path.name.as_deref().unwrap_or_default(), &new)?;
    context.warnings.add(meta::dedup_owner_references(&mut new, Received::Patched));
    Ok(new)
}
