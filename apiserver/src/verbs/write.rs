//! The retry loop of updates and patches: read, make the new object, write it if nobody was faster; and its writes.

use std::sync::Arc;

use proto::store::{At, Content, Entry, Error, Expect, Key, Op, Revision, Write};
use serde_json::Value;

use machinery::meta::{self, ObjectMeta};

use super::admission::{Admission, Asked};
use crate::{
    context::Context,
    error::{MODIFIED, Result},
    object, scale,
    strategy::{self, By},
};
use machinery::status::Status;
use schema::Scale;

/// Somebody may be faster so often before the client is told to try again itself.
pub(super) const ATTEMPTS: usize = 10;

/// What became of a change.
pub(crate) enum Outcome {
    /// The object as it is stored now.
    Stored(Box<Entry>),
    /// The object as it would be stored, or as it was when its last finalizer went and it was removed.
    Object(Value),
}

/// How a change is made.
pub(crate) struct Changing<'a> {
    /// Who writes.
    pub(crate) by: By<'a>,
    /// Whether nothing is kept.
    pub(crate) dry_run: bool,
    /// Whom admission is asked for; nobody where the server itself writes.
    pub(crate) asked: Option<Asked<'a>>,
}

/// Changes the object at `key` to what `make` wants of it, as far as the strategy and admission let it. `make` is pure and may
/// run several times.
pub(crate) async fn change(
    context: &Context,
    key: &Key,
    how: &Changing<'_>,
    mut make: impl FnMut(&Value) -> Result<Value>,
) -> Result<Outcome> {
    let dry_run = how.dry_run;
    for _ in 0..ATTEMPTS {
        let entry = current(context, key).await?;
        let old = object::decode(&context.kind, &entry.content, entry.revision)?;
        let wanted = make(&old)?;
        let (old, new) = match how.asked.and_then(|asked| Admission::update(context, asked)) {
            Some(admission) => admitted(context, admission, old, wanted, &how.by).await?,
            None => {
                let new = strategy::update(&context.kind, &old, wanted, &how.by)?;
                warn(context, &old, &new);
                (Arc::new(old), new)
            }
        };
        if new == *old {
            return Ok(Outcome::Stored(Box::new(entry)));
        }
        if dry_run {
            return Ok(Outcome::Object(new));
        }
        match replace(context, &entry, new).await {
            Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(context.failed(&error)),
            Ok(outcome) => return Ok(outcome),
        }
    }
    Err(Status::conflict(&context.kind.group_resource(), &key.name, MODIFIED).into())
}

/// What admission lets become of an object.
async fn admitted(
    context: &Context,
    mut admission: Admission<'_>,
    old: Value,
    wanted: Value,
    by: &By<'_>,
) -> Result<(Arc<Value>, Value)> {
    let (kind, old) = (&context.kind, Arc::new(old));
    if let Some(paths) = context.scale() {
        let new = rescaled(context, paths, admission, &old, &wanted, by).await?;
        return Ok((old, new));
    }
    let wanted = admission.mutate(strategy::changed(kind, &old, wanted, by), Some(&old)).await?;
    let new = strategy::update(kind, &old, wanted, &By { recorded: true, ..*by })?;
    warn(context, &old, &new);
    let new = admission.validate(new, Some(&old)).await?;
    Ok((old, new))
}

/// What admission lets become of an object through its scale, which is what the stages see.
async fn rescaled(
    context: &Context,
    paths: &Scale,
    mut admission: Admission<'_>,
    old: &Value,
    wanted: &Value,
    by: &By<'_>,
) -> Result<Value> {
    let before = Arc::new(scale::of(paths, old)?);
    let wanted_scale = scale::of(paths, wanted)?;
    let scale = admission.mutate(wanted_scale.clone(), Some(&before)).await?;
    let wanted = match scale == wanted_scale {
        true => wanted.clone(),
        false => scale::set(&context.kind, paths, old, &scale, by)?,
    };
    let new = strategy::update(&context.kind, old, wanted, by)?;
    admission.validate(scale::of(paths, &new)?, Some(&before)).await?;
    Ok(new)
}

fn warn(context: &Context, old: &Value, new: &Value) {
    if !context.is_status() {
        context.warnings.add(meta::finalizer_warnings(new, Some(old)));
    }
}

/// The entry at `key`, with every acknowledged write in it; 404 when there is none.
pub(super) async fn current(context: &Context, key: &Key) -> Result<Entry> {
    let entry = context.store().get(key, At::Latest).await.map_err(|error| context.failed(&error))?;
    entry.ok_or_else(|| Status::not_found(&context.kind.group_resource(), &key.name).into())
}

/// Precondition of a write that follows from having read `entry`.
fn unchanged(entry: &Entry) -> Expect {
    Expect { revision: Some(entry.revision), uid: Some(entry.content.uid.clone()) }
}

/// Writes `new` over `entry`, or removes the object when it is being deleted and nothing holds it any more.
async fn replace(context: &Context, entry: &Entry, new: Value) -> Result<Outcome, Error> {
    let meta = ObjectMeta::of(&new);
    if meta.is_deleting() && meta.finalizers().is_empty() {
        remove(context, entry).await?;
        return Ok(Outcome::Object(new));
    }
    put(context, entry, &new).await
}

/// Writes `new` over `entry`.
pub(super) async fn put(context: &Context, entry: &Entry, new: &Value) -> Result<Outcome, Error> {
    let content = object::encode(&context.kind, new);
    let write = Write { key: entry.key.clone(), op: Op::Update(content.clone(), unchanged(entry)) };
    let written = context.store().write(write).await?;
    Ok(stored(context, entry.key.clone(), written.revision, content).await)
}

/// Removes the object of `entry`.
pub(super) async fn remove(context: &Context, entry: &Entry) -> Result<(), Error> {
    let write = Write { key: entry.key.clone(), op: Op::Delete(unchanged(entry)) };
    context.store().write(write).await.map(|_| ())
}

/// The object that a write made: what was written, or what a store of the kind's own made of it. It may be gone again; then
/// it is what was written.
pub(super) async fn stored(context: &Context, key: Key, revision: Revision, content: Content) -> Outcome {
    let read = match context.has_own_store() {
        true => context.store().get(&key, At::NotOlderThan(revision)).await.ok().flatten(),
        false => None,
    };
    Outcome::Stored(Box::new(read.unwrap_or(Entry { key, revision, content })))
}
