//! Whether a stream keeps the contract: for whoever forwards what others say.

use super::{Blocks, Error, Kind, Query, Result, Shape};

/// Follows a stream from its first message on. A message costs the same whatever is in it: [`Blocks::decode`] has seen
/// every entry already.
#[derive(Debug, Clone)]
pub struct Checker {
    shape: Shape,
    start: u64,
    limit: u64,
    /// Kind and capacity of the stream.
    head: Option<(Kind, u64)>,
    /// The size of its entries, if they have one.
    size: Option<u64>,
    /// Where the last entry ended.
    end: u64,
    count: u64,
    messages: u64,
}

// === impl Checker ===

impl Checker {
    /// For the answer to `query`.
    pub fn new(query: &Query) -> Self {
        Self {
            shape: query.shape,
            start: query.start,
            limit: query.limit,
            head: None,
            size: None,
            end: 0,
            count: 0,
            messages: 0,
        }
    }

    /// Takes the next message; [`Error::Broken`] says how it breaks the contract, and none of it is to be trusted then.
    pub fn check(&mut self, blocks: &Blocks) -> Result<()> {
        self.head(blocks)?;
        self.order(blocks)?;
        self.bounds(blocks)?;
        self.end = blocks.end().max(self.end);
        self.count += blocks.len() as u64;
        self.messages += 1;
        Ok(())
    }

    /// How many entries there were.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Where the last entry ended, in bytes; 0 before the first.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Kind, capacity and size are what they were.
    fn head(&mut self, blocks: &Blocks) -> Result<()> {
        if blocks.is_empty() {
            return match self.messages {
                0 => Ok(()),
                _ => Err(broken("sent a message without entries after its first")),
            };
        }
        let summary = &blocks.summary;
        let head = (blocks.kind(), blocks.capacity());
        if *self.head.get_or_insert(head) != head {
            return Err(broken("changed the volume's capacity, or whether entries have one size, within a stream"));
        }
        if self.shape == Shape::Blocks && blocks.kind() != Kind::Fixed {
            return Err(broken("sent entries of any size where blocks of one size were asked for"));
        }
        if blocks.kind() == Kind::Fixed && (*self.size.get_or_insert(summary.size.0), true) != summary.size {
            return Err(broken("sent entries of different sizes and said that they have one"));
        }
        Ok(())
    }

    /// Entries follow each other, from the start on.
    fn order(&self, blocks: &Blocks) -> Result<()> {
        let summary = &blocks.summary;
        let (offset, end) = summary.first;
        if blocks.is_empty() {
            return Ok(());
        }
        if !summary.ordered || offset < self.end {
            return Err(broken("sent entries that overlap or are out of order"));
        }
        let before_start = match self.shape {
            Shape::Ranges => end <= self.start,
            Shape::Blocks => offset / summary.size.0 < self.start,
        };
        if before_start {
            return Err(broken("sent entries from before the start that was asked for"));
        }
        Ok(())
    }

    /// Entries are within the volume, at multiples of the block size, and no more than were asked for.
    fn bounds(&self, blocks: &Blocks) -> Result<()> {
        let (size, capacity) = (blocks.summary.size.0, blocks.capacity());
        if blocks.is_empty() {
            return Ok(());
        }
        // The last of several blocks is whole, though the volume may end within it.
        let last = match blocks.kind() {
            Kind::Fixed => blocks.end() - size + 1,
            Kind::Variable => blocks.end(),
        };
        if last > capacity {
            return Err(broken("sent entries beyond the end of the volume"));
        }
        if self.shape == Shape::Blocks && !aligned(blocks, size) {
            return Err(broken("sent blocks that are not at multiples of their size"));
        }
        if self.limit > 0 && self.count + blocks.len() as u64 > self.limit {
            return Err(broken("sent more entries than were asked for"));
        }
        Ok(())
    }
}

fn aligned(blocks: &Blocks, size: u64) -> bool {
    // What all have in common decides; only blocks whose size is no power of two must be looked at one by one.
    if size.is_power_of_two() {
        blocks.summary.offsets & (size - 1) == 0
    } else {
        blocks.iter().all(|block| block.offset % size == 0)
    }
}

