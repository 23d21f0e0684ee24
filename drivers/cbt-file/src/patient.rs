//! Reading from another process without waiting for it longer than somebody waits for us.

use std::{
    io::{self, Read, Write},
    os::fd::AsFd,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

use crate::cancel::Cancel;

/// How often it is asked whether somebody still waits.
const TICK: Duration = Duration::from_millis(20);

/// A pipe or a socket that is given up when nobody waits, or after so long without a word.
#[derive(Debug)]
pub(crate) struct Patient<T> {
    inner: T,
    cancel: Cancel,
    patience: Duration,
}

// === impl Patient ===

impl<T: AsFd> Patient<T> {
    pub(crate) fn new(inner: T, cancel: &Cancel, patience: Duration) -> Self {
        Self { inner, cancel: cancel.clone(), patience }
    }

    fn wait(&self, flags: PollFlags) -> io::Result<()> {
        let tick = Timespec { tv_sec: 0, tv_nsec: TICK.as_nanos() as i64 };
        let mut waited = Duration::ZERO;
        while waited < self.patience {
            self.cancel.check().map_err(io::Error::other)?;
            match poll(&mut [PollFd::new(&self.inner, flags)], Some(&tick)) {
                Ok(0) => waited += TICK,
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, format!("nothing came for {} s", self.patience.as_secs())))
    }
}

impl<T: Read + AsFd> Read for Patient<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait(PollFlags::IN)?;
        self.inner.read(buffer)
    }
}

impl<T: Write + AsFd> Write for Patient<T> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.wait(PollFlags::OUT)?;
        self.inner.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
