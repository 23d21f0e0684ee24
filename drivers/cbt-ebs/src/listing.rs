//! A listing: its pages one after the other, from any block on.

use proto::cbt::{Error, Query, Result, Shape};

use crate::{
    api::{Api, At, Subject},
    fault::Fault,
    page::{BLOCK_SIZE, Page, Volume, broken},
};

/// The least and the most blocks that a page can be asked to have.
const PAGE: (i32, i32) = (100, 10_000);

/// How often in a row, without a block in between, page tokens may turn out to be no good.
const RESTARTS: u32 = 3;

/// What is left of a listing.
#[derive(Debug)]
pub(crate) struct Listing {
    api: Api,
    subject: Subject,
    volume: Volume,
    /// The least block that has not been listed.
    position: u64,
    /// What the next page is asked for with.
    token: Option<String>,
    /// Blocks that are still wanted.
    left: u64,
    /// See [`RESTARTS`].
    restarts: u32,
    done: bool,
}

/// A page, checked against the listing that it belongs to.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) page: Page,
    /// Whether the listing ends with it.
    pub(crate) last: bool,
}

// === impl Listing ===

impl Listing {
    /// Begins to list what `query` wants of `subject`. What the service refuses is refused here.
    pub(crate) async fn open(api: Api, subject: Subject, query: &Query) -> Result<(Self, Listed)> {
        let left = match (&subject, query.limit) {
            (Subject::Nothing(_), _) => 0,
            (_, 0) => u64::MAX,
            (_, limit) => limit,
        };
        let most = i32::try_from(left).unwrap_or(PAGE.1).clamp(PAGE.0, PAGE.1);
        let (page, position) = first(&api, &subject, query, most).await?;
        let volume = page.volume;
        let mut listing = Self { api, subject, volume, position, token: None, left, restarts: 0, done: false };
        let listed = listing.take(page)?;
        Ok((listing, listed))
    }

    /// The next page; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Listed>> {
        while !self.done {
            let at = match &self.token {
                Some(token) => At::Token(token.clone()),
                None => {
                    At::Block(i32::try_from(self.position).map_err(|_| broken("its last block has the last index"))?)
                }
            };
            // The first page had as many blocks as were wanted, if they were there. From now on each should get as far as
            // it can: pages of a delta in which little changed are nearly empty.
            match self.api.page(&self.subject, &at, PAGE.1).await {
                Ok(page) => return self.take(page).map(Some),
                Err(Fault::PageToken(text)) if self.token.is_some() && self.restarts < RESTARTS => {
                    tracing::debug!(block = self.position, "listing anew: {text}");
                    self.restarts += 1;
                    self.token = None;
                }
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(None)
    }

    fn take(&mut self, mut page: Page) -> Result<Listed> {
        if page.volume != self.volume {
            return Err(broken("the size of the volume, or of its blocks, is not what it was"));
        }
        page.check(self.position)?;
        if page.next.is_some() && page.next == self.token {
            return Err(broken("it is followed by itself"));
        }
        if let Some(last) = page.entries.last() {
            self.position = u64::from(last.index) + 1;
            self.restarts = 0;
        }
        page.entries.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= page.entries.len() as u64;
        self.token = page.next.take();
        self.done = self.left == 0 || self.token.is_none();
        Ok(Listed { page, last: self.done })
    }
}

/// The first page, and the block that it is from. What the API does with a start beyond its last block is not documented,
/// so it is taken from the volume's size, which every answer has.
async fn first(api: &Api, subject: &Subject, query: &Query, most: i32) -> Result<(Page, u64)> {
    let mut block_size = BLOCK_SIZE;
    loop {
        let position = match query.shape {
            Shape::Ranges => query.start / u64::from(block_size),
            Shape::Blocks => query.start,
        };
        let answer = match i32::try_from(position) {
            Ok(index) => api.page(subject, &At::Block(index), most).await,
            Err(_) => Err(Fault::Parameter(format!("EBS has no block {position}"))),
        };
        let (page, refused) = match answer {
            Ok(page) => (page, None),
            Err(Fault::Parameter(text)) if position > 0 => {
                (api.page(subject, &At::Block(0), PAGE.0).await?, Some(text))
            }
            Err(fault) => return Err(fault.into()),
        };
        let Volume { capacity, block_size: size } = page.volume;
        let from = match query.shape {
            Shape::Ranges => query.start,
            Shape::Blocks => query.start.saturating_mul(u64::from(size)),
        };
        if from > capacity {
            let text = format!("the start, byte {from}, is beyond the end of the volume, which has {capacity} bytes");
            return Err(Error::OutOfRange(text));
        }
        if from == capacity {
            return Ok((Page { entries: Vec::new(), next: None, ..page }, position));
        }
        if size != block_size && query.shape == Shape::Ranges && query.start > 0 {
            block_size = size;
            continue;
        }
        return match refused {
            Some(text) => Err(Error::Invalid(text)),
            None => Ok((page, position)),
        };
    }
}
