//! Ranges that a tool has told once, kept in a temporary file so that any place in them is found at once and memory
//! does not grow with their number.
//!
//! A tool cannot begin in the middle: without this, each page of a paged answer would run it again.

use std::{
    collections::VecDeque,
    fs,
    io::{self, BufWriter, Write as _},
    ops::Range,
    os::unix::fs::FileExt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use proto::cbt::{Error, Result};

use crate::ranges::{Ranges, Step};

/// Bytes of one span: its start, and its end with the doubt in the lowest bit. Both are multiples of [`ALIGNED`].
const SPAN: u64 = 16;
/// Spans read at once.
const READ: u64 = 1024;
/// Maps kept for the next page.
const KEPT: usize = 8;
/// No file system has smaller blocks.
const ALIGNED: u64 = 512;

/// A range of which it is known that it changed, or of which it is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) range: Range<u64>,
    /// Whether the data must be compared.
    pub(crate) doubt: bool,
}

/// Spans in order, none touching another of its kind.
#[derive(Debug)]
pub(crate) struct Map {
    file: fs::File,
    spans: u64,
}

/// Makes a map.
#[derive(Debug)]
pub(crate) struct Writer {
    file: BufWriter<fs::File>,
    spans: u64,
    last: Option<Span>,
}

/// Reads a map from a place on.
#[derive(Debug)]
pub(crate) struct Cursor {
    map: Arc<Map>,
    next: u64,
    read: VecDeque<Span>,
}

/// The maps that were used last.
#[derive(Debug, Default)]
pub(crate) struct Maps {
    kept: Mutex<VecDeque<(String, Option<Arc<Map>>)>>,
}

// === impl Writer ===

impl Writer {
    pub(crate) fn new() -> Result<Self> {
        let file = tempfile::tempfile().map_err(|error| fault(&error))?;
        Ok(Self { file: BufWriter::new(file), spans: 0, last: None })
    }

    /// Appends a span, widened to whole sectors; one that begins before the last one ended is a fault of who tells it.
    pub(crate) fn push(&mut self, span: Span) -> Result<()> {
        let Range { start, end } = span.range;
        if start >= end {
            return Ok(());
        }
        let range = start / ALIGNED * ALIGNED..end.checked_next_multiple_of(ALIGNED).unwrap_or(end);
        let range = match &mut self.last {
            Some(last) if range.start < last.range.start => {
                return Err(Error::Broken(format!("a tool told of {start} after {}", last.range.start)));
            }
            Some(last) if range.start <= last.range.end && last.doubt == span.doubt => {
                last.range.end = last.range.end.max(range.end);
                return Ok(());
            }
            Some(last) => range.start.max(last.range.end)..range.end,
            None => range,
        };
        match self.last.replace(Span { range, ..span }) {
            Some(last) => self.write(&last),
            None => Ok(()),
        }
    }

    pub(crate) fn finish(mut self) -> Result<Map> {
        if let Some(last) = self.last.take() {
            self.write(&last)?;
        }
        let file = self.file.into_inner().map_err(|error| fault(error.error()))?;
        Ok(Map { file, spans: self.spans })
    }

    fn write(&mut self, span: &Span) -> Result<()> {
        if span.range.is_empty() {
            return Ok(());
        }
        let end = span.range.end | u64::from(span.doubt);
        let written = self.file.write_all(&span.range.start.to_le_bytes());
        let written = written.and_then(|()| self.file.write_all(&end.to_le_bytes()));
        self.spans += 1;
        written.map_err(|error| fault(&error))
    }
}

// === impl Map ===

impl Map {
    /// From the first span on that ends after `start`.
    pub(crate) fn after(self: &Arc<Self>, start: u64) -> Result<Cursor> {
        let (mut low, mut high) = (0, self.spans);
        while low < high {
            let middle = low.midpoint(high);
            let ended = self.read(middle, 1)?.pop_front().is_none_or(|span| span.range.end <= start);
            (low, high) = if ended { (middle + 1, high) } else { (low, middle) };
        }
        Ok(Cursor { map: Arc::clone(self), next: low, read: VecDeque::new() })
    }

    fn read(&self, from: u64, count: u64) -> Result<VecDeque<Span>> {
        let mut bytes = vec![0; (count * SPAN) as usize];
        self.file.read_exact_at(&mut bytes, from * SPAN).map_err(|error| fault(&error))?;
        let (spans, _) = bytes.as_chunks::<{ SPAN as usize }>();
        Ok(spans.iter().map(Span::decode).collect())
    }
}

// === impl Cursor ===

