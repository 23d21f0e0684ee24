//! What `thin_dump` and `thin_delta` write, and the one number of a pool's superblock that is needed before.

use std::{io::BufRead, ops::Range};

use proto::cbt::Error;
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

/// The length of a superblock that matters, in bytes.
pub(super) const SUPERBLOCK: u64 = 512;
/// What marks the metadata of a thin pool, and where.
const MAGIC: (usize, u64) = (32, 27_022_010);
/// Where the size of a data block is, in sectors.
const BLOCK_SIZE: usize = 336;
/// In bytes.
const SECTOR: u64 = 512;
/// The sizes that the kernel allows, in sectors: multiples of the first.
const SIZES: (u64, u64) = (128, 2 << 20);

/// What was told besides the blocks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// In bytes.
    pub(super) block_size: u64,
    /// Whether there was a device, or a difference of two.
    pub(super) found: bool,
}

/// Why blocks could not be told.
#[derive(Debug)]
pub(super) enum Fault {
    /// The XML is not what the tools write.
    Xml(String),
    /// Whoever takes the blocks does not take them.
    Seam(Error),
}

/// The size of a data block in bytes, if this is the superblock of a thin pool.
pub(super) fn block_size(superblock: &[u8]) -> Option<u64> {
    let magic = superblock.get(MAGIC.0..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let sectors = superblock.get(BLOCK_SIZE..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    (magic == Some(MAGIC.1)).then_some(sectors).flatten().and_then(|sectors| sane(sectors.into()))
}

fn sane(sectors: u64) -> Option<u64> {
    let (smallest, largest) = SIZES;
    ((smallest..=largest).contains(&sectors) && sectors.is_multiple_of(smallest)).then_some(sectors * SECTOR)
}

/// Gives every range of blocks that is mapped, or that is not the same, to `each`.
pub(super) fn blocks(
    output: impl BufRead,
    mut each: impl FnMut(Range<u64>) -> Result<(), Error>,
) -> Result<Told, Fault> {
    let mut reader = Reader::from_reader(output);
    let (mut buffer, mut size, mut found, mut open) = (Vec::new(), None, false, 0);
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer).map_err(|error| Fault::Xml(error.to_string()))?;
        let element = match &event {
            Event::Start(element) => {
                open += 1;
                element
            }
            Event::Empty(element) => element,
            Event::End(_) => {
                open -= 1;
                continue;
            }
            Event::Eof if open == 0 => break,
            Event::Eof => return Err(Fault::Xml("it ends in the middle".to_owned())),
            _ => continue,
        };
        let range = match element.name().as_ref() {
            "superblock" => {
                size = sane(number(element, "data_block_size")?);
                continue;
            }
            "device" | "diff" => {
                found = true;
                continue;
            }
            "single_mapping" => range(number(element, "origin_block")?, 1),
            "range_mapping" => range(number(element, "origin_begin")?, number(element, "length")?),
            "different" | "left_only" | "right_only" => range(number(element, "begin")?, number(element, "length")?),
            "same" => continue,
            other => return Err(Fault::Xml(format!("unknown element {other}"))),
        };
        each(range?).map_err(Fault::Seam)?;
    }
    let block_size = size.ok_or_else(|| Fault::Xml("it does not say the size of a block".to_owned()))?;
    Ok(Told { block_size, found })
}

fn range(begin: u64, length: u64) -> Result<Range<u64>, Fault> {
    let end = begin.checked_add(length).ok_or_else(|| Fault::Xml(format!("{length} blocks at {begin}")))?;
    Ok(begin..end)
}

fn number(element: &BytesStart<'_>, name: &str) -> Result<u64, Fault> {
    let value = element.try_get_attribute(name).ok().flatten();
    let number = value.and_then(|value| value.value.parse().ok());
    number.ok_or_else(|| Fault::Xml(format!("an element without the number {name}")))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(xml: &str) -> Result<(Told, Vec<Range<u64>>), Fault> {
        let mut found = Vec::new();
        let told = blocks(xml.as_bytes(), |range| {
            found.push(range);
            Ok(())
        })?;
        Ok((told, found))
    }

    #[test]
    fn what_is_not_the_same_is_told() {
        let xml = r#"<superblock uuid="" time="1" transaction="2" data_block_size="128" nr_data_blocks="1000">
          <diff left="1" right="2">
            <same begin="0" length="4"/> <different begin="4" length="1"/>
            <left_only begin="20" length="2"/> <right_only begin="22" length="1"/>
          </diff>
        </superblock>"#;
        let (told, found) = read(xml).unwrap();
        assert_eq!(told, Told { block_size: 65_536, found: true });
        assert_eq!(found, [4..5, 20..22, 22..23]);
    }

    #[test]
    fn what_is_mapped_is_told() {
        let xml = r#"<superblock data_block_size="256"><device dev_id="1" mapped_blocks="11">
            <range_mapping origin_begin="0" data_begin="7" length="10" time="0"/>
            <single_mapping origin_block="20" data_block="30" time="0"/>
        </device></superblock>"#;
        let (told, found) = read(xml).unwrap();
        assert_eq!(told, Told { block_size: 131_072, found: true });
        assert_eq!(found, [0..10, 20..21]);
        assert!(!read(r#"<superblock data_block_size="256"></superblock>"#).unwrap().0.found);
    }

    #[test]
    fn what_is_cut_short_or_makes_no_sense_is_a_fault() {
        for xml in [
            "",
            "<superblock data_block_size=\"128\">",
            "<superblock data_block_size=\"128\"><diff><different begin=\"1\" length=\"1\"/>",
            "<superblock data_block_size=\"127\"></superblock>",
            "<superblock></superblock>",
            "<superblock data_block_size=\"128\"><diff><different begin=\"x\" length=\"1\"/></diff></superblock>",
            "<superblock data_block_size=\"128\"><different begin=\"18446744073709551615\" length=\"2\"/></superblock>",
            "<superblock data_block_size=\"128\"><changed begin=\"1\" length=\"2\"/></superblock>",
        ] {
            assert!(matches!(read(xml), Err(Fault::Xml(_))), "{xml}");
        }
    }

    proptest! {
        #[test]
        fn nothing_written_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), xml in "[<>/a-z0-9=\" ]{0,100}") {
            let _ = blocks(bytes.as_slice(), |_| Ok(()));
            let _ = read(&xml);
            let _ = block_size(&bytes);
        }
    }
}
