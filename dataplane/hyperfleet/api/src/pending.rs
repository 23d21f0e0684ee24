//! How many records wait for their adapters, counted now and then for the metrics.

use std::{sync::Arc, time::Duration};

use hyperfleet_records::{Kind, Query, Result, Search};
use jiff::{SignedDuration, Timestamp};
use tokio::time;

use crate::api::Api;

/// How often they are counted.
const INTERVAL: Duration = Duration::from_secs(15);

/// Who waits for so long is stuck.
const LONG: SignedDuration = SignedDuration::from_mins(30);

/// Counts, for ever. While the database is away the last counts stay.
pub(crate) async fn count(api: Arc<Api>) {
    loop {
        for kind in [Kind::Cluster, Kind::NodePool] {
            for is_delete in [false, true] {
                match pending(&api, kind, is_delete).await {
                    Ok((pending, stuck)) => api.metrics.pending(kind, is_delete, pending, stuck),
                    Err(error) => tracing::debug!("not counting what waits for adapters: {error}"),
                }
            }
        }
        time::sleep(INTERVAL).await;
    }
}

async fn pending(api: &Api, kind: Kind, is_delete: bool) -> Result<(u64, u64)> {
    let before = api.now().saturating_sub(LONG).unwrap_or_default();
    let (pending, stuck) = searches(is_delete, before);
    Ok((total(api, kind, &pending).await?, total(api, kind, &stuck).await?))
}

/// Who waits, and who has waited since before `before`.
fn searches(is_delete: bool, before: Timestamp) -> (String, String) {
    let (pending, since) = match is_delete {
        true => ("deleted_time is not null", format!("deleted_time < '{before}'")),
        false => (
            "deleted_time is null and status.phase <> 'Ready'",
            format!(
                "(status.conditions.Reconciled.last_transition_time < '{before}' \
                 or status.conditions.Reconciled is null and created_time < '{before}')"
            ),
        ),
    };
    (pending.to_owned(), format!("{pending} and {since}"))
}

async fn total(api: &Api, kind: Kind, search: &str) -> Result<u64> {
    let query = Query { search: Some(Search::parse(search, kind)?), limit: 0, ..Query::default() };
    Ok(api.records.list(kind, None, &query).await?.total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_searches_are_understood() {
        for is_delete in [false, true] {
            let (pending, stuck) = searches(is_delete, Timestamp::UNIX_EPOCH);
            for kind in [Kind::Cluster, Kind::NodePool] {
                let understood = [&pending, &stuck].map(|search| Search::parse(search, kind).map(drop));
                assert_eq!(understood, [Ok(()), Ok(())], "{stuck}");
            }
        }
    }
}
