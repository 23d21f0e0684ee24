//! A list of extents on disk: what one run of `rbd diff` said, whole.
//!
//! rbd itself keeps all of its answer until it has it, so nothing is lost by waiting for the end. What is won: whether
//! the list is complete is known before anybody sees its beginning, and a page of it is found without running rbd again.
//!
//! The file has no name, 16 bytes an extent (first byte and end, big-endian), and goes with the last reader.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    ops::Range,
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
};

use futures::{
    Stream, TryStreamExt,
    stream::{self, try_unfold},
};
use proto::cbt::{Error, Result};
use tokio::task::spawn_blocking;

use crate::extents::{self, Extent, Fault};

/// Bytes of an extent.
const RECORD: u64 = 16;

/// Extents read at a time.
const CHUNK: u64 = 4096;

/// A complete list.
#[derive(Debug)]
pub(crate) struct Diff {
    file: File,
    count: u64,
    /// Bytes of the image's objects.
    pub(crate) object_size: u64,
}

// === impl Diff ===

impl Diff {
    /// Takes in what `rbd diff` prints, to the end. What reads as zeros is left out unless `zeros` says that it counts.
    ///
    /// Blocks. The file is in `folder`.
    pub(crate) fn take(list: impl io::Read, zeros: bool, object_size: u64, folder: &Path) -> Result<Self, Fault> {
        let file = tempfile::tempfile_in(folder).map_err(Fault::Taker)?;
        let (mut to, mut count) = (BufWriter::new(file), 0);
        extents::read(list, |Extent { range, exists }| {
            if exists || zeros {
                count += 1;
                to.write_all(&record(&range))?;
            }
            Ok(())
        })?;
        let file = to.into_inner().map_err(|error| Fault::Taker(error.into_error()))?;
        Ok(Self { file, count, object_size })
    }

    /// The extents that end after `from`, in order, read as they are wanted.
    pub(crate) fn after(self: Arc<Self>, from: u64) -> impl Stream<Item = Result<Range<u64>>> + Send + 'static {
        let chunks = try_unfold((self, None), move |(diff, at)| diff.chunk(from, at));
        chunks.map_ok(|extents| stream::iter(extents.into_iter().map(Ok::<_, Error>))).try_flatten()
    }

    /// Some extents from index `at` on, else from byte `from`, and where to go on; `None` at the end.
    async fn chunk(
        self: Arc<Self>,
        from: u64,
        at: Option<u64>,
    ) -> Result<Option<(Vec<Range<u64>>, (Arc<Self>, Option<u64>))>> {
        let diff = self.clone();
        let read = spawn_blocking(move || {
            let at = at.map_or_else(|| diff.find(from), Ok)?;
            let extents = diff.read(at..(at + CHUNK).min(diff.count))?;
            io::Result::Ok((at + extents.len() as u64, extents))
        });
        let read = read.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        let (at, extents) = read.map_err(|error| Error::Internal(format!("reading a list: {error}")))?;
        Ok((!extents.is_empty()).then_some((extents, (self, Some(at)))))
    }

    /// The index of the first extent that ends after `from`.
    fn find(&self, from: u64) -> io::Result<u64> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low.midpoint(high);
            match self.read(middle..middle + 1)?.first() {
                Some(extent) if extent.end > from => high = middle,
                _ => low = middle + 1,
            }
        }
        Ok(low)
    }

    fn read(&self, indices: Range<u64>) -> io::Result<Vec<Range<u64>>> {
        let mut bytes = vec![0; ((indices.end - indices.start) * RECORD) as usize];
        self.file.read_exact_at(&mut bytes, indices.start * RECORD)?;
        let (numbers, _) = bytes.as_chunks::<8>();
        let (pairs, _) = numbers.as_chunks::<2>();
        Ok(pairs.iter().map(|[start, end]| u64::from_be_bytes(*start)..u64::from_be_bytes(*end)).collect())
    }
}

fn record(range: &Range<u64>) -> [u8; RECORD as usize] {
    let mut record = [0; RECORD as usize];
    record[..8].copy_from_slice(&range.start.to_be_bytes());
    record[8..].copy_from_slice(&range.end.to_be_bytes());
    record
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// Every third extent of 4 KiB reads as zeros.
    fn diff(count: u64, zeros: bool) -> Arc<Diff> {
        let record = |index: u64| {
            let exists = !index.is_multiple_of(3);
            format!(r#"{{"offset":{},"length":4096,"exists":"{exists}"}}"#, index * 8192)
        };
        let list = format!("[{}]", (0..count).map(record).collect::<Vec<_>>().join(","));
        Arc::new(Diff::take(list.as_bytes(), zeros, 1 << 22, &std::env::temp_dir()).unwrap())
    }

    async fn after(diff: &Arc<Diff>, from: u64) -> Vec<Range<u64>> {
        diff.clone().after(from).try_collect().await.unwrap()
    }

    #[tokio::test]
    async fn extents_come_back_from_anywhere() {
        let diff = diff(2 * CHUNK + 7, true);
        let all: Vec<_> = (0..2 * CHUNK + 7).map(|index| index * 8192..index * 8192 + 4096).collect();
        for from in [0, 1, 4095, 4096, 8192, CHUNK * 8192 - 1, CHUNK * 8192 + 4095, CHUNK * 8192 + 4096, u64::MAX] {
            let rest: Vec<_> = all.iter().filter(|extent| extent.end > from).cloned().collect();
            assert_eq!(after(&diff, from).await, rest, "from {from}");
        }
    }

    #[tokio::test]
    async fn zeros_count_only_when_they_are_asked_for() {
        let starts = |extents: Vec<Range<u64>>| extents.iter().map(|extent| extent.start / 8192).collect::<Vec<_>>();
        assert_eq!(starts(after(&diff(5, false), 0).await), [1, 2, 4]);
        assert_eq!(starts(after(&diff(5, true), 0).await), [0, 1, 2, 3, 4]);
        assert_eq!(after(&diff(0, true), 0).await, []);
    }

    #[test]
    fn a_list_that_is_cut_off_is_none() {
        let cut = br#"[{"offset":0,"length":4096,"exists":"true"},"#;
        assert!(Diff::take(&cut[..], true, 1, &std::env::temp_dir()).is_err());
    }
}
