//! A collection whose entries are at hand.

use axum::body::Body;
use http::Response;
use proto::store::{Entry, Revision};

use super::{ListEnd, ListWriter};
use crate::{context::Context, error::Result};

/// Answers with `entries` as a list at `revision`.
pub(crate) fn collection(context: &Context, revision: Revision, entries: Vec<Entry>) -> Result<Response<Body>> {
    ListWriter::new(context, revision)?.whole(entries, ListEnd::default())
}
