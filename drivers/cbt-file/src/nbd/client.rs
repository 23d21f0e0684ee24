//! A client: one connection, one question at a time, all of it blocking and none of it for longer than somebody waits.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use super::wire::{self, Chunk, OptionReply};
use crate::{cancel::Cancel, patient::Patient};

/// How long a server may say nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to a server.
#[derive(Debug)]
pub(crate) struct Client<S = Patient<UnixStream>> {
    stream: S,
    size: u64,
    /// The number of the context that was asked for.
    context: Option<u32>,
    cookie: u64,
}

/// A part of an export, and what the context says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) length: u64,
    pub(crate) flags: u32,
}

/// Why a server has no answer. After any of these the connection is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// It went away, or is too slow.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It says what no server may say.
    #[error("it {0}")]
    Protocol(&'static str),
    /// It says that it cannot.
    #[error("it answers with error {0}")]
    Refused(u32),
    /// It has not the context that was asked for.
    #[error("it has no {0}")]
    NoContext(String),
}

// === impl Client ===

impl Client {
    /// Connects to the socket at `path`, to ask about `context`.
    pub(crate) fn connect(path: &Path, context: &str, cancel: &Cancel) -> Result<Self, Fault> {
        Self::start(Patient::new(UnixStream::connect(path)?, cancel, PATIENCE), context)
    }
}

impl<S: Read + Write> Client<S> {
    /// Shakes hands.
    pub(crate) fn start(stream: S, context: &str) -> Result<Self, Fault> {
        let mut client = Self { stream, size: 0, context: None, cookie: 0 };
        client.greet()?;
        client.option(wire::OPT_STRUCTURED_REPLY, &[])?;
        client.option(wire::OPT_SET_META_CONTEXT, &wire::set_meta_context(context))?;
        if client.context.is_none() {
            return Err(Fault::NoContext(context.to_owned()));
        }
        client.option(wire::OPT_GO, &wire::go())?;
        Ok(client)
    }

    /// The size of the export in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Fills `buffer` with what is at `offset`.
    pub(crate) fn read(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), Fault> {
        let end = offset + buffer.len() as u64;
        let mut left = buffer.len();
        self.request(wire::CMD_READ, offset, buffer.len() as u32)?;
        loop {
            let Chunk { done, kind, length, .. } = self.chunk()?;
            match kind {
                wire::CHUNK_DATA | wire::CHUNK_HOLE => {
                    let head = if kind == wire::CHUNK_DATA { 8 } else { 12 };
                    if length < head || (kind == wire::CHUNK_HOLE && length != head) {
                        return Err(Fault::Protocol("sends data of a wrong length"));
                    }
                    let at = wire::u64(&mut self.stream)?;
                    let size = if kind == wire::CHUNK_DATA { length - head } else { wire::u32(&mut self.stream)? };
                    let inside = at >= offset && at.checked_add(size.into()).is_some_and(|to| to <= end);
                    left = left
                        .checked_sub(size as usize)
                        .filter(|_| inside)
                        .ok_or(Fault::Protocol("sends data that was not asked for"))?;
                    let place = &mut buffer[(at - offset) as usize..][..size as usize];
                    match kind {
                        wire::CHUNK_DATA => self.stream.read_exact(place)?,
                        _ => place.fill(0),
                    }
                }
                _ => self.neither(kind, length)?,
            }
            match (done, left) {
                (true, 0) => return Ok(()),
                (true, _) => return Err(Fault::Protocol("sends less data than was asked for")),
                (false, _) => {}
            }
        }
    }

    /// What the context says from `offset` on, for `length` bytes or less, but for some.
    pub(crate) fn status(&mut self, offset: u64, length: u32) -> Result<Vec<Extent>, Fault> {
        let mut extents = Vec::new();
        self.request(wire::CMD_BLOCK_STATUS, offset, length)?;
        loop {
            let chunk = self.chunk()?;
            match chunk.kind {
                wire::CHUNK_BLOCK_STATUS => {
                    let sound = (12..=wire::LARGEST_STATUS).contains(&chunk.length) && chunk.length % 8 == 4;
                    if !sound || !extents.is_empty() {
                        return Err(Fault::Protocol("answers a question about blocks with a wrong length"));
                    }
                    let told = wire::take(&mut self.stream, chunk.length)?;
                    extents = decode(&told, self.context)?;
                }
                kind => self.neither(kind, chunk.length)?,
            }
            if chunk.done {
                break;
            }
        }
        // The last may reach further than was asked.
        let mut left = u64::from(length);
        for extent in &mut extents {
            extent.length = extent.length.min(left);
            left -= extent.length;
        }
        extents.retain(|extent| extent.length > 0);
        if extents.is_empty() {
            return Err(Fault::Protocol("does not answer a question about blocks"));
        }
        Ok(extents)
    }