fn broken(what: &str) -> Error {
    Error::Broken(format!("the driver {what}"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::cbt::{Block, Builder, Snapshot};

    const CAPACITY: u64 = 1000;

    fn query() -> Query {
        Query::allocated(Snapshot::Handle("x".to_owned()))
    }

    fn blocks() -> Query {
        Query { shape: Shape::Blocks, ..query() }
    }

    fn message(kind: Kind, entries: &[(u64, u64)]) -> Blocks {
        of(kind, CAPACITY, entries)
    }

    fn of(kind: Kind, capacity: u64, entries: &[(u64, u64)]) -> Blocks {
        let mut builder = Builder::new(kind, capacity);
        for &(offset, size) in entries {
            builder.push(Block { offset, size, token: &[] });
        }
        Blocks::decode(builder.finish().encoded().clone()).unwrap()
    }

    fn check(query: &Query, messages: &[Blocks]) -> Result<u64> {
        let mut checker = Checker::new(query);
        messages.iter().try_for_each(|message| checker.check(message))?;
        Ok(checker.count())
    }

    #[test]
    fn what_keeps_the_contract_passes() {
        use Kind::{Fixed, Variable};
        for (query, messages, count) in [
            (query(), vec![], 0),
            (query(), vec![message(Fixed, &[])], 0),
            (query(), vec![Blocks::decode(bytes::Bytes::new()).unwrap()], 0),
            (query(), vec![message(Variable, &[(0, 10), (10, 5)]), message(Variable, &[(15, 1), (999, 1)])], 4),
            (query(), vec![message(Variable, &[]), message(Variable, &[(0, 1000)])], 1),
            // Blocks of a source may begin anywhere, and the last of them is whole.
            (query(), vec![message(Fixed, &[(5, 10), (15, 10), (995, 10)])], 3),
            (Query { start: 14, ..query() }, vec![message(Fixed, &[(5, 10)])], 1),
            (Query { start: 1, ..blocks() }, vec![message(Fixed, &[(30, 30), (990, 30)])], 2),
            (Query { limit: 2, ..query() }, vec![message(Fixed, &[(0, 1)]), message(Fixed, &[(1, 1)])], 2),
        ] {
            assert_eq!(check(&query, &messages), Ok(count), "{messages:?}");
        }
    }

    #[test]
    fn what_breaks_the_contract_is_found() {
        use Kind::{Fixed, Variable};
        for (query, messages, what) in [
            (query(), vec![message(Variable, &[(10, 1), (0, 1)])], "out of order"),
            (query(), vec![message(Variable, &[(0, 10), (9, 1)])], "overlap"),
            (query(), vec![message(Variable, &[(0, 10), (0, 10)])], "overlap"),
            (query(), vec![message(Variable, &[(0, 10)]), message(Variable, &[(9, 10)])], "overlap"),
            (query(), vec![message(Variable, &[(0, 10)]), message(Variable, &[(0, 10)])], "overlap"),
            (query(), vec![message(Fixed, &[(0, 10), (10, 11)])], "different sizes"),
            (query(), vec![message(Fixed, &[(0, 10)]), message(Fixed, &[(10, 11)])], "different sizes"),
            (query(), vec![message(Fixed, &[(0, 10)]), message(Variable, &[(10, 10)])], "within a stream"),
            (query(), vec![message(Variable, &[(0, 1)]), of(Variable, 7, &[(1, 1)])], "within a stream"),
            (query(), vec![message(Variable, &[(0, 1)]), message(Variable, &[])], "without entries"),
            (query(), vec![message(Variable, &[]), message(Variable, &[])], "without entries"),
            (query(), vec![message(Variable, &[(999, 2)])], "beyond the end"),
            (query(), vec![message(Fixed, &[(1000, 10)])], "beyond the end"),
            (query(), vec![message(Variable, &[(5000, 1)])], "beyond the end"),
            (query(), vec![of(Variable, 0, &[(0, 1)])], "beyond the end"),
            (Query { start: 10, ..query() }, vec![message(Variable, &[(0, 10)])], "before the start"),
            (Query { start: 2, ..blocks() }, vec![message(Fixed, &[(10, 10)])], "before the start"),
            (Query { limit: 1, ..query() }, vec![message(Fixed, &[(0, 1), (1, 1)])], "more entries"),
            (blocks(), vec![message(Variable, &[(0, 10)])], "of any size"),
            (blocks(), vec![message(Fixed, &[(0, 16), (24, 16)])], "multiples"),
            (blocks(), vec![message(Fixed, &[(0, 10), (15, 10)])], "multiples"),
        ] {
            match check(&query, &messages) {
                Err(Error::Broken(message)) => assert!(message.contains(what), "{message}: {messages:?}"),
                other => panic!("{other:?}: {messages:?}"),
            }
        }
    }

    #[test]
    fn it_says_how_far_a_stream_is() {
        let mut checker = Checker::new(&query());
        assert_eq!((checker.count(), checker.end()), (0, 0));
        checker.check(&message(Kind::Variable, &[(3, 4), (7, 1)])).unwrap();
        assert_eq!((checker.count(), checker.end()), (2, 8));
        checker.check(&message(Kind::Variable, &[(3, 4)])).unwrap_err();
        assert_eq!((checker.count(), checker.end()), (2, 8));
    }
}