impl Cursor {
    /// The next span; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Span>> {
        if self.read.is_empty() {
            let count = READ.min(self.map.spans - self.next);
            self.read = self.map.read(self.next, count)?;
            self.next += count;
        }
        Ok(self.read.pop_front())
    }
}

impl Ranges for Cursor {
    fn step(&mut self) -> Result<Step> {
        Ok(self.next()?.map_or(Step::End, |span| Step::Found(span.range)))
    }
}

// === impl Span ===

impl Span {
    /// A range that changed.
    pub(crate) fn sure(range: Range<u64>) -> Self {
        Self { range, doubt: false }
    }

    fn decode(bytes: &[u8; SPAN as usize]) -> Self {
        let (words, _) = bytes.as_chunks::<8>();
        let (start, end) = (u64::from_le_bytes(words[0]), u64::from_le_bytes(words[1]));
        Self { range: start..end & !1, doubt: end & 1 == 1 }
    }
}

// === impl Maps ===

impl Maps {
    /// The map called `name`, which says everything that it was made from; made by `make` if it is not kept. That there
    /// can be none (`None`) is kept, too.
    pub(crate) fn get(&self, name: &str, make: impl FnOnce() -> Result<Option<Map>>) -> Result<Option<Arc<Map>>> {
        // Made without the lock: two who ask at the same time make it twice, and nobody waits for another's tool.
        let map = match self.kept(name) {
            Some(kept) => kept,
            None => make()?.map(Arc::new),
        };
        self.keep(name, map.clone());
        Ok(map)
    }

    fn kept(&self, name: &str) -> Option<Option<Arc<Map>>> {
        self.lock().iter().find(|(kept, _)| kept == name).map(|(_, map)| map.clone())
    }

    fn keep(&self, name: &str, map: Option<Arc<Map>>) {
        let mut kept = self.lock();
        kept.retain(|(kept, _)| kept != name);
        kept.push_front((name.to_owned(), map));
        kept.truncate(KEPT);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, Option<Arc<Map>>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fault(error: &io::Error) -> Error {
    Error::Unavailable(format!(
        "the temporary file of a map cannot be written or read ({error}): is there room where TMPDIR says?"
    ))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn map(spans: &[(u64, u64, bool)]) -> Result<Arc<Map>> {
        let mut writer = Writer::new()?;
        for &(start, end, doubt) in spans {
            writer.push(Span { range: start << 9..end << 9, doubt })?;
        }
        writer.finish().map(Arc::new)
    }

    fn spans(mut cursor: Cursor) -> Vec<(u64, u64, bool)> {
        let next = || cursor.next().unwrap().map(|span| (span.range.start >> 9, span.range.end >> 9, span.doubt));
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn spans_that_touch_are_one_unless_only_one_of_them_is_in_doubt() {
        let map = map(&[(0, 1, false), (1, 3, false), (3, 4, true), (3, 6, false), (9, 9, true)]).unwrap();
        assert_eq!(spans(map.after(0).unwrap()), [(0, 3, false), (3, 4, true), (4, 6, false)]);
    }

    #[test]
    fn any_place_is_found() {
        let many: Vec<_> = (0..3000).map(|number| (number * 3 + 1, number * 3 + 2, number % 2 == 0)).collect();
        let map = map(&many).unwrap();
        for start in [0, 1, 2, 3, 4499, 4500, 4501, 8998, 8999, 9000, 99_999] {
            let expected: Vec<_> = many.iter().copied().filter(|&(_, end, _)| end > start).collect();
            assert_eq!(spans(map.after(start << 9).unwrap()), expected, "{start}");
        }
    }

    #[test]
    fn a_tool_that_goes_back_is_not_believed() {
        assert!(matches!(map(&[(5, 6, false), (3, 4, false)]), Err(Error::Broken(_))));
    }

    #[test]
    fn maps_are_kept_for_the_next_page_and_not_for_ever() {
        let maps = Maps::default();
        let made = Mutex::new(0);
        let get = |name: &str| {
            let make = || {
                *made.lock().unwrap() += 1;
                Ok(Some(Writer::new()?.finish()?))
            };
            maps.get(name, make).unwrap().unwrap();
            *made.lock().unwrap()
        };
        assert_eq!((get("a"), get("a"), get("b"), get("a")), (1, 1, 2, 2));
        for number in 0..KEPT {
            get(&number.to_string());
        }
        assert_eq!(get("a"), 3 + KEPT);
        assert!(maps.get("none", || Ok(None)).unwrap().is_none());
        assert!(maps.get("none", || panic!("it is known")).unwrap().is_none());
        assert!(maps.get("broken", || Err(Error::Broken(String::new()))).is_err());
        assert_eq!(get("broken"), 4 + KEPT);
    }
}
