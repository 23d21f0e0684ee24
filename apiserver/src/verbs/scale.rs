//! `get`, `update` and `patch` of an object's scale: the verbs of the object itself, through three of its fields.

use auth::User;
use axum::body::Body;
use http::Response;
use machinery::{
    json,
    negotiate::{self, Encoding, PatchType, Shape},
    options::{FieldValidation, GetOptions, WriteOptions},
    patch::Patch,
    status::Status,
    yaml,
};
use proto::store::At;
use schema::Scale;
use serde_json::Value;

use super::{address, admission::Asked, write};
use crate::{
    context::Context,
    decode,
    error::{Failure, Result},
    object, problems, respond, scale, strategy,
    strategy::By,
    verbs::Outcome,
};

pub(super) async fn get(context: &Context, paths: &Scale) -> Result<Response<Body>> {
    let options = GetOptions::parse(&context.query)?;
    let at = options.resource_version.map_or(At::Latest, At::NotOlderThan);
    let key = context.key()?;
    let entry = context.store().get(&key, at).await.map_err(|error| context.failed(&error))?;
    let entry = entry.ok_or_else(|| Status::not_found(&context.kind.group_resource(), &key.name))?;
    context.presentable(Shape::Object)?;
    let object = object::decode(&context.kind, &entry.content, entry.revision)?;
    respond::scale(context, &scale::of(paths, &object)?)
}

pub(super) async fn update(context: &Context, paths: &Scale, user: &User, body: Body) -> Result<Response<Body>> {
    let options = WriteOptions::update(&context.query)?;
    let body = decode::body(body).await?;
    let value = read(context, &body)?;
    let mut sent = decoded(context, value, options.field_validation, |problem| {
        Status::bad_request(&format!("Scale in version \"v1\" cannot be handled as a Scale: {problem}"))
    })?;
    address::namespace(context.path.namespace.as_deref(), &mut sent)?;
    address::name(context.path.name.as_deref().unwrap_or_default(), &sent)?;
    let mut manager = String::new();
    let by = By { recorded: true, ..context.by(options.field_manager.as_deref(), &mut manager) };
    let make = |old: &Value| {
        strategy::same_object(&context.kind, old, &sent)?;
        scale::set(&context.kind, paths, old, &sent, &by)
    };
    changed(context, paths, user, options.dry_run, &by, make).await
}

pub(super) async fn patch(context: &Context, paths: &Scale, user: &User, body: Body) -> Result<Response<Body>> {
    let kind = negotiate::patch_type(decode::content_type(&context.headers))?;
    let mut manager = String::new();
    if kind == PatchType::Apply {
        let (options, force) = WriteOptions::apply(&context.query)?;
        let body = decode::body(body).await?;
        let by = By { recorded: true, ..context.by(options.field_manager.as_deref(), &mut manager) };
        let config =
            yaml::decode(&body).map_err(|error| Status::bad_request(&format!("error decoding YAML: {error}")))?;
        let config = decoded(context, config.value, options.field_validation, Status::bad_request)?;
        let make = |old: &Value| scale::apply(&context.kind, paths, old, &config, &by, force);
        return changed(context, paths, user, options.dry_run, &by, make).await;
    }
    let options = WriteOptions::patch(&context.query)?;
    let body = decode::body(body).await?;
    let patch = if kind == PatchType::Json { Patch::json(&body)? } else { Patch::merge(&body)? };
    let by = By { recorded: true, ..context.by(options.field_manager.as_deref(), &mut manager) };
    let make = |old: &Value| {
        let patched = patch.apply(&scale::patchable(paths, old)?)?;
        let document = patched.clone();
        let refused = |problem: &str| problems::unfit_patch(&document, &decode::Unfit::Malformed(problem.to_owned()));
        let mut new = decoded(context, patched, options.field_validation, refused)?;
        address::namespace(context.path.namespace.as_deref(), &mut new)?;
        address::name(context.path.name.as_deref().unwrap_or_default(), &new)?;
        scale::set(&context.kind, paths, old, &new, &by)
    };
    changed(context, paths, user, options.dry_run, &by, make).await
}

async fn changed(
    context: &Context,
    paths: &Scale,
    user: &User,
    dry_run: bool,
    by: &By<'_>,
    make: impl FnMut(&Value) -> Result<Value>,
) -> Result<Response<Body>> {
    let how = write::Changing { by: *by, dry_run, asked: Some(Asked { user, dry_run }) };
    let object = match write::change(context, &context.key()?, &how, make).await? {
        Outcome::Object(object) => object,
        Outcome::Stored(entry) => object::decode(&context.kind, &entry.content, entry.revision)?,
    };
    respond::scale(context, &scale::of(paths, &object)?)
}

fn read(context: &Context, body: &[u8]) -> Result<Value> {
    let refused = |problem: String| Failure::from(Status::bad_request(&problem));
    match negotiate::content_type(decode::content_type(&context.headers))? {
        Encoding::Yaml => Ok(yaml::decode(body).map_err(|error| refused(error.to_string()))?.value),
        _ => {
            let problem = |error: json::SyntaxError| format!("couldn't get version/kind; json parse error: {error}");
            Ok(json::decode(body).map_err(|error| refused(problem(error)))?.value)
        }
    }
}

/// A scale as it is understood; `refuse` says what is wrong with one that is not.
fn decoded(
    context: &Context,
    value: Value,
    validation: FieldValidation,
    refuse: impl Fn(&str) -> Status,
) -> Result<Value> {
    let (scale, unknown) = scale::decode(value).map_err(|problem| refuse(&problem))?;
    let unknown = unknown.iter().map(|path| format!("unknown field \"{path}\"")).collect();
    context.warnings.add(problems::judge(validation, unknown, refuse)?);
    Ok(scale)
}