    fn greet(&mut self) -> Result<(), Fault> {
        if (wire::u64(&mut self.stream)?, wire::u64(&mut self.stream)?) != (wire::NBD_MAGIC, wire::OPTION_MAGIC) {
            return Err(Fault::Protocol("is no NBD server"));
        }
        if wire::u16(&mut self.stream)? & wire::HANDSHAKE_FLAGS != wire::HANDSHAKE_FLAGS {
            return Err(Fault::Protocol("is too old"));
        }
        self.stream.write_all(&u32::from(wire::HANDSHAKE_FLAGS).to_be_bytes())?;
        Ok(())
    }

    /// Sends an option and reads its replies up to the last.
    fn option(&mut self, option: u32, data: &[u8]) -> Result<(), Fault> {
        self.stream.write_all(&wire::option(option, data))?;
        loop {
            let reply = OptionReply::read(&mut self.stream)?;
            let reply = reply.filter(|reply| reply.option == option && reply.length <= wire::LARGEST_OPTION);
            let OptionReply { kind, length, .. } = reply.ok_or(Fault::Protocol("does not answer an option"))?;
            let told = wire::take(&mut self.stream, length)?;
            match kind {
                wire::REP_ACK => return Ok(()),
                wire::REP_META_CONTEXT => self.context = told.first_chunk().map(|id| u32::from_be_bytes(*id)),
                wire::REP_INFO => self.info(&told)?,
                kind if kind & wire::REP_ERROR != 0 => return Err(Fault::Refused(kind)),
                _ => return Err(Fault::Protocol("answers an option with something else")),
            }
        }
    }

    fn info(&mut self, mut told: &[u8]) -> Result<(), Fault> {
        if wire::u16(&mut told)? == wire::INFO_EXPORT {
            self.size = wire::u64(&mut told)?;
            if i64::try_from(self.size).is_err() {
                return Err(Fault::Protocol("has an export that is too large"));
            }
        }
        Ok(())
    }

    fn request(&mut self, command: u16, offset: u64, length: u32) -> Result<(), Fault> {
        self.cookie += 1;
        self.stream.write_all(&wire::request(command, self.cookie, offset, length))?;
        Ok(())
    }

    /// The head of the next part of the reply to the last request.
    fn chunk(&mut self) -> Result<Chunk, Fault> {
        let chunk = Chunk::read(&mut self.stream)?.filter(|chunk| chunk.cookie == self.cookie);
        chunk.ok_or(Fault::Protocol("answers something that was not asked"))
    }

    /// Reads a part that is not what was asked for: nothing, or an error.
    fn neither(&mut self, kind: u16, length: u32) -> Result<(), Fault> {
        match kind {
            wire::CHUNK_NONE if length == 0 => Ok(()),
            kind if kind & wire::CHUNK_ERROR != 0 && (6..=wire::LARGEST_ERROR).contains(&length) => {
                let told = wire::take(&mut self.stream, length)?;
                Err(Fault::Refused(wire::u32(&mut told.as_slice())?))
            }
            _ => Err(Fault::Protocol("answers with something that was not asked for")),
        }
    }
}

