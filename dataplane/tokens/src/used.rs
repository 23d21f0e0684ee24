//! When tokens were last used: noted in memory by every review, written now and then.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use machinery::time::Timestamp;
use proto::store::Key as Place;
use runtime::Shutdown;

use crate::Tokens;

/// So many tokens are noted at most between two writings; of the others it is not known.
const AT_MOST: usize = 100_000;

/// Which tokens were used since it was last written down.
#[derive(Debug, Default)]
pub struct Used(Mutex<BTreeMap<Place, Timestamp>>);

// === impl Used ===

impl Used {
    pub(crate) fn note(&self, place: Place, now: Timestamp) {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() < AT_MOST || used.contains_key(&place) {
            used.insert(place, now);
        }
    }

    fn take(&self) -> BTreeMap<Place, Timestamp> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes down every `interval`, and at the end. A token is written once for all its uses in between, one token after the
/// other: however many reviews there are, that is at most one write at a time.
pub(crate) async fn run(tokens: Tokens, used: Arc<Used>, interval: Duration, shutdown: Shutdown) {
    let mut draining = std::pin::pin!(shutdown.draining());
    loop {
        let last = tokio::select! {
            () = &mut draining => true,
            () = tokio::time::sleep(interval) => false,
        };
        for (place, at) in used.take() {
            if let Err(error) = tokens.touch(&place, at).await {
                tracing::debug!(k8s.name = %place.name, "could not note when {place} was last used: {error}");
            }
        }
        if last {
            return;
        }
    }
}
