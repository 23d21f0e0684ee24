//! From what a source knows, byte ranges in order, to the messages that were asked for.

use std::{fmt, ops::Range};

use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};

use super::{Block, Blocks, Builder, Error, Kind, Query, Result, Shape};

/// The volume of a snapshot, as its source sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Volume {
    /// Its size in bytes.
    pub capacity: u64,
    /// The size of its blocks in bytes; never 0.
    pub block_size: u64,
    /// Whether [`Shape::Ranges`] has blocks of one size, or the ranges of the source.
    pub kind: Kind,
}

/// The tokens of blocks.
pub struct Tokens {
    /// When they are issued, in seconds since 1970.
    pub issued: i64,
    /// For how many seconds they are good.
    pub ttl: i64,
    /// Appends the token of the block at an offset.
    pub make: MakeToken,
}

/// Appends the token of the block at an offset.
pub type MakeToken = Box<dyn FnMut(u64, &mut Vec<u8>) + Send>;

/// Cuts ranges into entries, and entries into messages, as a query asks for them.
///
/// Push a range, take messages until there is none, and so on until it is [done](Self::is_done) or there are no more
/// ranges; then take the rest. A range of any length takes no more memory than one message.
#[derive(Debug)]
pub struct Packer {
    volume: Volume,
    /// Whether entries are blocks of one size.
    cut: bool,
    /// Nothing that ends at or before this byte, or begins before it when it is cut by index.
    from: u64,
    /// Entries that may still come.
    left: u64,
    per_message: u32,
    /// What of the last range is not in a message yet.
    range: Range<u64>,
    /// Where the last range ended.
    end: u64,
    builder: Builder,
    tokens: Option<Tokens>,
    token: Vec<u8>,
    messages: u64,
}

// === impl Packer ===

impl Packer {
    /// For the answer to `query` about `volume`; [`Error::OutOfRange`] when it starts beyond the end.
    ///
    /// `tokens` are given to the entries if the query asks for them.
    pub fn new(query: &Query, volume: Volume, tokens: Option<Tokens>) -> Result<Self> {
        let from = match query.shape {
            Shape::Ranges => query.start,
            Shape::Blocks => query.start.saturating_mul(volume.block_size),
        };
        // The last block may reach beyond the end, and what follows it is still a place to go on from.
        let last = match query.shape {
            Shape::Ranges => volume.capacity,
            Shape::Blocks => volume.capacity.next_multiple_of(volume.block_size),
        };
        if from > last {
            let (start, capacity) = (query.start, volume.capacity);
            let what = if query.shape == Shape::Ranges { "byte" } else { "block" };
            return Err(Error::OutOfRange(format!(
                "the start, {what} {start}, is beyond the end of the volume, which has {capacity} bytes"
            )));
        }
        let tokens = tokens.filter(|_| query.tokens && query.shape == Shape::Blocks);
        let kind = if query.shape == Shape::Blocks { Kind::Fixed } else { volume.kind };
        Ok(Self {
            volume: Volume { kind, ..volume },
            cut: kind == Kind::Fixed,
            from,
            left: if query.limit == 0 { u64::MAX } else { query.limit },
            per_message: query.per_message,
            range: 0..0,
            end: 0,
            builder: builder(kind, volume.capacity, tokens.as_ref()),
            tokens,
            token: Vec::new(),
            messages: 0,
        })
    }

    /// The first byte that matters: a source may begin with the range that this byte is in or before.
    pub fn from(&self) -> u64 {
        self.from
    }

    /// Whether there are as many entries as were asked for.
    pub fn is_done(&self) -> bool {
        self.left == 0
    }

    /// Takes the next range of bytes; what is empty, or beyond the volume's end, is passed over.
    ///
    /// [`Error::Broken`] when it begins before the one before it ended, which is a fault of the source.
    pub fn push(&mut self, range: Range<u64>) -> Result<()> {
        let Range { start, end } = range.start..range.end.min(self.volume.capacity);
        if start >= end {
            return Ok(());
        }
        if start < self.end {
            return Err(Error::Broken(format!(
                "the source has a range at {start} after one that ends at {}",
                self.end
            )));
        }
        self.end = end;
        let size = self.volume.block_size;
        self.range = if self.cut {
            // A block that two ranges share is one entry; the blocks before the start are none.
            let done = self.range.end.max(self.from / size * size);
            (start / size * size).max(done)..end.next_multiple_of(size).max(done)
        } else if end <= self.from {
            start..start
        } else {
            start..end
        };
        Ok(())
    }

