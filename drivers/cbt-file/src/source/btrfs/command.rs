//! The stream of `btrfs send`, as far as it concerns what files are called and what of them changed.
//!
//! ```text
//! "btrfs-stream\0" version:u32   then, until the command END
//! length:u32 command:u16 crc:u32   then `length` bytes of   type:u16 length:u16 value
//! ```
//! Numbers are little-endian. From version 2 on, the data of a write has no length and is the last of its command.

use std::io::{self, Read};

/// What a stream begins with.
const MAGIC: &[u8; 13] = b"btrfs-stream\0";
/// The versions known.
const VERSIONS: std::ops::RangeInclusive<u32> = 1..=2;
/// No command is larger, in bytes: version 2 has data of up to 128 KiB in pieces that compress.
const LARGEST: usize = 4 << 20;

/// Reads commands.
#[derive(Debug)]
pub(super) struct Commands<R> {
    stream: R,
    version: u32,
    buffer: Vec<u8>,
}

/// A command; those that change neither names nor data are [`Command::Other`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command<'a> {
    /// A file, or a folder with what is in it, is called something else from now on.
    Rename { path: &'a [u8], to: &'a [u8] },
    /// A file has another name as well.
    Link { path: &'a [u8], to: &'a [u8] },
    /// A file has a name less.
    Unlink { path: &'a [u8] },
    /// So many bytes from an offset on are not what they were.
    Change { path: &'a [u8], offset: u64, size: u64 },
    /// A file is so long from now on.
    Truncate { path: &'a [u8], size: u64 },
    /// Something else.
    Other,
}

/// Why a stream cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it does not begin as a stream of btrfs")]
    Magic,
    #[error("it is of version {0}")]
    Version(u32),
    #[error("a command is of {0} bytes")]
    Large(usize),
    #[error("command {0} has a broken attribute")]
    Attribute(u16),
    #[error("command {command} has no attribute {attribute}")]
    Missing { command: u16, attribute: u16 },
}

/// The attributes of a command.
struct Attributes<'a> {
    command: u16,
    version: u32,
    bytes: &'a [u8],
}

// The numbers of <linux/btrfs>'s send stream.
const RENAME: u16 = 9;
const LINK: u16 = 10;
const UNLINK: u16 = 11;
const WRITE: u16 = 15;
const CLONE: u16 = 16;
const TRUNCATE: u16 = 17;
const END: u16 = 21;
const UPDATE_EXTENT: u16 = 22;
const FALLOCATE: u16 = 23;
const ENCODED_WRITE: u16 = 25;

const SIZE: u16 = 4;
const PATH: u16 = 15;
const PATH_TO: u16 = 16;
const PATH_LINK: u16 = 17;
const FILE_OFFSET: u16 = 18;
const DATA: u16 = 19;
const CLONE_LEN: u16 = 24;
const UNENCODED_FILE_LEN: u16 = 27;

// === impl Commands ===

impl<R: Read> Commands<R> {
    /// Reads the beginning of a stream.
    pub(super) fn new(mut stream: R) -> Result<Self, Fault> {
        let mut head = [0; MAGIC.len() + 4];
        stream.read_exact(&mut head)?;
        let (magic, version) = head.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(Fault::Magic);
        }
        let version = number(version) as u32;
        if !VERSIONS.contains(&version) {
            return Err(Fault::Version(version));
        }
        Ok(Self { stream, version, buffer: Vec::new() })
    }

    /// The next command; `None` at the end that the stream says.
    pub(super) fn next(&mut self) -> Result<Option<Command<'_>>, Fault> {
        let mut head = [0; 10];
        self.stream.read_exact(&mut head)?;
        let (length, command) = (number(&head[..4]) as usize, number(&head[4..6]) as u16);
        if length > LARGEST {
            return Err(Fault::Large(length));
        }
        self.buffer.resize(length, 0);
        self.stream.read_exact(&mut self.buffer)?;
        let attributes = Attributes { command, version: self.version, bytes: &self.buffer };
        match command {
            END => Ok(None),
            _ => attributes.command().map(Some),
        }
    }
}

// === impl Attributes ===

impl<'a> Attributes<'a> {
    fn command(&self) -> Result<Command<'a>, Fault> {
        let change = |size| -> Result<_, Fault> {
            Ok(Command::Change { path: self.get(PATH)?, offset: self.number(FILE_OFFSET)?, size })
        };
        Ok(match self.command {
            RENAME => Command::Rename { path: self.get(PATH)?, to: self.get(PATH_TO)? },
            LINK => Command::Link { path: self.get(PATH_LINK)?, to: self.get(PATH)? },
            UNLINK => Command::Unlink { path: self.get(PATH)? },
            WRITE => change(self.get(DATA)?.len() as u64)?,
            CLONE => change(self.number(CLONE_LEN)?)?,
            UPDATE_EXTENT | FALLOCATE => change(self.number(SIZE)?)?,
            ENCODED_WRITE => change(self.number(UNENCODED_FILE_LEN)?)?,
            TRUNCATE => Command::Truncate { path: self.get(PATH)?, size: self.number(SIZE)? },
            _ => Command::Other,
        })
    }

    /// The value of an attribute.
    fn get(&self, wanted: u16) -> Result<&'a [u8], Fault> {
        let (command, mut rest) = (self.command, self.bytes);
        while !rest.is_empty() {
            let (kind, after) = rest.split_first_chunk::<2>().ok_or(Fault::Attribute(command))?;
            let kind = u16::from_le_bytes(*kind);
            let value = if kind == DATA && self.version > 1 {
                rest = &[];
                after
            } else {
                let (length, after) = after.split_first_chunk::<2>().ok_or(Fault::Attribute(command))?;
                let length = usize::from(u16::from_le_bytes(*length));
                let (value, after) = after.split_at_checked(length).ok_or(Fault::Attribute(command))?;
                rest = after;
                value
            };
            if kind == wanted {
                return Ok(value);
            }
        }
        Err(Fault::Missing { command, attribute: wanted })
    }

    fn number(&self, wanted: u16) -> Result<u64, Fault> {
        let value = self.get(wanted)?;
        if value.len() == 8 { Ok(number(value)) } else { Err(Fault::Attribute(self.command)) }
    }
}

