//! From pages to messages.

use std::time::UNIX_EPOCH;

use async_stream::try_stream;
use futures::stream::BoxStream;
use proto::cbt::{Block, Blocks, Builder, Error, Kind, Result};
use runtime::{Shutdown, Tasks, clock::Clock};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::{
    handle::SnapshotId,
    listing::{Listed, Listing},
    page::{Entry, Page},
    token::Token,
};

/// How long the API documents its block tokens to be good, in seconds, for an answer that does not say it.
const TOKEN_LIFE: i64 = 7 * 24 * 60 * 60;

/// How pages are cut into messages.
pub(crate) struct Cut {
    /// The snapshot whose tokens are given; `None` gives none.
    pub(crate) tokens: Option<SnapshotId>,
    /// As in [`proto::cbt::Query::per_message`].
    pub(crate) per_message: u32,
    pub(crate) clock: Clock,
}

/// The messages of a listing whose first page is there. A task fetches pages while no more than `ahead` wait for the
/// reader, and ends with the stream.
pub(crate) fn messages(
    (listing, first): (Listing, Listed),
    cut: Cut,
    ahead: usize,
    tasks: &Tasks,
) -> BoxStream<'static, Result<Blocks>> {
    let capacity = first.page.volume.capacity;
    let (sender, mut pages) = mpsc::channel(ahead);
    let fetch = (!first.last)
        .then(|| AbortOnDropHandle::new(tasks.spawn("ebs-pages", fetch(listing, sender, tasks.shutdown().clone()))));
    Box::pin(try_stream! {
        let _fetch = fetch;
        let (mut listed, mut silent) = (first, true);
        loop {
            let mut entries = listed.page.entries.as_slice();
            while !entries.is_empty() {
                let (blocks, rest) = cut.message(&listed.page, entries);
                entries = rest;
                silent = false;
                yield blocks;
            }
            if listed.last {
                break;
            }
            // A task that is gone before the last page has not said everything.
            let next = pages.recv().await;
            listed = next.unwrap_or_else(|| Err(Error::Unavailable("the driver ends, and the list is not whole".to_owned())))?;
        }
        if silent {
            yield Builder::new(Kind::Fixed, capacity).finish();
        }
    })
}

/// Sends the pages of a listing, one for each that there is room for, until the last, an error, or the process's drain.
async fn fetch(mut listing: Listing, pages: mpsc::Sender<Result<Listed>>, shutdown: Shutdown) {
    let send = async {
        while let Ok(room) = pages.reserve().await {
            let Some(page) = listing.next().await.transpose() else { return };
            let failed = page.is_err();
            room.send(page);
            if failed {
                return;
            }
        }
    };
    tokio::select! {
        () = send => {}
        () = shutdown.draining() => {}
    }
}

// === impl Cut ===

impl Cut {
    /// A message of the first of `entries`, which are of `page`, and those that are left.
    fn message<'a>(&self, page: &Page, entries: &'a [Entry]) -> (Blocks, &'a [Entry]) {
        let size = page.volume.block_size;
        let mut builder = Builder::new(Kind::Fixed, page.volume.capacity);
        let now = now(&self.clock);
        let expires = page.expires.unwrap_or(now + TOKEN_LIFE);
        if self.tokens.is_some() {
            builder.validity(now, (expires - now).max(0));
        }
        let mut text = Vec::new();
        for entry in entries {
            text.clear();
            if let Some(snapshot) = &self.tokens {
                let token = Token { index: entry.index, size, expires, block: entry.token.clone() };
                token.write(snapshot, &mut text);
            }
            let offset = u64::from(entry.index) * u64::from(size);
            builder.push(Block { offset, size: u64::from(size), token: &text });
            if builder.is_full(self.per_message) {
                break;
            }
        }
        let rest = &entries[builder.len()..];
        (builder.finish(), rest)
    }
}

/// Seconds since 1970.
pub(crate) fn now(clock: &Clock) -> i64 {
    clock().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed())
}