    /// A full message, if there is one.
    pub fn message(&mut self) -> Option<Blocks> {
        while !self.range.is_empty() && self.left > 0 {
            let offset = self.range.start;
            let size = if self.cut { self.volume.block_size } else { self.range.end - offset };
            self.token.clear();
            if let Some(tokens) = &mut self.tokens {
                (tokens.make)(offset, &mut self.token);
            }
            self.builder.push(Block { offset, size, token: &self.token });
            self.range.start += size;
            self.left -= 1;
            if self.builder.is_full(self.per_message) {
                return Some(self.take());
            }
        }
        None
    }

    /// The last message. It is without entries if there were none at all, so that the capacity is known.
    pub fn rest(&mut self) -> Option<Blocks> {
        (!self.builder.is_empty() || self.messages == 0).then(|| self.take())
    }

    fn take(&mut self) -> Blocks {
        self.messages += 1;
        let next = builder(self.volume.kind, self.volume.capacity, self.tokens.as_ref());
        std::mem::replace(&mut self.builder, next).finish()
    }
}

fn builder(kind: Kind, capacity: u64, tokens: Option<&Tokens>) -> Builder {
    let mut builder = Builder::new(kind, capacity);
    if let Some(tokens) = tokens {
        builder.validity(tokens.issued, tokens.ttl);
    }
    builder
}

/// `ranges` as messages. What came before an error is sent before it.
pub fn pack(
    ranges: impl Stream<Item = Result<Range<u64>>> + Send + 'static,
    packer: Packer,
) -> BoxStream<'static, Result<Blocks>> {
    let state = Some((Box::pin(ranges), Box::new(packer), None));
    stream::unfold(state, |state| async {
        let (mut ranges, mut packer, failed) = state?;
        if let Some(error) = failed {
            return Some((Err(error), None));
        }
        loop {
            if let Some(blocks) = packer.message() {
                return Some((Ok(blocks), Some((ranges, packer, None))));
            }
            let next = if packer.is_done() { None } else { ranges.next().await };
            let Some(range) = next else { return packer.rest().map(|blocks| (Ok(blocks), None)) };
            if let Err(error) = range.and_then(|range| packer.push(range)) {
                return Some(match packer.rest().filter(|blocks| !blocks.is_empty()) {
                    Some(blocks) => (Ok(blocks), Some((ranges, packer, Some(error)))),
                    None => (Err(error), None),
                });
            }
        }
    })
    .boxed()
}

