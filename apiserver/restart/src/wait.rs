//! Waiting for the end of a restart, while a request is held.

use std::time::Duration;

use apiserver::Call;
use futures::{StreamExt, stream::BoxStream};
use machinery::time::parse_duration;
use proto::store::{self, At, Batch, Change, Entry, Event, Key, WatchOptions};
use serde_json::Value;
use tokio::time::timeout;

use crate::{GROUP, NODE_RESTARTS, phase};

/// What the kube-apiserver gives a request that it hands on, and what this server gives one.
const REQUEST: Duration = Duration::from_secs(60);

/// Returns when the restart has ended or is gone, when `limit` has passed, when the request has little time left, or when
/// the store cannot tell any more: whoever asks looks again.
pub(crate) async fn until_ended(call: &Call<'_>, name: &str, limit: Duration) {
    let (group, resource) = (GROUP.to_owned(), NODE_RESTARTS.to_owned());
    let key = Key { group, resource, namespace: String::new(), name: name.to_owned() };
    let limit = limit.min(at_most(call.param("timeout")));
    // Nothing to be said of either failure.
    let _ = timeout(limit, follow(call, &key)).await;
}

async fn follow(call: &Call<'_>, key: &Key) -> store::Result<()> {
    let Some(entry) = call.store().get(key, At::Latest).await?.filter(|entry| !ended(entry)) else { return Ok(()) };
    let options = WatchOptions { after: entry.revision };
    let mut batches: BoxStream<'static, store::Result<Batch>> = call.store().watch(&key.scope(), options).await?;
    while let Some(batch) = batches.next().await {
        let over = |event: &Event| event.change == Change::Deleted || ended(&event.entry);
        if batch?.events.iter().any(|event| event.entry.key == *key && over(event)) {
            return Ok(());
        }
    }
    Ok(())
}

fn ended(entry: &Entry) -> bool {
    serde_json::from_slice::<Value>(&entry.content.value.json).is_ok_and(|restart| phase::ended(&restart))
}

/// A sixth of the request's time is left for its answer to arrive.
fn at_most(timeout: Option<&str>) -> Duration {
    let asked = timeout.and_then(|text| parse_duration(text).ok().flatten()).filter(|asked| !asked.is_zero());
    asked.unwrap_or(REQUEST).min(REQUEST) * 5 / 6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_comes_before_the_request_times_out() {
        for (given, seconds) in
            [(None, 50), (Some("12s"), 10), (Some("10m"), 50), (Some("0"), 50), (Some("-1s"), 50), (Some("soon"), 50)]
        {
            assert_eq!(at_most(given), Duration::from_secs(seconds), "{given:?}");
        }
    }
}
