//! What a server serves: an image that can be read by several threads, and what a context says of all of it.

use std::{
    ops::Range,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use proto::cbt::{Error, Result};

use super::{
    client::{Client, Extent, Fault},
    server::Server,
};
use crate::{
    cancel::Cancel,
    file::File,
    image::Image,
    ranges::{Ask, Ranges, Step},
};

/// The context that says what is allocated, and its flag for what reads as zeros.
const ALLOCATION: &str = "base:allocation";
const ZERO: u32 = 0b10;
/// How much is asked about at once, in bytes. Ranges are cut here.
const WINDOW: u64 = 1 << 30;

/// An image behind a server. Each thread that reads has a connection of its own.
#[derive(Debug)]
pub(crate) struct Export {
    /// Kept for as long as somebody reads.
    _server: Option<Arc<Server>>,
    /// What is served.
    files: Vec<Arc<File>>,
    socket: PathBuf,
    subject: String,
    size: u64,
    idle: Mutex<Vec<Client>>,
    cancel: Cancel,
}

/// Whether what a context says of an extent is wanted.
pub(crate) type Wanted = Box<dyn Fn(u32) -> bool + Send>;

/// The ranges of which a context says what is wanted.
pub(crate) struct Statuses {
    export: Arc<Export>,
    client: Client,
    wanted: Wanted,
    at: u64,
    found: std::vec::IntoIter<Range<u64>>,
}

// === impl Export ===

impl Export {
    /// What `server` serves of `files`.
    pub(crate) fn new(server: Arc<Server>, files: Vec<Arc<File>>, subject: &str, cancel: &Cancel) -> Result<Self> {
        let export = Self::at(server.socket().to_owned(), subject, cancel)?;
        Ok(Self { _server: Some(server), files, ..export })
    }

    /// What is served on a socket.
    pub(crate) fn at(socket: PathBuf, subject: &str, cancel: &Cancel) -> Result<Self> {
        let (subject, cancel) = (subject.to_owned(), cancel.clone());
        let mut export =
            Self { _server: None, files: Vec::new(), socket, subject, size: 0, idle: Mutex::default(), cancel };
        let client = export.connect(ALLOCATION)?;
        export.size = client.size();
        export.idle = Mutex::new(vec![client]);
        Ok(export)
    }

    /// The ranges of which `context` says what is `wanted`.
    pub(crate) fn statuses(self: &Arc<Self>, context: &str, wanted: Wanted, ask: Ask) -> Result<Statuses> {
        let client = self.connect(context)?;
        let at = ask.start / WINDOW * WINDOW;
        Ok(Statuses { export: Arc::clone(self), client, wanted, at, found: Vec::new().into_iter() })
    }

    fn connect(&self, context: &str) -> Result<Client> {
        Client::connect(&self.socket, context, &self.cancel).map_err(|fault| self.fault(&fault))
    }

    /// Asks on an idle connection; one that failed is not used again.
    fn with<T>(&self, ask: impl FnOnce(&mut Client) -> Result<T, Fault>) -> Result<T> {
        self.cancel.check()?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut client = idle.map_or_else(|| self.connect(ALLOCATION), Ok)?;
        let answer = ask(&mut client).map_err(|fault| self.fault(&fault))?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(client);
        Ok(answer)
    }

    fn fault(&self, fault: &Fault) -> Error {
        if let Err(cancelled) = self.cancel.check() {
            return cancelled;
        }
        let what = format!("{} cannot be read: the NBD server of it went wrong: {fault}", self.subject);
        match fault {
            Fault::Io(_) | Fault::Refused(_) => Error::Unavailable(what),
            Fault::Protocol(_) => Error::Broken(what),
            Fault::NoContext(context) => Error::NoDelta(format!("{} has no {context}", self.subject)),
        }
    }
}

impl Image for Export {
    fn size(&self) -> u64 {
        self.size
    }

    fn skip(&self, from: u64) -> Result<Option<u64>> {
        if from >= self.size {
            return Ok(None);
        }
        let extents = self.with(|client| client.status(from, length(from, self.size)))?;
        let zeros: u64 = extents.iter().take_while(|extent| extent.flags & ZERO != 0).map(|extent| extent.length).sum();
        Ok((from + zeros < self.size).then_some(from + zeros))
    }

    fn data(&self, within: Range<u64>) -> Result<Vec<Range<u64>>> {
        let within = within.start..within.end.min(self.size);
        let ask = |at, end| self.with(|client| client.status(at, length(at, end)));
        collect(within, &|flags| flags & ZERO == 0, ask)
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let inside = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX).min(buffer.len());
        let (data, beyond) = buffer.split_at_mut(inside);
        beyond.fill(0);
        if data.is_empty() { Ok(()) } else { self.with(|client| client.read(offset, data)) }
    }

    fn check(&self) -> Result<()> {
        self.cancel.check()?;
        self.files.iter().try_for_each(|file| file.check())
    }
}

// === impl Statuses ===

impl Ranges for Statuses {
    fn step(&mut self) -> Result<Step> {
        if let Some(found) = self.found.next() {
            return Ok(Step::Found(found));
        }
        self.export.check()?;
        let end = self.at.saturating_add(WINDOW).min(self.export.size);
        if self.at >= end {
            return Ok(Step::End);
        }
        let (export, client) = (&self.export, &mut self.client);
        let ask = |at, end| client.status(at, length(at, end)).map_err(|fault| export.fault(&fault));
        self.found = collect(self.at..end, &*self.wanted, ask)?.into_iter();
        self.at = end;
        Ok(self.found.next().map_or(Step::Passed, Step::Found))
    }
}

/// Asks until all of `within` is known, and gives what is wanted of it, what touches as one.
fn collect(
    within: Range<u64>,
    wanted: &dyn Fn(u32) -> bool,
    mut ask: impl FnMut(u64, u64) -> Result<Vec<Extent>>,
) -> Result<Vec<Range<u64>>> {
    let (mut found, mut at): (Vec<Range<u64>>, _) = (Vec::new(), within.start);
    while at < within.end {
        for extent in ask(at, within.end)? {
            let range = at..at + extent.length;
            at = range.end;
            match found.last_mut() {
                _ if !wanted(extent.flags) => {}
                Some(last) if last.end == range.start => last.end = range.end,
                _ => found.push(range),
            }
        }
    }
    Ok(found)
}

/// How much to ask about at once.
fn length(from: u64, end: u64) -> u32 {
    (end - from).min(WINDOW) as u32
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::{io::Read as _, os::unix::net::UnixListener, thread};

    use super::*;

    #[test]
    fn a_server_that_never_answers_is_left_when_nobody_waits() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let listener = UnixListener::bind(&socket).unwrap();
        let server = thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            // Until the client has gone.
            client.read(&mut [0]).unwrap()
        });
        let cancel = Cancel::default();
        let guard = cancel.guard();
        let client = thread::spawn(move || Export::at(socket, "it", &cancel).map(drop));
        drop(guard);
        assert!(matches!(client.join().unwrap(), Err(Error::Unavailable(_))));
        assert_eq!(server.join().unwrap(), 0);
    }

    #[test]
    fn what_is_asked_about_in_parts_is_one_again() {
        let said = [(10, 0), (10, 1), (5, 1), (75, 0), (10, 1), (90, 1)];
        let mut said = said.into_iter().map(|(length, flags)| Extent { length, flags });
        let ask = |_, _| Ok(said.by_ref().take(2).collect());
        assert_eq!(collect(100..300, &|flags| flags == 1, ask).unwrap(), [110..125, 200..300]);
    }
}
