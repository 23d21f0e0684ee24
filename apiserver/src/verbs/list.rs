//! `list`: a collection as of one revision, streamed.
//!
//! The answer begins when the first entries are read and ends with its metadata; memory does not grow with its length.
//! What fails before the first byte is a Status. What fails later cuts the stream: a list is never short.

use axum::body::Body;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream, stream::BoxStream};
use http::{Response, StatusCode};
use machinery::{
    continue_token::Token,
    options::{ListOptions, Match},
    status::Status,
};
use proto::store::{self, At, Entry, Revision};

use crate::{
    context::Context,
    error::{Failure, Result},
    respond::{self, ListEnd, ListWriter},
};

/// One page of a collection.
pub(super) struct Page {
    /// The revision that it is as of.
    pub(super) revision: Revision,
    /// How many objects there are from its start on, when that was asked for.
    pub(super) count: Option<u64>,
    /// One entry more than `limit`, when there is more.
    pub(super) entries: BoxStream<'static, store::Result<Vec<Entry>>>,
    /// What the client wants at most.
    pub(super) limit: Option<u64>,
}

pub(super) async fn list(context: &Context) -> Result<Response<Body>> {
    let options = ListOptions::parse(&context.query, context.kind.selectable_fields())?;
    let mut page = page(context, &options).await?;
    let first = page.entries.try_next().await.map_err(|error| failed(context, &options, &error))?;
    let revision = page.revision;
    let mut writer = ListWriter::new(context, revision)?;
    let mut cut = Cutter {
        left: page.limit.unwrap_or(u64::MAX),
        count: page.count,
        all_namespaces: all_namespaces(context),
        end: ListEnd::default(),
    };
    if !writer.streams() {
        let rest: Vec<Entry> = page.entries.try_concat().await.map_err(|error| failed(context, &options, &error))?;
        let entries = first.into_iter().flatten().chain(rest).collect();
        let entries = cut.cut(entries, revision);
        return writer.whole(entries, cut.end);
    }
    let head = stream::iter(first.map(Ok)).chain(page.entries);
    let body = async_stream::try_stream! {
        yield writer.begin();
        for await chunk in head {
            let chunk: Vec<Entry> = chunk.map_err(Broken::Store)?;
            let entries = cut.cut(chunk, revision);
            yield writer.entries(&entries).map_err(|_| Broken::Encoding)?;
        }
        yield writer.end(&cut.end);
    };
    let body: BoxStream<'static, std::result::Result<Bytes, Broken>> = body.boxed();
    Ok(respond::stream(StatusCode::OK, respond::JSON, Body::from_stream(body)))
}

/// Why a list ended before its end.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the list was cut: {0}")]
    Store(store::Error),
    #[error("the list was cut: a stored object cannot be shown")]
    Encoding,
}

/// Stops a list at its limit and remembers where the next page begins.
struct Cutter {
    left: u64,
    count: Option<u64>,
    all_namespaces: bool,
    end: ListEnd,
}

/// Reads one page; one entry more than the limit tells whether there is another.
pub(super) async fn page(context: &Context, options: &ListOptions) -> Result<Page> {
    let token = options.continue_.as_deref().map(|text| Token::decode(text, all_namespaces(context))).transpose()?;
    let limit = options.limit.filter(|_| !whatever(options));
    let asked = store::ListOptions {
        at: at(options, token.as_ref()),
        after: token.map(|token| (context.path.namespace.clone().unwrap_or(token.namespace), token.name)),
        limit: limit.map(|limit| limit.saturating_add(1)),
        labels: options.labels.clone(),
        fields: options.fields.clone(),
        count: limit.is_some() && !options.selects(),
    };
    let list = context.store().list(&context.scope(), asked).await;
    let list = list.map_err(|error| failed(context, options, &error))?;
    Ok(Page { revision: list.revision, count: list.count, entries: list.chunks, limit })
}

/// `resourceVersion=0` takes whatever there is, and all of it: the kube-apiserver's cache ignores the limit then.
fn whatever(options: &ListOptions) -> bool {
    options.resource_version == Some(0)
}

/// What the revision of a list means; with a limit and no match it is exact, as it has always been.
fn at(options: &ListOptions, token: Option<&Token>) -> At {
    if let Some(token) = token {
        return token.revision.map_or(At::Latest, At::Exact);
    }
    match (options.resource_version, options.resource_version_match) {
        (None, _) => At::Latest,
        (Some(revision), Some(Match::Exact)) => At::Exact(revision),
        (Some(revision), None) if revision > 0 && options.limit.is_some() => At::Exact(revision),
        (Some(revision), _) => At::NotOlderThan(revision),
    }
}

/// The failure of a list; an expired page comes with a token that goes on, at the price of consistency.
fn failed(context: &Context, options: &ListOptions, error: &store::Error) -> Failure {
    if let (store::Error::Compacted { .. }, Some(token)) = (error, &options.continue_) {
        let again = Token::decode(token, all_namespaces(context)).map(|token| token.inconsistent().encode());
        return again.map_or_else(Failure::from, |again| Status::expired_continue(&again).into());
    }
    context.failed(error)
}

fn all_namespaces(context: &Context) -> bool {
    context.kind.namespaced() && context.path.namespace.is_none()
}

// === impl Cutter ===

impl Cutter {
    fn cut(&mut self, mut entries: Vec<Entry>, revision: Revision) -> Vec<Entry> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX);
        let more = entries.len() > room;
        entries.truncate(room);
        self.left -= entries.len() as u64;
        if let Some(last) = entries.last() {
            self.end.last = Some(last.key.clone());
        }
        self.end.written += entries.len() as u64;
        if more && self.end.continue_.is_none() {
            self.end.continue_ = self.end.last.as_ref().map(|key| {
                let namespace = if self.all_namespaces { key.namespace.clone() } else { String::new() };
                Token { revision: Some(revision), namespace, name: key.name.clone() }.encode()
            });
            self.end.remaining = self.count.and_then(|count| count.checked_sub(self.end.written)).filter(|n| *n > 0);
        }
        entries
    }
}
