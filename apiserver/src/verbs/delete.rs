//! `delete`: an object removed, or marked for removal while finalizers hold it.
//!
//! Options come in the body or in the query. What either of them says holds: a dry run asked for in the query is a dry
//! run, whatever the body says.

use std::sync::Arc;

use auth::User;
use axum::body::Body;
use http::{Response, StatusCode};
use machinery::{
    GroupResource,
    meta::{self, ObjectMeta},
    options::{DeleteOptions, Propagation},
    status::Status,
};
use proto::store::{Entry, Error, Key};
use serde_json::Value;

use super::{admission::Admission, write};
use crate::{
    context::Context,
    decode,
    error::{MODIFIED, Result},
    object, respond,
};

/// Held by the garbage collector until the dependents are gone.
const FOREGROUND: &str = "foregroundDeletion";
/// Held by the garbage collector until the dependents know their owner no more.
const ORPHAN: &str = "orphan";

/// What became of one object.
pub(super) enum Deleted {
    /// It is gone.
    Gone(Box<Entry>),
    /// It is marked, or would be, and waits for its finalizers.
    Waits(write::Outcome),
}

pub(super) async fn delete(context: &Context, user: &User, body: Body) -> Result<Response<Body>> {
    let options = Deletion::read(context, user, body).await?;
    let name = context.path.name.as_deref().unwrap_or_default();
    match delete_one(context, &context.key()?, &options).await? {
        Deleted::Waits(outcome) => respond::outcome(context, StatusCode::OK, outcome),
        Deleted::Gone(entry) => {
            let done = Status::deleted(&context.kind.group_resource(), name, &entry.content.uid);
            Ok(respond::status_for(&done, &context.output))
        }
    }
}

/// How objects are deleted, and who asks for it.
pub(super) struct Deletion<'a> {
    options: DeleteOptions,
    /// What the options were read from, besides the query.
    body: Option<Value>,
    user: &'a User,
}

impl<'a> Deletion<'a> {
    /// Body and query of a deletion.
    pub(super) async fn read(context: &Context, user: &'a User, body: Body) -> Result<Self> {
        let body = decode::body(body).await?;
        let body = decode::optional(&context.headers, &body)?;
        Ok(Self { options: DeleteOptions::parse(&context.query, body.as_ref())?, body, user })
    }
}

/// Deletes the object at `key`.
pub(super) async fn delete_one(context: &Context, key: &Key, deletion: &Deletion<'_>) -> Result<Deleted> {
    let Deletion { options, body, user } = deletion;
    for _ in 0..write::ATTEMPTS {
        let entry = write::current(context, key).await?;
        preconditions(context, options, &entry)?;
        let old = Arc::new(object::decode(&context.kind, &entry.content, entry.revision)?);
        if let Some(mut admission) = Admission::delete(context, user, options, body.as_ref()) {
            admission.remove(&old).await?;
        }
        let finalizers = finalizers(&old, options.propagation);
        let attempt = match finalizers.is_empty() {
            true => remove(context, entry, options).await,
            false => mark(context, entry, &old, finalizers, options).await,
        };
        match attempt {
            Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(context.failed(&error)),
            Ok(deleted) => return Ok(deleted),
        }
    }
    Err(Status::conflict(&context.kind.group_resource(), &key.name, MODIFIED).into())
}

async fn remove(context: &Context, entry: Entry, options: &DeleteOptions) -> Result<Deleted, Error> {
    if !options.dry_run {
        write::remove(context, &entry).await?;
    }
    Ok(Deleted::Gone(Box::new(entry)))
}

/// Sets the deletion time and what must be waited for; a repetition that changes neither writes nothing.
async fn mark(
    context: &Context,
    entry: Entry,
    old: &Value,
    finalizers: Vec<String>,
    options: &DeleteOptions,
) -> Result<Deleted, Error> {
    let mut new = old.clone();
    meta::mark_deleted(&mut new, context.now, &finalizers);
    if new == *old {
        return Ok(Deleted::Waits(write::Outcome::Stored(Box::new(entry))));
    }
    if options.dry_run {
        return Ok(Deleted::Waits(write::Outcome::Object(new)));
    }
    write::put(context, &entry, &new).await.map(Deleted::Waits)
}

/// The finalizers that the object shall have: its own, and the garbage collector's as the policy asks.
fn finalizers(object: &Value, propagation: Option<Propagation>) -> Vec<String> {
    let own = ObjectMeta::of(object).finalizers();
    let has = |name: &str| own.iter().any(|own| own == name);
    let (foreground, orphan) = match propagation {
        Some(Propagation::Foreground) => (true, false),
        Some(Propagation::Orphan) => (false, true),
        Some(Propagation::Background) => (false, false),
        None => (has(FOREGROUND), has(ORPHAN)),
    };
    let mut finalizers: Vec<String> = own.iter().filter(|own| *own != FOREGROUND && *own != ORPHAN).cloned().collect();
    finalizers.extend(orphan.then(|| ORPHAN.to_owned()));
    finalizers.extend(foreground.then(|| FOREGROUND.to_owned()));
    // What is there already stays as it is, also in its order.
    let same = |one: &[String], other: &[String]| one.iter().all(|name| other.contains(name));
    if same(&own, &finalizers) && same(&finalizers, &own) { own } else { finalizers }
}

/// A deletion may name the uid and the revision that it means. As in the kube-apiserver the refusal names the kind.
fn preconditions(context: &Context, options: &DeleteOptions, entry: &Entry) -> Result<()> {
    let named = GroupResource::new(&context.kind.definition().group, context.kind.name());
    let check = |what: &str, wanted: &Option<String>, found: &str, hint: &str| match wanted {
        Some(wanted) if wanted != found => {
            let message = format!(
                "the {what} in the precondition ({wanted}) does not match the {what} in record ({found}). {hint}"
            );
            Err(Status::conflict(&named, &entry.key.name, &message))
        }
        _ => Ok(()),
    };
    check("UID", &options.uid, &entry.content.uid, "The object might have been deleted and then recreated")?;
    let revision = entry.revision.to_string();
    check("ResourceVersion", &options.resource_version, &revision, "The object might have been modified")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_sets_the_garbage_collectors_finalizers() {
        let of = |own: &[&str], policy| finalizers(&json!({ "metadata": { "finalizers": own } }), policy);
        let (foreground, orphan) = (Some(Propagation::Foreground), Some(Propagation::Orphan));
        assert_eq!(of(&[], None), [""; 0]);
        assert_eq!(of(&["x"], foreground), ["x", FOREGROUND]);
        assert_eq!(of(&["x", FOREGROUND], orphan), ["x", ORPHAN]);
        assert_eq!(of(&[ORPHAN, "x"], Some(Propagation::Background)), ["x"]);
        assert_eq!(of(&[ORPHAN, "x"], None), [ORPHAN, "x"], "what is there keeps its order");
        assert_eq!(of(&[FOREGROUND, "x"], foreground), [FOREGROUND, "x"]);
    }
}
