//! What an actor has to say of an object after its answer has begun.

use machinery::status::Status;
use serde_json::Value;

use crate::{context::Context, error::Failure, strategy::By, verbs};

/// Writes the status of the object that a call named, by the rules of an update of its `status`.
pub struct StatusWriter {
    context: Context,
}

// === impl StatusWriter ===

impl StatusWriter {
    pub(crate) fn new(mut context: Context) -> Self {
        context.path.subresource = Some("status".to_owned());
        Self { context }
    }

    /// Gives the object the status that `make` makes of it as it is now; `None` leaves it as it is. `manager` is who will
    /// own the fields. Whoever is faster is not overwritten: `make` runs again, on what they left.
    pub async fn update(
        &self,
        manager: &str,
        mut make: impl FnMut(&Value) -> Option<Value> + Send,
    ) -> Result<(), Status> {
        let context = &self.context;
        let by = By { manager, status: true, recorded: false, now: context.api.clock().now() };
        let changed = async {
            let key = context.key()?;
            let how = verbs::Changing { by, dry_run: false, asked: None };
            verbs::change(context, &key, &how, |old| match make(old) {
                Some(status) => {
                    let mut new = old.clone();
                    new["status"] = status;
                    Ok(new)
                }
                None => Ok(old.clone()),
            })
            .await
        };
        changed.await.map(|_| ()).map_err(|Failure(status)| *status)
    }
}
