//! How blocking work learns that nobody waits for it any more.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use proto::cbt::{Error, Result};

/// Seen by the work. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cancel(Arc<AtomicBool>);

/// Held by who waits; dropping it is the word.
#[derive(Debug)]
pub(crate) struct Guard(Cancel);

// === impl Cancel ===

impl Cancel {
    /// Fails once the guard is gone. Work asks at least every 50 ms.
    pub(crate) fn check(&self) -> Result<()> {
        match self.0.load(Ordering::Relaxed) {
            true => Err(Error::Unavailable("nobody waits for the answer any more".to_owned())),
            false => Ok(()),
        }
    }

    /// What to hold while somebody waits.
    pub(crate) fn guard(&self) -> Guard {
        Guard(self.clone())
    }
}

// === impl Guard ===

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}
