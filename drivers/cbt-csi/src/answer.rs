//! From the driver's answer to the one that was asked for.
//!
//! Blocks of one size are forwarded as they came, unless a message has more of them than it may. Ranges are made the same
//! each time ([`Runs`]), and packed anew.

use std::ops::Range;

use async_stream::try_stream;
use futures::{Stream, StreamExt, stream::BoxStream};
use proto::cbt::{Block, Blocks, Builder, Kind, Packer, Query, Result, Volume, pack};

use crate::{incoming::Incoming, runs::Runs};

/// What a message weighs that is forwarded as it is, at most: some clients take no more than 4 MiB.
const WEIGHT: usize = 1 << 20;

/// The answer to `query`, whose first message is there.
pub(crate) fn answer(
    query: &Query,
    volume: Volume,
    first: Blocks,
    incoming: Incoming,
) -> Result<BoxStream<'static, Result<Blocks>>> {
    Ok(match volume.kind {
        Kind::Fixed => forward(first, incoming, Portions::new(query)).boxed(),
        Kind::Variable => pack(ranges(first, incoming), Packer::new(query, volume, None)?),
    })
}

/// Blocks of one size.
fn forward(first: Blocks, mut incoming: Incoming, mut portions: Portions) -> impl Stream<Item = Result<Blocks>> {
    try_stream! {
        let mut next = Some(first);
        while let Some(blocks) = next {
            for portion in portions.of(blocks) {
                yield portion;
            }
            next = if portions.left > 0 { incoming.next().await? } else { None };
        }
    }
}

/// Ranges of any size.
fn ranges(first: Blocks, mut incoming: Incoming) -> impl Stream<Item = Result<Range<u64>>> {
    try_stream! {
        let (mut runs, mut next) = (Runs::default(), Some(first));
        while let Some(blocks) = next {
            for Block { offset, size, .. } in blocks.iter() {
                runs.push(offset..offset + size);
                while let Some(run) = runs.ready() {
                    yield run;
                }
            }
            next = incoming.next().await?;
        }
        if let Some(run) = runs.finish() {
            yield run;
        }
    }
}

/// Cuts messages that are too large, and the last one where a limit ends it.
#[derive(Debug)]
struct Portions {
    per_message: u32,
    /// Entries that may still come.
    left: u64,
}

// === impl Portions ===

impl Portions {
    fn new(query: &Query) -> Self {
        let left = if query.limit == 0 { u64::MAX } else { query.limit };
        Self { per_message: query.per_message, left }
    }

    fn of(&mut self, blocks: Blocks) -> Vec<Blocks> {
        let entries = blocks.len() as u64;
        let most = if self.per_message == 0 { u64::MAX } else { u64::from(self.per_message) };
        if entries <= most.min(self.left) && blocks.encoded().len() <= WEIGHT {
            self.left -= entries;
            return vec![blocks];
        }
        let taken = entries.min(self.left);
        self.left -= taken;
        let mut portions = Vec::new();
        let mut portion = Builder::new(blocks.kind(), blocks.capacity());
        for Block { offset, size, .. } in blocks.iter().take(taken as usize) {
            portion.push(Block { offset, size, token: &[] });
            if portion.is_full(self.per_message) {
                let next = Builder::new(blocks.kind(), blocks.capacity());
                portions.push(std::mem::replace(&mut portion, next).finish());
            }
        }
        portions.extend((!portion.is_empty()).then(|| portion.finish()));
        portions
    }
}

#[cfg(test)]
mod tests {
    use proto::cbt::Snapshot;

    use super::*;

    fn message(entries: u64) -> Blocks {
        let mut builder = Builder::new(Kind::Fixed, 1 << 40);
        (0..entries).for_each(|index| builder.push(Block { offset: index * 4096, size: 4096, token: &[] }));
        builder.finish()
    }

    fn portions(entries: u64, per_message: u32, limit: u64) -> Vec<usize> {
        let query = Query { per_message, limit, ..Query::allocated(Snapshot::Handle("s".into())) };
        Portions::new(&query).of(message(entries)).iter().map(Blocks::len).collect()
    }

    #[test]
    fn messages_are_as_large_as_they_may_be() {
        assert_eq!(portions(5, 0, 0), [5]);
        assert_eq!(portions(5, 5, 5), [5]);
        assert_eq!(portions(5, 2, 0), [2, 2, 1]);
        assert_eq!(portions(5, 2, 3), [2, 1]);
        assert_eq!(portions(5, 0, 4), [4]);
        assert!(portions(200_000, 0, 0).len() > 1, "more than a mebibyte");
        assert_eq!(portions(200_000, 0, 0).iter().sum::<usize>(), 200_000);
    }

    #[test]
    fn what_fits_is_forwarded_as_it_came() {
        let mut encoded = message(3).encoded().to_vec();
        // A field that nobody knows.
        encoded.extend([0xa0, 0x06, 0x01]);
        let blocks = Blocks::decode(encoded.into()).expect("a message of blocks");
        let query = Query::allocated(Snapshot::Handle("s".into()));
        assert_eq!(Portions::new(&query).of(blocks.clone()), [blocks]);
    }
}
