//! Reading an image. What is read is checked, record by record and at the end.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use anyhow::{Context as _, Result, bail};

use super::{DATA, END, HEADER_LIMIT, Header, MAGIC, RECORD_LIMIT, digest};

/// An image that is read.
#[derive(Debug)]
pub(crate) struct Reader {
    file: BufReader<File>,
    header: Header,
    position: u64,
    records: u64,
    bytes: u64,
    end: u64,
}

/// One block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Bytes from the start of the volume.
    pub(crate) offset: u64,
    /// What is there.
    pub(crate) data: Vec<u8>,
}

// === impl Reader ===

impl Reader {
    /// Opens an image and reads what it is of.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("opening the image {}", path.display()))?;
        let mut file = BufReader::with_capacity(1 << 20, file);
        let mut begin = [0; MAGIC.len() + 4];
        let short = || format!("{} is no incremental image", path.display());
        file.read_exact(&mut begin).with_context(short)?;
        let (magic, length) = begin.split_at(MAGIC.len());
        let length = u32::from_le_bytes(length.try_into().unwrap_or_default());
        if magic != MAGIC || length > HEADER_LIMIT {
            bail!(short());
        }
        let mut header = vec![0; length as usize];
        file.read_exact(&mut header).with_context(short)?;
        let header = serde_json::from_slice(&header).with_context(short)?;
        let position = (begin.len() + length as usize) as u64;
        Ok(Self { file, header, position, records: 0, bytes: 0, end: 0 })
    }

    /// What it is of.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// How many bytes of the file have been read.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The next block; `None` at the end, which a broken image does not have.
    pub(crate) fn next(&mut self) -> Result<Option<Record>> {
        const BROKEN: &str = "the image is not complete: pull it again, it goes on where it broke";
        let [tag] = self.take::<1>().context(BROKEN)?;
        match tag {
            DATA => {}
            END => return self.finish().map(|()| None),
            _ => bail!("the image is damaged after byte {}", self.position - 1),
        }
        let offset = u64::from_le_bytes(self.take().context(BROKEN)?);
        let length = u32::from_le_bytes(self.take().context(BROKEN)?);
        let expected: [u8; 32] = self.take().context(BROKEN)?;
        if length > RECORD_LIMIT || offset < self.end || offset.checked_add(u64::from(length)).is_none() {
            bail!("the image is damaged before byte {}", self.position);
        }
        let mut data = vec![0; length as usize];
        self.file.read_exact(&mut data).context(BROKEN)?;
        self.position += u64::from(length);
        if digest(offset, &data) != expected {
            bail!("the image is damaged before byte {}", self.position);
        }
        self.records += 1;
        self.bytes += u64::from(length);
        self.end = offset + u64::from(length);
        Ok(Some(Record { offset, data }))
    }

    fn finish(&mut self) -> Result<()> {
        const BROKEN: &str = "the image is not complete: pull it again, it goes on where it broke";
        let records = u64::from_le_bytes(self.take().context(BROKEN)?);
        let bytes = u64::from_le_bytes(self.take().context(BROKEN)?);
        if (records, bytes) != (self.records, self.bytes) || self.file.read(&mut [0]).context(BROKEN)? != 0 {
            bail!("the image is damaged: its end does not fit");
        }
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> std::io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        self.position += N as u64;
        Ok(bytes)
    }
}
