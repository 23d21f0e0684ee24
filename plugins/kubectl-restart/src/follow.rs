//! Follows a restart to its end, through whatever happens to the connection.

use std::time::Duration;

use anyhow::Context as _;
use futures::StreamExt;
use kube::core::WatchEvent;
use plugin::Refusal;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{api::Api, progress::Progress, restart};

/// Between two tries to reach the server.
const PAUSE: Duration = Duration::from_secs(1);
/// A server that cannot be reached for so long will not be waited for.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// Where it ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    /// In one of the last phases.
    Ended(Value),
    /// It was cancelled, and is there no more.
    Gone,
}

/// What a look at the restart says.
enum Seen {
    /// It goes on; this is how it was last.
    Going(Value),
    End(End),
}

/// Shows how far the restart is until it has ended. `restart` is how it is known now, and is kept up to date.
pub(crate) async fn to_the_end(api: &Api, restart: &mut Value, progress: &mut Progress) -> anyhow::Result<End> {
    let mut reached = Instant::now();
    loop {
        progress.at(restart);
        if restart::exit(restart).is_some() {
            return Ok(End::Ended(restart.clone()));
        }
        let seen = match look(api, restart, progress).await {
            Ok(seen) => seen,
            Err(error) if refused(&error) || reached.elapsed() > PATIENCE => return Err(error),
            Err(error) => {
                progress.say(&format!("the server does not answer, trying again: {error}"));
                sleep(PAUSE).await;
                continue;
            }
        };
        reached = Instant::now();
        match seen {
            Seen::Going(now) => *restart = now,
            Seen::End(end) => return Ok(end),
        }
    }
}

/// Watches from what is known for as long as the server lets it, then reads what has become of it.
async fn look(api: &Api, restart: &Value, progress: &mut Progress) -> anyhow::Result<Seen> {
    let (name, mut last) = (restart::name(restart), restart.clone());
    // A watch that ends or breaks is no news: what is read afterwards is.
    if let Ok(events) = api.watch(name, restart::revision(restart)).await {
        let mut events = std::pin::pin!(events);
        while let Some(Ok(event)) = events.next().await {
            match event {
                WatchEvent::Added(now) | WatchEvent::Modified(now) if restart::same(&now, &last) => {
                    last = now;
                    progress.at(&last);
                    if restart::exit(&last).is_some() {
                        return Ok(Seen::Going(last));
                    }
                }
                WatchEvent::Deleted(was) if restart::same(&was, &last) => return Ok(Seen::End(gone(was))),
                WatchEvent::Bookmark(_) => {}
                _ => break,
            }
        }
    }
    let now = api.node_restart(name).await.with_context(|| format!("looking at noderestart/{name}"))?;
    match now.filter(|now| restart::same(now, &last)) {
        Some(now) => {
            // Where watches end at once, this is what keeps from asking without a pause.
            sleep(PAUSE).await;
            Ok(Seen::Going(now))
        }
        None => Ok(Seen::End(gone(last))),
    }
}

/// What was removed had ended, or was cancelled.
fn gone(was: Value) -> End {
    match restart::exit(&was) {
        Some(_) => End::Ended(was),
        None => End::Gone,
    }
}

/// Whether to ask again would be of no use.
fn refused(error: &anyhow::Error) -> bool {
    error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Refusal>())
        .is_some_and(|refusal| refusal.code.is_client_error())
}
