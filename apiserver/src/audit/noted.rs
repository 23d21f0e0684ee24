//! What admission notes for the audit log.

use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use http::Response;

use super::{Annotations, policy::Level};

/// Annotations of one request's event.
#[derive(Debug, Default)]
pub(crate) struct Noted(Mutex<Annotations>);

// === impl Noted ===

impl Noted {
    /// Adds some. What was noted first under a key stays.
    pub(crate) fn add(&self, annotations: impl IntoIterator<Item = (String, String)>) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in annotations {
            noted.0.entry(key).or_insert(value);
        }
    }

    /// Puts them on the answer, for the log.
    pub(crate) fn send(&self, response: &mut Response<Body>) {
        let noted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if !noted.0.is_empty() {
            response.extensions_mut().get_or_insert_default::<Annotations>().0.extend(noted.0);
        }
    }
}

/// Whether an annotation is for an event of this level: what webhooks changed is as much a part of the object as the rest.
pub(super) fn is_told(key: &str, level: Level) -> bool {
    !key.starts_with("patch.webhook.admission.k8s.io/") || level >= Level::Request
}