// === impl Tokens ===

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("issued", &self.issued).field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use futures::TryStreamExt;
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::cbt::{Checker, Snapshot};

    const BLOCK: u64 = 10;

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    fn volume(kind: Kind) -> Volume {
        Volume { capacity: 995, block_size: BLOCK, kind }
    }

    fn packed(query: &Query, kind: Kind, ranges: &[Range<u64>]) -> Vec<(u64, u64)> {
        let packer = Packer::new(query, volume(kind), None).unwrap();
        let ranges: Vec<_> = ranges.iter().cloned().map(Ok).collect();
        let messages: Vec<_> = block_on(pack(stream::iter(ranges), packer).try_collect()).unwrap();
        let mut checker = Checker::new(query);
        messages.iter().for_each(|message: &Blocks| checker.check(message).unwrap());
        assert!(messages.iter().all(|message| query.per_message == 0 || message.len() <= query.per_message as usize));
        assert!(!messages.is_empty(), "the capacity is always known");
        messages.iter().flat_map(|message| message.iter().map(|block| (block.offset, block.size))).collect()
    }

    /// Blocks that a range touches, as one would write it down.
    fn expected(query: &Query, kind: Kind, ranges: &[Range<u64>]) -> Vec<(u64, u64)> {
        let whole: Vec<_> = if query.shape == Shape::Ranges && kind == Kind::Variable {
            ranges.iter().map(|range| (range.start, range.end - range.start)).collect()
        } else {
            let touched =
                |block: &u64| ranges.iter().any(|range| range.start < (block + 1) * BLOCK && range.end > block * BLOCK);
            (0..100).filter(touched).map(|block| (block * BLOCK, BLOCK)).collect()
        };
        let begun = |(offset, size): &(u64, u64)| match query.shape {
            Shape::Ranges => offset + size > query.start,
            Shape::Blocks => offset / BLOCK >= query.start,
        };
        let limit = if query.limit == 0 { usize::MAX } else { query.limit as usize };
        whole.into_iter().filter(begun).take(limit).collect()
    }

    fn ranges() -> impl Strategy<Value = Vec<Range<u64>>> {
        vec((0u64..40, 1u64..60), 0..20).prop_map(|gaps| {
            let mut at = 0;
            let range = |(gap, length): (u64, u64)| {
                let start = at + gap;
                at = start + length;
                start..at.min(995)
            };
            gaps.into_iter().map(range).filter(|range| !range.is_empty()).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn ranges_become_what_was_asked_for(
            ranges in ranges(),
            shape in prop_oneof![Just(Shape::Ranges), Just(Shape::Blocks)],
            kind in prop_oneof![Just(Kind::Fixed), Just(Kind::Variable)],
            start in 0u64..996,
            limit in 0u64..20,
            per_message in 0u32..9,
        ) {
            let start = if shape == Shape::Blocks { start / BLOCK } else { start };
            let query = Query {
                shape, start, limit, per_message, ..Query::allocated(Snapshot::Handle("x".to_owned()))
            };
            prop_assert_eq!(packed(&query, kind, &ranges), expected(&query, kind, &ranges));
        }
    }

    #[test]
    fn what_came_before_a_fault_is_sent_before_it() {
        let query = Query::allocated(Snapshot::Handle("x".to_owned()));
        let ranges = [Ok(0..5), Ok(5..9), Err(Error::Unavailable("gone".to_owned())), Ok(20..30)];
        let disorder = [Ok(0..5), Ok(5..9), Ok(8..9)];
        for (ranges, fault) in [(ranges.to_vec(), "gone"), (disorder.to_vec(), "a range at 8")] {
            let packer = Packer::new(&query, volume(Kind::Variable), None).unwrap();
            let items: Vec<_> = block_on(pack(stream::iter(ranges), packer).collect());
            let [Ok(good), Err(error)] = &items[..] else { panic!("{items:?}") };
            assert_eq!(good.len(), 2);
            assert!(error.to_string().contains(fault), "{error}");
        }
    }

    #[test]
    fn a_start_beyond_the_end_is_out_of_range() {
        let query = Query::allocated(Snapshot::Handle("x".to_owned()));
        for (shape, last) in [(Shape::Ranges, 995), (Shape::Blocks, 100)] {
            let at = |start| Packer::new(&Query { shape, start, ..query.clone() }, volume(Kind::Fixed), None).err();
            assert_eq!(at(last), None);
            for start in [last + 1, u64::MAX] {
                assert!(matches!(at(start), Some(Error::OutOfRange(_))), "{start}");
            }
        }
    }

    #[test]
    fn tokens_are_made_for_blocks_when_they_are_asked_for() {
        let tokens = || Tokens {
            issued: 5,
            ttl: 6,
            make: Box::new(|offset, token| token.extend_from_slice(offset.to_string().as_bytes())),
        };
        let query = Query { tokens: true, ..Query::allocated(Snapshot::Handle("x".to_owned())) };
        for (shape, expected) in [(Shape::Ranges, ["", ""]), (Shape::Blocks, ["10", "20"])] {
            let query = Query { shape, ..query.clone() };
            let packer = Packer::new(&query, volume(Kind::Fixed), Some(tokens())).unwrap();
            let messages: Vec<_> = block_on(pack(stream::iter([Ok(12..23)]), packer).try_collect()).unwrap();
            let given: Vec<_> = messages[0].iter().map(|block| block.token).collect();
            assert_eq!(given, expected.map(str::as_bytes));
            assert_eq!(messages[0].validity(), if shape == Shape::Blocks { (5, 6) } else { (0, 0) });
        }
    }
}
