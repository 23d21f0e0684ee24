//! The retry loop of updates and patches: read, make the new object, write it if nobody was faster; and its writes.

use proto::store::{At, Content, Entry, Error, Expect, Key, Op, Revision, Write};
use serde_json::Value;

use machinery::meta::{self, ObjectMeta};

use crate::{
    context::Context,
    error::{MODIFIED, Result},
    object,
};
use machinery::status::Status;

/// Somebody may be faster so often before the client is told to try again itself.
pub(super) const ATTEMPTS: usize = 10;

/// What became of a change.
pub(crate) enum Outcome {
    /// The object as it is stored now.
    Stored(Box<Entry>),
    /// The object as it would be stored, or as it was when its last finalizer went and it was removed.
    Object(Value),
}

/// Changes the object at `key` to what `make` makes of it. `make` is pure and may run several times.
pub(crate) async fn change(
    context: &Context,
    key: &Key,
    dry_run: bool,
    mut make: impl FnMut(&Value) -> Result<Value>,
) -> Result<Outcome> {
    for _ in 0..ATTEMPTS {
        let entry = current(context, key).await?;
        let old = object::decode(&context.kind, &entry.content, entry.revision)?;
        let new = make(&old)?;
        if !context.is_status() {
            context.warnings.add(meta::finalizer_warnings(&new, Some(&old)));
        }
        if new == old {
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

/// The entry at `key`, with every acknowledged write in it; 404 when there is none.
pub(super) async fn current(context: &Context, key: &Key) -> Result<Entry> {
    let entry = context.api.store().get(key, At::Latest).await.map_err(|error| context.failed(&error))?;
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
    let written = context.api.store().write(write).await?;
    Ok(Outcome::Stored(Box::new(stored(entry.key.clone(), written.revision, content))))
}

/// Removes the object of `entry`.
pub(super) async fn remove(context: &Context, entry: &Entry) -> Result<(), Error> {
    let write = Write { key: entry.key.clone(), op: Op::Delete(unchanged(entry)) };
    context.api.store().write(write).await.map(|_| ())
}

/// The entry that a write made.
pub(super) fn stored(key: Key, revision: Revision, content: Content) -> Entry {
    Entry { key, revision, content }
}
