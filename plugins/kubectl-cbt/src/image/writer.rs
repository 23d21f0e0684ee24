//! Writing an image, from its beginning or from where it broke.

use std::{
    fs::{File, OpenOptions},
    io::{BufWriter, Read, Seek, SeekFrom, Write},
    path::Path,
};

use anyhow::{Context as _, Result, bail};

use super::{DATA, END, HEADER_LIMIT, Header, MAGIC, Reader, digest};

/// An image that grows.
#[derive(Debug)]
pub(crate) struct Writer {
    file: BufWriter<File>,
    records: u64,
    bytes: u64,
    end: u64,
    complete: bool,
}

// === impl Writer ===

impl Writer {
    /// A new image; or one that broke, to go on with after its last whole record, if it is of the same snapshots.
    ///
    /// Whatever else `path` is stays as it is. Nobody else writes to the image for as long as this is kept.
    pub(crate) fn open(path: &Path, header: &Header) -> Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.with_context(|| format!("opening the image {}", path.display()))?;
        if file.try_lock().is_err() {
            bail!("another process writes to {}", path.display());
        }
        if has_begun(&file, path)? { Self::resume(file, path, header) } else { Self::create(file, header) }
    }

    fn create(file: File, header: &Header) -> Result<Self> {
        let header = serde_json::to_vec(header).context("writing the image")?;
        let length = u32::try_from(header.len()).unwrap_or(u32::MAX);
        if length > HEADER_LIMIT {
            bail!("the names are too long for an image");
        }
        let begin = [&MAGIC[..], &length.to_le_bytes(), &header].concat();
        file.set_len(0).and_then(|()| (&file).rewind()).context("writing the image")?;
        (&file).write_all(&begin).context("writing the image")?;
        Ok(Self { file: BufWriter::with_capacity(1 << 20, file), records: 0, bytes: 0, end: 0, complete: false })
    }

    fn resume(mut file: File, path: &Path, header: &Header) -> Result<Self> {
        let mut reader = Reader::open(path)?;
        let (was, is) = (reader.header(), header);
        if (&was.uid, &was.base, &was.target) != (&is.uid, &is.base, &is.target) {
            bail!("{} is of another VolumeSnapshotDelta: choose another file", path.display());
        }
        let (mut records, mut bytes, mut end, mut keep) = (0, 0, 0, reader.position());
        let complete = loop {
            match reader.next() {
                Ok(Some(record)) => {
                    records += 1;
                    bytes += record.data.len() as u64;
                    end = record.offset + record.data.len() as u64;
                    keep = reader.position();
                }
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        if !complete {
            file.set_len(keep).context("cutting what is broken off the image")?;
        }
        file.seek(SeekFrom::End(0)).context("opening the image")?;
        Ok(Self { file: BufWriter::with_capacity(1 << 20, file), records, bytes, end, complete })
    }

    /// How many blocks are in it.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// How many bytes of data are in it.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The end of the last block, in bytes from the start of the volume.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Whether nothing is missing.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Appends a block.
    pub(crate) fn push(&mut self, offset: u64, data: &[u8]) -> Result<()> {
        let length = u32::try_from(data.len()).context("a block of more than 4 GiB")?;
        let mut head = [0; 1 + 8 + 4 + 32];
        head[0] = DATA;
        head[1..9].copy_from_slice(&offset.to_le_bytes());
        head[9..13].copy_from_slice(&length.to_le_bytes());
        head[13..].copy_from_slice(&digest(offset, data));
        self.file.write_all(&head).and_then(|()| self.file.write_all(data)).context("writing the image")?;
        self.records += 1;
        self.bytes += u64::from(length);
        self.end = offset + u64::from(length);
        Ok(())
    }

    /// Says that it is complete, and makes it durable.
    pub(crate) fn finish(&mut self) -> Result<()> {
        if !self.complete {
            let end = [&[END][..], &self.records.to_le_bytes(), &self.bytes.to_le_bytes()].concat();
            self.file.write_all(&end).context("writing the image")?;
        }
        self.file.flush().context("writing the image")?;
        self.file.get_ref().sync_all().context("making the image durable")
    }
}

/// Whether a file has a whole header; one that breaks off within it, as a full disk leaves it, has nothing to keep.
fn has_begun(file: &File, path: &Path) -> Result<bool> {
    let mut begin = Vec::new();
    let most = MAGIC.len() as u64 + 4 + u64::from(HEADER_LIMIT);
    file.take(most).read_to_end(&mut begin).with_context(|| format!("reading {}", path.display()))?;
    let Some((magic, rest)) = begin.split_at_checked(MAGIC.len()) else { return Ok(!MAGIC.starts_with(&begin)) };
    let Some((length, header)) = rest.split_first_chunk() else { return Ok(magic != MAGIC) };
    Ok(magic != MAGIC
        || u32::from_le_bytes(*length) > HEADER_LIMIT
        || header.len() >= u32::from_le_bytes(*length) as usize)
}
