//! What goes over the socket, as <https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md> defines it: fixed
//! newstyle, structured replies. All numbers are big-endian.

use std::io::{self, Read};

/// What a server says first, and what each option begins with.
pub(super) const NBD_MAGIC: u64 = 0x4e42_444d_4147_4943;
pub(super) const OPTION_MAGIC: u64 = 0x4948_4156_454f_5054;
/// What the reply to an option begins with.
pub(super) const OPTION_REPLY_MAGIC: u64 = 0x0003_e889_0455_65a9;
/// What a request, and a part of a structured reply, begins with.
pub(super) const REQUEST_MAGIC: u32 = 0x2560_9513;
pub(super) const CHUNK_MAGIC: u32 = 0x668e_33ef;

/// Flags of the handshake, which server and client must both set: fixed newstyle, no padding.
pub(super) const HANDSHAKE_FLAGS: u16 = 0b11;

/// Options.
pub(super) const OPT_GO: u32 = 7;
pub(super) const OPT_STRUCTURED_REPLY: u32 = 8;
pub(super) const OPT_SET_META_CONTEXT: u32 = 10;

/// Replies to options. Errors have the highest bit.
pub(super) const REP_ACK: u32 = 1;
pub(super) const REP_INFO: u32 = 3;
pub(super) const REP_META_CONTEXT: u32 = 4;
pub(super) const REP_ERROR: u32 = 1 << 31;
/// The kind of information that has the size.
pub(super) const INFO_EXPORT: u16 = 0;

/// Commands.
pub(super) const CMD_READ: u16 = 0;
pub(super) const CMD_BLOCK_STATUS: u16 = 7;

/// Kinds of parts of a reply. Errors have the highest bit.
pub(super) const CHUNK_NONE: u16 = 0;
pub(super) const CHUNK_DATA: u16 = 1;
pub(super) const CHUNK_HOLE: u16 = 2;
pub(super) const CHUNK_BLOCK_STATUS: u16 = 5;
pub(super) const CHUNK_ERROR: u16 = 1 << 15;
/// The flag of a reply's last part.
pub(super) const DONE: u16 = 1;

/// The largest answer to an option, in bytes: a few names.
pub(super) const LARGEST_OPTION: u32 = 64 << 10;
/// The largest part of an answer to a question about blocks, in bytes: half a million extents.
pub(super) const LARGEST_STATUS: u32 = 4 << 20;
/// The largest text of an error, in bytes.
pub(super) const LARGEST_ERROR: u32 = 4 << 10;

/// A reply to an option, without its text.
#[derive(Debug)]
pub(super) struct OptionReply {
    pub(super) option: u32,
    pub(super) kind: u32,
    pub(super) length: u32,
}

/// The head of a part of a reply.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) done: bool,
    pub(super) kind: u16,
    pub(super) cookie: u64,
    pub(super) length: u32,
}

/// An option as it is sent.
pub(super) fn option(option: u32, data: &[u8]) -> Vec<u8> {
    let length = data.len() as u32;
    [&OPTION_MAGIC.to_be_bytes()[..], &option.to_be_bytes(), &length.to_be_bytes(), data].concat()
}

/// The data of [`OPT_GO`] for the export without a name.
pub(super) fn go() -> Vec<u8> {
    vec![0; 6]
}

/// The data of [`OPT_SET_META_CONTEXT`] for one context of the export without a name.
pub(super) fn set_meta_context(context: &str) -> Vec<u8> {
    let length = context.len() as u32;
    [&0u32.to_be_bytes()[..], &1u32.to_be_bytes(), &length.to_be_bytes(), context.as_bytes()].concat()
}

/// A request as it is sent.
pub(super) fn request(command: u16, cookie: u64, offset: u64, length: u32) -> Vec<u8> {
    let head = [&REQUEST_MAGIC.to_be_bytes()[..], &0u16.to_be_bytes(), &command.to_be_bytes()].concat();
    [&head[..], &cookie.to_be_bytes(), &offset.to_be_bytes(), &length.to_be_bytes()].concat()
}

// === impl OptionReply ===

impl OptionReply {
    /// `None` if it is none.
    pub(super) fn read(stream: &mut impl Read) -> io::Result<Option<Self>> {
        if u64(stream)? != OPTION_REPLY_MAGIC {
            return Ok(None);
        }
        Ok(Some(Self { option: u32(stream)?, kind: u32(stream)?, length: u32(stream)? }))
    }
}

// === impl Chunk ===

impl Chunk {
    /// `None` if it is none.
    pub(super) fn read(stream: &mut impl Read) -> io::Result<Option<Self>> {
        if u32(stream)? != CHUNK_MAGIC {
            return Ok(None);
        }
        let (flags, kind) = (u16(stream)?, u16(stream)?);
        Ok(Some(Self { done: flags & DONE != 0, kind, cookie: u64(stream)?, length: u32(stream)? }))
    }
}

pub(super) fn u16(stream: &mut impl Read) -> io::Result<u16> {
    bytes(stream).map(u16::from_be_bytes)
}

pub(super) fn u32(stream: &mut impl Read) -> io::Result<u32> {
    bytes(stream).map(u32::from_be_bytes)
}

pub(super) fn u64(stream: &mut impl Read) -> io::Result<u64> {
    bytes(stream).map(u64::from_be_bytes)
}

fn bytes<const N: usize>(stream: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// So many bytes.
pub(super) fn take(stream: &mut impl Read, length: u32) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length as usize];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}
