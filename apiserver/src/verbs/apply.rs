//! Server-side apply: a manager's configuration, merged into what is there or created.

use auth::{Attributes, User};
use axum::body::Body;
use http::{Response, StatusCode};
use machinery::{
    managed_fields,
    meta::{self, ObjectMeta, Received},
    options::{FieldValidation, WriteOptions},
    status::Status,
    yaml,
};
use serde_json::{Value, json};

use super::{
    address,
    admission::{Admission, Asked},
    create::{self, Stop},
    write,
};
use crate::{
    context::Context,
    decode,
    error::{Failure, Result},
    filters, problems, respond,
    strategy::{self, By},
};

/// What Go's YAML decoder was doing.
const CONVERTING: &str = "error converting YAML to JSON: ";

pub(super) async fn apply(context: &Context, user: &User, body: Body) -> Result<Response<Body>> {
    let (options, force) = WriteOptions::apply(&context.query)?;
    let body = decode::body(body).await?;
    let config = configuration(context, options.field_validation, &body)?;
    let manager = options.field_manager.as_deref().unwrap_or_default();
    let by = By { manager, status: context.is_status(), recorded: true, now: context.now };
    let make = |old: Option<&Value>| placed(context, strategy::apply(&context.kind, old, &config, &by, force)?);
    let asked = Asked { user, dry_run: options.dry_run };
    let how = write::Changing { by, dry_run: options.dry_run, asked: Some(asked) };
    for _ in 0..write::ATTEMPTS {
        match write::change(context, &context.key()?, &how, |old| make(Some(old))).await {
            Err(Failure(status)) if status.code == 404 && !by.status => {}
            outcome => return respond::outcome(context, StatusCode::OK, outcome?),
        }
        let object = new(context, user, &config, make(None)?).await?;
        let admission = Admission::create(context, asked, ObjectMeta::of(&object).name());
        let mut creation = create::Creation { by, dry_run: options.dry_run, admission };
        let object = creation.admit(context, object).await?;
        match create::store(context, object, &mut creation).await {
            // Somebody was faster: it is there now.
            Err(Stop::Taken) => {}
            Err(Stop::Failed(failure)) => return Err(failure),
            Ok(outcome) => return respond::outcome(context, StatusCode::CREATED, outcome),
        }
    }
    let name = context.path.name.as_deref().unwrap_or_default();
    Err(Status::conflict(&context.kind.group_resource(), name, crate::error::MODIFIED).into())
}

/// What a manager wants, as it was sent: neither defaulted nor, since everything counts, silently pruned.
fn configuration(context: &Context, validation: FieldValidation, body: &[u8]) -> Result<Value> {
    let refused = |problem: String| Failure::from(Status::bad_request(&problem));
    let decoded = yaml::decode(body).map_err(|error| refused(format!("error decoding YAML: {CONVERTING}{error}")))?;
    let problem = decoded.problem();
    // An empty document says as little as an empty object.
    let config = if decoded.value.is_null() { json!({}) } else { decoded.value };
    if !config.is_object() {
        return Err(refused("error decoding YAML: the configuration is not an object".to_owned()));
    }
    is_of_kind(context, &config)?;
    if !config["metadata"]["managedFields"].is_null() {
        return Err(refused("metadata.managedFields must be nil".to_owned()));
    }
    let untyped = |problem: &str| {
        let (object, kind) = (ObjectMeta::of(&config), context.kind.group_version_kind());
        let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
        let version = context.kind.group_version();
        format!("failed to create typed patch object ({namespace}/{name}; {version}, Kind={}): {problem}", kind.kind)
    };
    managed_fields::check(&config, context.kind.schema()).map_err(|problem| refused(untyped(&problem)))?;
    let mut known = config.clone();
    let unknown = meta::coerce(&mut known).map_err(|problem| refused(untyped(&problem)))?;
    let unknown = unknown.into_iter().chain(context.kind.schema().prune(&mut known)).next();
    if let Some(path) = unknown {
        return Err(refused(untyped(&format!(".{path}: field not declared in schema"))));
    }
    let strict = |problem: &str| Status::bad_request(&format!("error strict decoding YAML: {CONVERTING}{problem}"));
    context.warnings.add(problems::judge_yaml(validation, problem, strict)?);
    Ok(config)
}

fn is_of_kind(context: &Context, config: &Value) -> Result<()> {
    let said = |field: &str| config[field].as_str().unwrap_or_default();
    let (version, kind) = (said("apiVersion"), said("kind"));
    if version == context.kind.group_version().to_string() && kind == context.kind.name() {
        return Ok(());
    }
    let version = if version.is_empty() { "/" } else { version };
    Err(Status::bad_request(&format!("invalid object type: {version}, Kind={kind}")).into())
}

/// The object at the place of the URL, its metadata as the server understands it.
fn placed(context: &Context, mut object: Value) -> Result<Value> {
    meta::coerce(&mut object).map_err(|problem| Status::bad_request(&problem))?;
    address::namespace(context.path.namespace.as_deref(), &mut object)?;
    address::name(context.path.name.as_deref().unwrap_or_default(), &object)?;
    context.warnings.add(meta::dedup_owner_references(&mut object, Received::Patched));
    Ok(object)
}

/// An object that is to be created: who may patch one need not be allowed to.
async fn new(context: &Context, user: &User, config: &Value, object: Value) -> Result<Value> {
    let (resource, wanted) = (context.kind.group_resource(), ObjectMeta::of(config));
    let attributes = Attributes {
        verb: "create".to_owned(),
        group: context.path.group.clone(),
        version: context.path.version.clone(),
        resource: context.path.resource.clone(),
        namespace: context.path.namespace.clone().unwrap_or_default(),
        name: wanted.name().to_owned(),
        ..Attributes::default()
    };
    filters::allowed(&context.api, user, &attributes).await?;
    if !wanted.uid().is_empty() {
        let uid = wanted.uid();
        let problem =
            format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
        return Err(Status::conflict(&resource, wanted.name(), &problem).into());
    }
    let object = create::complete(context, object).await?;
    create::admit(context, &object).await?;
    Ok(object)
}
