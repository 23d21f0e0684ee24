//! The header of a qcow2 image: its size, and the image that it is laid over.

use proto::cbt::{Error, Result};

use crate::{file::File, registry::Format};

/// What an image begins with.
const MAGIC: u32 = 0x5146_49fb;
/// The flag of images whose data is in another file.
const EXTERNAL_DATA: u64 = 1 << 2;
/// The kind of header extension that says the format of the backing file, and the one that ends them.
const BACKING_FORMAT: u32 = 0xe279_2aca;
const END: u32 = 0;
/// The length of the header of version 2, after which extensions begin.
const VERSION_2: u64 = 72;
/// How much is read, in bytes: all of it is in the first cluster, and names have up to 1023 bytes.
const LIMIT: u64 = 64 << 10;

/// What of a header matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// Of the volume, in bytes.
    pub(crate) size: u64,
    /// The file below, as the image calls it, and its format.
    pub(crate) backing: Option<(String, Format)>,
}

// === impl Header ===

impl Header {
    /// Reads the header of an image.
    pub(crate) fn read(file: &File, subject: &str) -> Result<Self> {
        Self::parse(&file.head(LIMIT)?).map_err(|what| Error::Broken(format!("{subject} {what}")))
    }

    fn parse(bytes: &[u8]) -> std::result::Result<Self, &'static str> {
        let short = "is a qcow2 image that ends within its header";
        let u32 = |at: u64| number::<4>(bytes, at).map(|number| number as u32).ok_or(short);
        let u64 = |at: u64| number::<8>(bytes, at).ok_or(short);
        if number::<4>(bytes, 0) != Some(MAGIC.into()) {
            return Err("is not a qcow2 image");
        }
        let (version, name_at, name_length, size) = (u32(4)?, u64(8)?, u32(16)?, u64(24)?);
        if i64::try_from(size).is_err() {
            return Err("is a qcow2 image larger than any volume");
        }
        let extensions = match version {
            2 => VERSION_2,
            3 if u64(72)? & EXTERNAL_DATA != 0 => return Err("is a qcow2 image with its data in another file"),
            3 => u32(100)?.into(),
            _ => return Err("is a qcow2 image of an unknown version"),
        };
        if name_at == 0 {
            return Ok(Self { size, backing: None });
        }
        let name = slice(bytes, name_at, name_length.into()).ok_or(short)?;
        let name = std::str::from_utf8(name).map_err(|_| "has a backing file whose name is no text")?;
        let format = match extension(bytes, extensions, BACKING_FORMAT) {
            Some(b"raw") => Format::Raw,
            Some(b"qcow2") => Format::Qcow2,
            Some(_) => return Err("has a backing file that is neither raw nor qcow2"),
            None => return Err("does not say the format of its backing file: `qemu-img rebase -u -F FORMAT` does"),
        };
        Ok(Self { size, backing: Some((name.to_owned(), format)) })
    }
}

/// The data of a header extension, if it is there.
fn extension(bytes: &[u8], mut at: u64, wanted: u32) -> Option<&[u8]> {
    loop {
        let (kind, length) = (number::<4>(bytes, at)? as u32, number::<4>(bytes, at + 4)?);
        match kind {
            END => return None,
            kind if kind == wanted => return slice(bytes, at + 8, length),
            _ => at = at + 8 + length.next_multiple_of(8),
        }
    }
}

fn number<const N: usize>(bytes: &[u8], at: u64) -> Option<u64> {
    let bytes = slice(bytes, at, N as u64)?;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn slice(bytes: &[u8], at: u64, length: u64) -> Option<&[u8]> {
    bytes.get(usize::try_from(at).ok()?..usize::try_from(at.checked_add(length)?).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A header of version 3 over a backing file.
    fn header(name: &str, format: Option<&str>, features: u64) -> Vec<u8> {
        let mut bytes = vec![0; 104];
        bytes[..4].copy_from_slice(&MAGIC.to_be_bytes());
        bytes[7] = 3;
        bytes[24..32].copy_from_slice(&(1u64 << 30).to_be_bytes());
        bytes[72..80].copy_from_slice(&features.to_be_bytes());
        bytes[103] = 104;
        if let Some(format) = format {
            bytes.extend(BACKING_FORMAT.to_be_bytes());
            bytes.extend((format.len() as u32).to_be_bytes());
            bytes.extend(format.as_bytes());
            bytes.resize(bytes.len().next_multiple_of(8), 0);
        }
        bytes.extend([0; 8]);
        if !name.is_empty() {
            let at = bytes.len() as u64;
            bytes[8..16].copy_from_slice(&at.to_be_bytes());
            bytes[16..20].copy_from_slice(&(name.len() as u32).to_be_bytes());
            bytes.extend(name.as_bytes());
        }
        bytes
    }

    #[test]
    fn size_and_backing_file_are_read() {
        let size = 1 << 30;
        let of = |format| Ok(Header { size, backing: Some(("a.img".to_owned(), format)) });
        assert_eq!(Header::parse(&header("", None, 0)), Ok(Header { size, backing: None }));
        assert_eq!(Header::parse(&header("a.img", Some("raw"), 0)), of(Format::Raw));
        assert_eq!(Header::parse(&header("a.img", Some("qcow2"), 0)), of(Format::Qcow2));
    }

    #[test]
    fn what_leads_elsewhere_or_is_guessed_is_refused() {
        for bytes in [header("a", None, 0), header("a", Some("vmdk"), 0), header("", None, EXTERNAL_DATA)] {
            assert!(Header::parse(&bytes).is_err());
        }
    }

    #[test]
    fn a_header_cut_short_is_refused() {
        let whole = header("a.img", Some("raw"), 0);
        for length in 0..whole.len() {
            assert!(Header::parse(&whole[..length]).is_err(), "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(
            noise in proptest::collection::vec(any::<(proptest::sample::Index, u8)>(), 0..40),
            garbage in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut bytes = header("a.img", Some("raw"), 0);
            for (place, byte) in noise {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            let _ = Header::parse(&bytes);
            let _ = Header::parse(&[&MAGIC.to_be_bytes()[..], &garbage].concat());
            let _ = Header::parse(&garbage);
        }
    }
}
