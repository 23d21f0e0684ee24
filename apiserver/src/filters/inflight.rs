//! How many requests are under way at once. Watches do not count, and `system:masters` always get in.

use std::sync::Arc;

use auth::User;
use machinery::status::Status;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{error::Result, request::RequestInfo};

/// Places for requests that read and for requests that write.
pub struct Inflight {
    reading: Arc<Semaphore>,
    writing: Arc<Semaphore>,
}

/// A place that is given back when it is dropped.
pub(super) struct Place(#[expect(dead_code, reason = "held for its drop")] Option<OwnedSemaphorePermit>);

// === impl Inflight ===

impl Inflight {
    /// So many places.
    pub fn new(reading: usize, writing: usize) -> Self {
        Self { reading: Arc::new(Semaphore::new(reading)), writing: Arc::new(Semaphore::new(writing)) }
    }

    /// Takes a place, or refuses with 429.
    pub(super) fn enter(&self, info: &RequestInfo, user: &User) -> Result<Place> {
        if info.long_running() || user.is_master() {
            return Ok(Place(None));
        }
        let places = if info.verb.writes() { &self.writing } else { &self.reading };
        match Arc::clone(places).try_acquire_owned() {
            Ok(permit) => Ok(Place(Some(permit))),
            Err(_) => Err(Status::too_many_requests(
                "too many requests are under way: try again later, or raise --max-requests-inflight and \
                 --max-mutating-requests-inflight",
                1,
            )
            .into()),
        }
    }
}