/// A number of up to eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A command's number, and its attributes.
    type Made<'a> = (u16, &'a [(u16, &'a [u8])]);

    fn stream(version: u32, commands: &[Made<'_>]) -> Vec<u8> {
        let mut stream = [MAGIC.as_slice(), &version.to_le_bytes()].concat();
        for (command, attributes) in commands {
            let mut body = Vec::new();
            for (kind, value) in *attributes {
                body.extend(kind.to_le_bytes());
                if *kind != DATA || version == 1 {
                    body.extend((value.len() as u16).to_le_bytes());
                }
                body.extend(*value);
            }
            stream.extend((body.len() as u32).to_le_bytes());
            stream.extend(command.to_le_bytes());
            stream.extend([0; 4]);
            stream.extend(body);
        }
        stream
    }

    /// Reads all there is; never more than there is.
    fn drain(stream: &[u8]) -> Result<usize, Fault> {
        let mut commands = Commands::new(stream)?;
        let mut count = 0;
        while commands.next()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    #[test]
    fn commands_are_read_in_both_versions() {
        let (offset, size) = (4096u64.to_le_bytes(), 65_536u64.to_le_bytes());
        for version in [1, 2] {
            let stream = stream(
                version,
                &[
                    (RENAME, &[(PATH, b"a"), (PATH_TO, b"b")]),
                    (LINK, &[(PATH, b"c"), (PATH_LINK, b"b")]),
                    (20, &[(PATH, b"c")]),
                    (WRITE, &[(PATH, b"b"), (FILE_OFFSET, &offset), (DATA, &[7; 300])]),
                    (UPDATE_EXTENT, &[(PATH, b"b"), (FILE_OFFSET, &offset), (SIZE, &size)]),
                    (TRUNCATE, &[(PATH, b"b"), (SIZE, &size)]),
                    (END, &[]),
                ],
            );
            let mut commands = Commands::new(stream.as_slice()).unwrap();
            let mut next = |expected: Command<'_>| assert_eq!(commands.next().unwrap(), Some(expected));
            next(Command::Rename { path: b"a", to: b"b" });
            next(Command::Link { path: b"b", to: b"c" });
            next(Command::Other);
            next(Command::Change { path: b"b", offset: 4096, size: 300 });
            next(Command::Change { path: b"b", offset: 4096, size: 65_536 });
            next(Command::Truncate { path: b"b", size: 65_536 });
            assert_eq!(commands.next().unwrap(), None);
        }
    }

    #[test]
    fn a_stream_without_its_end_is_a_fault() {
        let whole = stream(1, &[(UNLINK, &[(PATH, b"a")]), (END, &[])]);
        assert_eq!(drain(&whole).unwrap(), 1);
        for length in 0..whole.len() {
            assert!(drain(&whole[..length]).is_err(), "{length}");
        }
        assert!(matches!(drain(&stream(9, &[])), Err(Fault::Version(9))));
        assert!(matches!(drain(&stream(1, &[(UNLINK, &[])])), Err(Fault::Missing { .. })));
    }

    proptest! {
        #[test]
        fn no_stream_makes_it_panic(
            version in 1u32..3,
            commands in proptest::collection::vec(
                (0u16..30, proptest::collection::vec((0u16..30, proptest::collection::vec(any::<u8>(), 0..12)), 0..4)), 0..6),
            noise in proptest::collection::vec(any::<(proptest::sample::Index, u8)>(), 0..8),
            garbage in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let borrowed: Vec<Vec<(u16, &[u8])>> = commands.iter()
                .map(|(_, attributes)| attributes.iter().map(|(kind, value)| (*kind, value.as_slice())).collect()).collect();
            let list: Vec<_> = commands.iter().zip(&borrowed).map(|((command, _), attributes)| (*command, attributes.as_slice())).collect();
            let mut made = stream(version, &list);
            let _ = drain(&made);
            for (place, byte) in noise {
                let place = place.index(made.len());
                made[place] = byte;
            }
            let _ = drain(&made);
            let _ = drain(&garbage);
            let _ = drain(&[made.as_slice(), &garbage].concat());
        }
    }
}