/// The extents of an answer, which must be about `context`.
fn decode(told: &[u8], context: Option<u32>) -> Result<Vec<Extent>, Fault> {
    let (id, extents) = told.split_first_chunk().ok_or(Fault::Protocol("says nothing of blocks"))?;
    if Some(u32::from_be_bytes(*id)) != context {
        return Err(Fault::Protocol("answers about something else"));
    }
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
    let (extents, _) = extents.as_chunks::<8>();
    Ok(extents
        .iter()
        .map(|extent| Extent { length: number(&extent[..4]).into(), flags: number(&extent[4..]) })
        .collect())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    /// A server that says what it says, whatever it is asked.
    #[derive(Debug)]
    struct Script(Cursor<Vec<u8>>);

    impl Read for Script {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl Write for Script {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            Ok(buffer.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const CONTEXT: u32 = 7;

    fn reply(option: u32, kind: u32, data: &[u8]) -> Vec<u8> {
        let numbers = [option, kind, data.len() as u32].map(u32::to_be_bytes).concat();
        [&wire::OPTION_REPLY_MAGIC.to_be_bytes()[..], &numbers, data].concat()
    }

    /// What a good server says up to the first question.
    fn handshake(size: u64) -> Vec<u8> {
        let info = [&wire::INFO_EXPORT.to_be_bytes()[..], &size.to_be_bytes(), &[0; 2]].concat();
        [
            wire::NBD_MAGIC.to_be_bytes().to_vec(),
            wire::OPTION_MAGIC.to_be_bytes().to_vec(),
            wire::HANDSHAKE_FLAGS.to_be_bytes().to_vec(),
            reply(wire::OPT_STRUCTURED_REPLY, wire::REP_ACK, &[]),
            reply(wire::OPT_SET_META_CONTEXT, wire::REP_META_CONTEXT, &[&CONTEXT.to_be_bytes()[..], b"x:y"].concat()),
            reply(wire::OPT_SET_META_CONTEXT, wire::REP_ACK, &[]),
            reply(wire::OPT_GO, wire::REP_INFO, &info),
            reply(wire::OPT_GO, wire::REP_ACK, &[]),
        ]
        .concat()
    }

    fn chunk(kind: u16, done: bool, cookie: u64, data: &[u8]) -> Vec<u8> {
        let head = [&wire::CHUNK_MAGIC.to_be_bytes()[..], &u16::from(done).to_be_bytes(), &kind.to_be_bytes()].concat();
        [&head[..], &cookie.to_be_bytes(), &(data.len() as u32).to_be_bytes(), data].concat()
    }

    fn status(extents: &[(u32, u32)]) -> Vec<u8> {
        let extents = extents.iter().flat_map(|&(length, flags)| [length, flags]);
        std::iter::once(CONTEXT).chain(extents).flat_map(u32::to_be_bytes).collect()
    }

    fn client(answers: &[Vec<u8>]) -> Result<Client<Script>, Fault> {
        Client::start(Script(Cursor::new([handshake(1 << 30), answers.concat()].concat())), "x:y")
    }

    fn data(offset: u64, data: &[u8]) -> Vec<u8> {
        [&offset.to_be_bytes()[..], data].concat()
    }

    #[test]
    fn a_read_is_put_together_from_its_parts() {
        let hole = data(104, &4u32.to_be_bytes());
        let mut client = client(&[
            chunk(wire::CHUNK_DATA, false, 1, &data(108, &[8; 2])),
            chunk(wire::CHUNK_HOLE, false, 1, &hole),
            chunk(wire::CHUNK_DATA, false, 1, &data(100, &[9; 4])),
            chunk(wire::CHUNK_NONE, true, 1, &[]),
        ])
        .unwrap();
        assert_eq!(client.size(), 1 << 30);
        let mut buffer = [1; 10];
        client.read(100, &mut buffer).unwrap();
        assert_eq!(buffer, [9, 9, 9, 9, 0, 0, 0, 0, 8, 8]);
    }

    #[test]
    fn a_read_that_is_not_what_was_asked_for_is_a_fault() {
        let long = data(u64::MAX, &[1; 4]);
        for answer in [
            chunk(wire::CHUNK_DATA, true, 1, &data(100, &[1; 9])),
            chunk(wire::CHUNK_DATA, true, 1, &data(100, &[1; 11])),
            chunk(wire::CHUNK_DATA, true, 1, &data(99, &[1; 10])),
            chunk(wire::CHUNK_DATA, true, 1, &long),
            chunk(wire::CHUNK_DATA, true, 2, &data(100, &[1; 10])),
            chunk(wire::CHUNK_HOLE, true, 1, &data(100, &u32::MAX.to_be_bytes())),
            chunk(wire::CHUNK_DATA, true, 1, &[1; 7]),
            chunk(wire::CHUNK_NONE, true, 1, &[]),
            chunk(wire::CHUNK_NONE, true, 1, &[1]),
            chunk(wire::CHUNK_BLOCK_STATUS, true, 1, &status(&[(10, 0)])),
            chunk(99, true, 1, &[]),
            vec![0; 20],
        ] {
            let fault = client(std::slice::from_ref(&answer)).unwrap().read(100, &mut [0; 10]).unwrap_err();
            assert!(matches!(fault, Fault::Protocol(_)), "{answer:?}: {fault:?}");
        }
        let error = chunk(wire::CHUNK_ERROR | 1, true, 1, &[0, 0, 0, 5, 0, 0]);
        assert!(matches!(client(&[error]).unwrap().read(0, &mut [0; 1]), Err(Fault::Refused(5))));
    }

    #[test]
    fn a_server_that_dies_is_noticed_wherever_it_was() {
        let whole = [handshake(1 << 20), chunk(wire::CHUNK_DATA, true, 1, &data(0, &[1; 10]))].concat();
        for length in 0..whole.len() {
            let started = Client::start(Script(Cursor::new(whole[..length].to_vec())), "x:y");
            let read = started.and_then(|mut client| client.read(0, &mut [0; 10]));
            assert!(matches!(read, Err(Fault::Io(_))), "{length}: {read:?}");
        }
    }

    #[test]
    fn an_answer_about_blocks_ends_where_the_question_did() {
        let ask = |extents: &[(u32, u32)]| {
            let answer = chunk(wire::CHUNK_BLOCK_STATUS, true, 1, &status(extents));
            let extents = client(&[answer]).unwrap().status(0, 100)?;
            Ok::<_, Fault>(extents.iter().map(|extent| (extent.length, extent.flags)).collect::<Vec<_>>())
        };
        assert_eq!(ask(&[(10, 3), (20, 0)]).unwrap(), [(10, 3), (20, 0)]);
        assert_eq!(ask(&[(10, 3), (4_000_000_000, 0), (5, 1)]).unwrap(), [(10, 3), (90, 0)]);
        // It would be asked again for ever.
        assert!(matches!(ask(&[]), Err(Fault::Protocol(_))));
        assert!(matches!(ask(&[(0, 0)]), Err(Fault::Protocol(_))));
        let other = chunk(wire::CHUNK_BLOCK_STATUS, true, 1, &[0; 12]);
        assert!(matches!(client(&[other]).unwrap().status(0, 100), Err(Fault::Protocol(_))));
    }

    #[test]
    fn a_context_that_is_not_there_is_said() {
        let said = [&handshake(1)[..38], &reply(wire::OPT_SET_META_CONTEXT, wire::REP_ACK, &[])].concat();
        let refused = Client::start(Script(Cursor::new(said)), "qemu:dirty-bitmap:monday").unwrap_err();
        assert!(matches!(&refused, Fault::NoContext(context) if context.ends_with("monday")), "{refused:?}");
    }

    proptest! {
        #[test]
        fn no_server_makes_it_panic(
            noise in proptest::collection::vec(any::<(proptest::sample::Index, u8)>(), 0..6),
            garbage in proptest::collection::vec(any::<u8>(), 0..200),
            kinds in proptest::collection::vec((0u16..8, any::<bool>(), proptest::collection::vec(any::<u8>(), 0..40)), 0..5),
        ) {
            let chunks: Vec<u8> = kinds.iter().flat_map(|(kind, done, data)| chunk(*kind, *done, 1, data)).collect();
            let mut noisy = [handshake(1 << 30), chunks.clone()].concat();
            for (place, byte) in noise {
                let place = place.index(noisy.len());
                noisy[place] = byte;
            }
            for said in [noisy, garbage.clone(), [handshake(1 << 30), garbage].concat(), [handshake(5), chunks].concat()] {
                if let Ok(mut client) = Client::start(Script(Cursor::new(said.clone())), "x:y") {
                    let _ = client.read(3, &mut [0; 30]);
                }
                if let Ok(mut client) = Client::start(Script(Cursor::new(said)), "x:y") {
                    let _ = client.status(0, 1000);
                }
            }
        }
    }
}
