//! `deletecollection`: every object of a collection that the selectors pick, each deleted on its own.
//!
//! Not atomic, as in the kube-apiserver: what is created meanwhile may stay, and what is gone already is no error.

use auth::User;
use axum::body::Body;
use futures::{StreamExt, TryStreamExt, stream};
use http::Response;
use machinery::options::ListOptions;
use proto::store::Entry;

use super::{delete, list};
use crate::{
    context::Context,
    error::{Failure, Result},
    respond,
};

/// How many deletions are under way at once: enough to fill the storage's group commits.
const AT_ONCE: usize = 32;

pub(super) async fn delete_collection(context: &Context, user: &User, body: Body) -> Result<Response<Body>> {
    let selection = ListOptions::parse(&context.query, context.kind.selectable_fields())?;
    let deletion = delete::Deletion::read(context, user, body).await?;
    let page = list::page(context, &selection).await?;
    let revision = page.revision;
    let entries: Vec<Entry> = page.entries.try_concat().await.map_err(|error| context.failed(&error))?;
    let mut deletions = Vec::with_capacity(entries.len());
    for entry in &entries {
        deletions.push(delete_present(context, entry, &deletion));
    }
    stream::iter(deletions).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
    respond::collection(context, revision, entries)
}

async fn delete_present(context: &Context, entry: &Entry, deletion: &delete::Deletion<'_>) -> Result<()> {
    match delete::delete_one(context, &entry.key, deletion).await {
        Err(Failure(status)) if status.code == 404 => Ok(()),
        outcome => outcome.map(|_| ()),
    }
}
