//! An incremental image: the blocks in which a snapshot differs from its base, in one file that only grows.
//!
//! ```text
//!   OUTRIGGER-CBT/1\n
//!   length (u32), header (JSON)                              what it is of
//!   'D', offset (u64), length (u32), SHA-256, data           for each block, in order
//!   'E', records (u64), bytes (u64)                          when it is complete
//! ```
//!
//! Numbers are little-endian. A file without its end is one that broke: [`Writer::open`] keeps its whole records and goes
//! on after them. So there is one file all the time, under its own name, and what is in it says whether it is whole.

mod reader;
mod writer;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub(crate) use self::{
    reader::{Reader, Record},
    writer::Writer,
};

const MAGIC: &[u8; 16] = b"OUTRIGGER-CBT/1\n";

/// Of a header. One with two names is far below it.
const HEADER_LIMIT: u32 = 1 << 16;

/// Of a record: more than any driver's block.
const RECORD_LIMIT: u32 = 64 << 20;

const DATA: u8 = b'D';
const END: u8 = b'E';

/// What an image is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Header {
    /// The namespace of the VolumeSnapshotDelta.
    pub(crate) namespace: String,
    /// Its name.
    pub(crate) name: String,
    /// Its uid: a new one of that name is another one.
    pub(crate) uid: String,
    /// The earlier snapshot; empty when the image holds all allocated blocks.
    pub(crate) base: String,
    /// The snapshot.
    pub(crate) target: String,
    /// The volume's size in bytes; 0 when nobody has said it, as may be where nothing has changed.
    pub(crate) capacity: u64,
}

fn digest(offset: u64, data: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(offset.to_le_bytes());
    hash.update(data);
    hash.finalize().into()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    fn header() -> Header {
        let text = |text: &str| text.to_owned();
        Header {
            namespace: text("ns"),
            name: text("d"),
            uid: text("u"),
            base: text("b"),
            target: text("t"),
            capacity: 4096,
        }
    }

    const RECORDS: [(u64, &[u8]); 3] = [(0, b"aaaa"), (1024, b"bb"), (2048, b"cccccc")];

    fn write(path: &Path) {
        let mut writer = Writer::open(path, &header()).unwrap();
        for (offset, data) in &RECORDS[writer.records() as usize..] {
            writer.push(*offset, data).unwrap();
        }
        writer.finish().unwrap();
    }

    fn read(path: &Path) -> anyhow::Result<Vec<(u64, Vec<u8>)>> {
        let mut reader = Reader::open(path)?;
        assert_eq!(*reader.header(), header());
        let mut records = Vec::new();
        while let Some(Record { offset, data }) = reader.next()? {
            records.push((offset, data));
        }
        Ok(records)
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        write(&path);
        let records = read(&path).unwrap();
        assert!(records.iter().map(|(offset, data)| (*offset, data.as_slice())).eq(RECORDS));
        assert!(Writer::open(&path, &header()).unwrap().is_complete(), "nothing is overwritten");
    }

    #[test]
    fn an_image_that_broke_anywhere_is_refused_until_it_is_resumed() {
        let folder = tempfile::tempdir().unwrap();
        let whole = folder.path().join("whole");
        write(&whole);
        let bytes = fs::read(&whole).unwrap();
        for end in 0..bytes.len() {
            let path = folder.path().join(format!("broken-{end}"));
            fs::write(&path, &bytes[..end]).unwrap();
            assert!(read(&path).is_err(), "cut at {end}");
            write(&path);
            assert_eq!(fs::read(&path).unwrap(), bytes, "cut at {end}");
        }
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        write(&path);
        let bytes = fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            fs::write(&path, changed).unwrap();
            let same = std::panic::catch_unwind(|| read(&path).is_ok());
            assert!(!same.unwrap_or(false), "byte {at} changed unnoticed");
        }
    }

    #[test]
    fn another_deltas_image_is_not_resumed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        write(&path);
        let other = Header { uid: "v".to_owned(), ..header() };
        let error = Writer::open(&path, &other).unwrap_err().to_string();
        assert!(error.contains("another"), "{error}");
    }

    #[test]
    fn what_is_no_image_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        for bytes in [&b"my thesis"[..], b"OUTRIGGER-CBT/2\nxxxx{}", b"OUTRIGGER-CBT/1\n\xff\xff\xff\xff"] {
            let path = folder.path().join("file");
            fs::write(&path, bytes).unwrap();
            assert!(Writer::open(&path, &header()).is_err(), "{bytes:?}");
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
    }

    #[test]
    fn two_do_not_write_one_image() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        let first = Writer::open(&path, &header()).unwrap();
        let error = Writer::open(&path, &header()).unwrap_err().to_string();
        assert!(error.contains("another process"), "{error}");
        drop(first);
        assert!(Writer::open(&path, &header()).is_ok());
    }
}
