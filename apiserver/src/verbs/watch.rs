//! `watch`: the events of a collection, after a revision or after its present state.
//!
//! An initial state is a list at R; the events are those of a cursor after R. What the client may hear before the first
//! byte is a Status; later it is an ERROR event, and the end of the stream.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use http::{Response, StatusCode};
use machinery::{options::ListOptions, status::Status};
use proto::store::{self, At, Entry, Error, Revision};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use crate::{
    cache::{Cursor, Cut},
    context::Context,
    error::{Failure, Result},
    frames::Frames,
    respond,
};

/// How often a client that allows it hears how far it is, although nothing happens.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);
/// The last bookmark comes so long before the end, so that the next watch begins where this one ended.
const BOOKMARK_BEFORE_END: Duration = Duration::from_secs(2);
/// A watch without a timeout of its own ends after this to twice this.
const AT_LEAST: Duration = Duration::from_secs(30 * 60);

/// Where a watch begins.
enum Start {
    /// With the state as of then, as ADDED events.
    State(At),
    /// With what comes after.
    After(Revision),
    /// With what comes from now on.
    Now,
}

pub(super) async fn watch(context: Context) -> Result<Response<Body>> {
    let mut options = ListOptions::parse_watch(&context.query, context.kind.selectable_fields())?;
    options.fields.requirements.extend(context.session.as_ref().and_then(|session| session.only()));
    let frames = Frames::new(&context, &options)?;
    let end = Instant::now() + timeout(&context, &options);
    let begin = match start(&options) {
        Start::State(at) => Begin::State(state(&context, &options, at).await?),
        Start::After(revision) => begin(&context, revision).await?,
        Start::Now => {
            let status = context.store().status().await.map_err(|error| context.failed(&error))?;
            begin(&context, status.revision).await?
        }
    };
    let content_type = frames.content_type();
    let watch = Watch { frames, bookmarks: options.allow_watch_bookmarks, end, context };
    Ok(respond::stream(StatusCode::OK, content_type, Body::from_stream(watch.run(begin))))
}

/// What a watch has in hand when its answer begins.
enum Begin {
    /// The state to send first. The cursor behind it is made when that is done, so that a client that takes its time
    /// over a large state is not behind before it has begun.
    State(store::List),
    /// The events.
    From(Cursor),
    /// Nothing, and why.
    Gone(Status),
}

async fn begin(context: &Context, after: Revision) -> Result<Begin> {
    match context.api.cache().watch(&context.kind, &context.scope(), after).await {
        Ok(cursor) => Ok(Begin::From(cursor)),
        Err(Error::Compacted { requested, oldest }) => Ok(Begin::Gone(too_old(requested, oldest))),
        Err(error) => Err(context.failed(&error)),
    }
}

/// One watch, while it runs.
struct Watch {
    context: Context,
    frames: Frames,
    bookmarks: bool,
    end: Instant,
}

// === impl Watch ===

impl Watch {
    fn run(mut self, begin: Begin) -> impl Stream<Item = std::result::Result<Bytes, std::io::Error>> {
        async_stream::try_stream! {
            let begun = match begin {
                Begin::From(cursor) => Ok(cursor),
                Begin::Gone(status) => {
                    yield self.frames.error(&status);
                    return;
                }
                Begin::State(list) => {
                    let revision = list.revision;
                    for await chunk in list.chunks {
                        // Cut, not ended: the client must not take a part for the whole.
                        let chunk: Vec<Entry> = chunk.map_err(std::io::Error::other)?;
                        yield self.frames.state(&self.context.kind, &chunk).map_err(cut)?;
                    }
                    if self.bookmarks {
                        yield self.frames.bookmark(&self.context.kind, revision, true);
                    }
                    self.context.api.cache().watch(&self.context.kind, &self.context.scope(), revision).await
                }
            };
            let mut cursor = match begun {
                Ok(cursor) => cursor,
                Err(error) => {
                    if let Some(status) = last_words(&Cut::Store(error)) {
                        yield self.frames.error(&status);
                    }
                    return;
                }
            };
            let mut tick = interval_at(Instant::now() + BOOKMARK_EVERY, BOOKMARK_EVERY);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut last_bookmark = self.bookmarks.then(|| self.end - BOOKMARK_BEFORE_END).filter(|at| *at > Instant::now());
            let mut draining = std::pin::pin!(self.context.api.shutdown().draining());
            loop {
                let events = tokio::select! {
                    biased;
                    () = &mut draining => return,
                    () = sleep_until(self.end) => return,
                    () = sleep_until(last_bookmark.unwrap_or(self.end)), if last_bookmark.is_some() => {
                        last_bookmark = None;
                        None
                    }
                    _ = tick.tick(), if self.bookmarks => None,
                    events = cursor.next() => Some(events),
                };
                match events {
                    None => yield self.frames.bookmark(&self.context.kind, cursor.bookmark(), false),
                    Some(Ok(events)) => {
                        let frames = self.frames.events(&self.context.kind, &events).map_err(cut)?;
                        if !frames.is_empty() {
                            self.context.api.metrics().watched(&self.context.kind, events.len(), frames.len());
                            yield frames;
                        }
                    }
                    Some(Err(cut)) => {
                        if let Some(status) = last_words(&cut) {
                            yield self.frames.error(&status);
                        }
                        return;
                    }
                }
            }
        }
    }
}

/// An object that cannot be shown: the stream breaks, since an event that is left out would be a gap.
fn cut(Failure(status): Failure) -> std::io::Error {
    tracing::error!(status = %status.message, "a watch was cut");
    std::io::Error::other("a stored object cannot be shown")
}

/// What a watch that cannot go on says. To a slow client nothing: it resumes from where it is.
fn last_words(cut: &Cut) -> Option<Status> {
    match cut {
        Cut::Slow => None,
        Cut::Store(Error::Compacted { requested, oldest }) => Some(too_old(*requested, *oldest)),
        Cut::Store(error) => {
            tracing::debug!(error = %error, "a watch ended with its storage");
            None
        }
    }
}

fn too_old(requested: Revision, oldest: Revision) -> Status {
    Status::expired(&format!("too old resource version: {requested} ({oldest})"))
}

fn start(options: &ListOptions) -> Start {
    match (options.send_initial_events, options.resource_version) {
        (true, revision) => Start::State(revision.map_or(At::Latest, At::NotOlderThan)),
        (false, None | Some(0)) => Start::Now,
        (false, Some(revision)) => Start::After(revision),
    }
}

async fn state(context: &Context, options: &ListOptions, at: At) -> Result<store::List> {
    let asked = store::ListOptions {
        at,
        labels: options.labels.clone(),
        fields: options.fields.clone(),
        ..store::ListOptions::default()
    };
    let mut list = context.store().list(&context.scope(), asked).await.map_err(|error| context.failed(&error))?;
    // The first entries are read before the answer begins, so that a storage that fails is a Status.
    let first = list.chunks.try_next().await.map_err(|error| context.failed(&error))?;
    list.chunks = futures::stream::iter(first.map(Ok)).chain(list.chunks).boxed();
    Ok(list)
}

/// What the client asks for, else 30 to 60 minutes, so that clients spread over replicas.
fn timeout(context: &Context, options: &ListOptions) -> Duration {
    match options.timeout_seconds.filter(|seconds| *seconds > 0) {
        Some(seconds) => Duration::from_secs(seconds),
        None => {
            let mut byte = [0];
            context.api.with_rng(|fill| fill(&mut byte));
            AT_LEAST + AT_LEAST.mul_f64(f64::from(byte[0]) / 256.0)
        }
    }
}
