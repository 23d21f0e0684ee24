//! `create`: an object that is not there yet, under its own name or a generated one.

use auth::User;
use axum::body::Body;
use http::{Response, StatusCode};
use machinery::{
    meta::{self, ObjectMeta, Received},
    name,
    options::WriteOptions,
    status::Status,
};
use proto::store::{At, Error, Op, Write};
use serde_json::Value;

use super::{
    address,
    admission::{Admission, Asked},
    write,
};
use crate::{
    context::Context,
    decode,
    error::{Failure, Result},
    object, respond,
    strategy::{self, By},
};

/// How often a generated name may be taken already before the client is told to try again.
const NAMES_TRIED: usize = 8;

pub(super) async fn create(context: &Context, user: &User, body: Body) -> Result<Response<Body>> {
    let options = WriteOptions::create(&context.query)?;
    let body = decode::body(body).await?;
    let object = place(context, decode::object(context, options.field_validation, &body)?)?;
    let object = complete(context, object).await?;
    admit(context, &object).await?;
    let mut manager = String::new();
    let by = context.by(options.field_manager.as_deref(), &mut manager);
    let asked = Asked { user, dry_run: options.dry_run };
    let admission = Admission::create(context, asked, ObjectMeta::of(&object).name());
    let mut creation = Creation { by, dry_run: options.dry_run, admission };
    let object = creation.admit(context, object).await?;
    let generated = ObjectMeta::of(&object).name().is_empty();
    let mut tries = if generated { NAMES_TRIED } else { 1 };
    loop {
        let mut named = object.clone();
        if generated {
            name_it(context, &mut named);
        }
        tries -= 1;
        match store(context, named, &mut creation).await {
            Err(Stop::Taken) if tries > 0 => {}
            Err(Stop::Taken) => return Err(taken(context, &object, generated).await),
            Err(Stop::Failed(failure)) => return Err(failure),
            Ok(outcome) => return respond::outcome(context, StatusCode::CREATED, outcome),
        }
    }
}

/// How an object is created.
pub(super) struct Creation<'a> {
    /// Who writes.
    pub(super) by: By<'a>,
    /// Whether nothing is kept.
    pub(super) dry_run: bool,
    /// Who has something to say of it.
    pub(super) admission: Option<Admission<'a>>,
}

impl Creation<'_> {
    /// What admission makes of the object.
    pub(super) async fn admit(&mut self, context: &Context, object: Value) -> Result<Value> {
        let Some(admission) = &mut self.admission else { return Ok(object) };
        let namespace = context.path.namespace.as_deref().unwrap_or_default();
        let sent = strategy::sent(&context.kind, object, namespace, &self.by);
        self.by.recorded = true;
        admission.mutate(sent, None).await
    }
}

/// Why an object was not created.
pub(super) enum Stop {
    /// There is one of that name.
    Taken,
    /// Something else.
    Failed(Failure),
}

/// What the kind's actor makes of an object that is to be created.
pub(super) async fn complete(context: &Context, mut object: Value) -> Result<Value> {
    if let Some(session) = &context.session {
        session.creating(&mut object).await?;
    }
    Ok(object)
}

/// Refuses an object whose namespace is not there or on its way out.
pub(super) async fn admit(context: &Context, object: &Value) -> Result<()> {
    let (resource, name) = (context.kind.group_resource(), ObjectMeta::of(object).name());
    context.api.namespaces().admit(context.path.namespace.as_deref(), &resource, name).await
}

/// Creates an object.
pub(super) async fn store(
    context: &Context,
    object: Value,
    creation: &mut Creation<'_>,
) -> Result<write::Outcome, Stop> {
    let (namespace, uid) = (context.path.namespace.as_deref().unwrap_or_default(), context.api.new_uid());
    let mut object = strategy::create(&context.kind, object, namespace, &uid, &creation.by).map_err(Stop::Failed)?;
    context.warnings.add(meta::finalizer_warnings(&object, None));
    if let Some(admission) = &mut creation.admission {
        object = admission.validate(object, None).await.map_err(Stop::Failed)?;
    }
    let key = context.key_of(ObjectMeta::of(&object).name());
    let failed = |error: Error| match error {
        Error::AlreadyExists { .. } => Stop::Taken,
        error => Stop::Failed(context.failed(&error)),
    };
    if creation.dry_run {
        return match context.store().get(&key, At::Latest).await.map_err(failed)? {
            Some(_) => Err(Stop::Taken),
            None => Ok(write::Outcome::Object(object)),
        };
    }
    let content = object::encode(&context.kind, &object);
    let write = Write { key: key.clone(), op: Op::Create(content.clone()) };
    let written = context.store().write(write).await.map_err(failed)?;
    Ok(write::stored(context, key, written.revision, content).await)
}

/// The object at the place of the URL. A URL that names an object creates no other: who may create that one, may not
/// create all.
fn place(context: &Context, mut object: Value) -> Result<Value> {
    address::namespace(context.path.namespace.as_deref(), &mut object)?;
    if let Some(url) = &context.path.name {
        address::name(url, &object)?;
    }
    if !object["metadata"].is_object() {
        object["metadata"] = Value::Object(Default::default());
    }
    context.warnings.add(meta::dedup_owner_references(&mut object, Received::Whole));
    Ok(object)
}

fn name_it(context: &Context, object: &mut Value) {
    let prefix = object["metadata"]["generateName"].as_str().unwrap_or_default().to_owned();
    if !prefix.is_empty() {
        let generated = context.api.with_rng(|rng| name::generate_name(&prefix, rng));
        object["metadata"]["name"] = Value::String(generated);
    }
}

/// Why the name is taken: for good, by an object on its way out, or every generated one was.
async fn taken(context: &Context, object: &Value, generated: bool) -> Failure {
    let resource = context.kind.group_resource();
    let name = ObjectMeta::of(object).name();
    if generated {
        return Status::not_unique(&resource, object["metadata"]["generateName"].as_str().unwrap_or_default()).into();
    }
    let existing = context.store().get(&context.key_of(name), At::Latest).await.ok().flatten();
    let deleting = existing
        .and_then(|entry| object::decode(&context.kind, &entry.content, entry.revision).ok())
        .is_some_and(|existing| ObjectMeta::of(&existing).is_deleting());
    match deleting {
        true => Status::being_deleted(&resource, name).into(),
        false => Status::already_exists(&resource, name).into(),
    }
}
