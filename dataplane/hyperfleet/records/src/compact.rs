//! Compaction: the log forgets changes that are older than the retention, some at a time, so that no writer waits for
//! long.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::time::sleep;

use crate::{
    Result,
    backend::{Backend, pause},
    database::{Row, Statement, Value},
    sql,
};

/// How long changes are kept when nobody says how long.
pub(crate) const RETENTION: Duration = Duration::from_secs(300);

/// How many changes one step passes at most.
const STEP: i64 = 500;

/// How many changes are kept at most, though they are younger.
const MOST: u64 = 200_000;

/// How long to rest when nothing is old.
const REST: Duration = Duration::from_secs(5);

/// Compacts, forever.
pub(crate) async fn run(backend: Arc<Backend>) {
    let retention = backend.options.retention.unwrap_or(RETENTION);
    let rest = REST.min(retention / 2).max(Duration::from_millis(10));
    loop {
        match step(&backend, retention).await {
            Ok(true) => (),
            Ok(false) => sleep(rest).await,
            Err(error) => pause("compacting", &error).await,
        }
    }
}

/// One step; whether there may be another at once.
async fn step(backend: &Backend, retention: Duration) -> Result<bool> {
    let bounds = backend.bounds().await?;
    let values = [Value::Integer(bounds.compacted as i64), Value::Integer(STEP)];
    let rows = backend.rows("compact", Statement::new(sql::OLDEST, values)).await?;
    let entries = rows.iter().map(entry).collect::<Result<Vec<_>>>()?;
    let oldest = backend.now() - jiff::SignedDuration::try_from(retention).unwrap_or_default();
    let surplus = bounds.head.saturating_sub(MOST);
    match upto(&entries, oldest, surplus) {
        Some(upto) => backend.compact(bounds.compacted, upto).await.map(|()| true),
        None => Ok(false),
    }
}

fn entry(row: &Row) -> Result<(u64, Timestamp)> {
    Ok((row.integer(0)? as u64, row.time(1)?))
}

/// The last of the entries, before the first that is kept: those at or below `surplus` are not, nor those before
/// `oldest`.
fn upto(entries: &[(u64, Timestamp)], oldest: Timestamp, surplus: u64) -> Option<u64> {
    let forgotten = entries.iter().take_while(|(revision, time)| *time < oldest || *revision <= surplus);
    forgotten.last().map(|(revision, _)| *revision)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_or_too_much_is_forgotten_up_to_the_first_that_is_neither() {
        let at = |second| Timestamp::constant(second, 0);
        let entries = [(3, at(10)), (4, at(20)), (5, at(15)), (6, at(30))];
        for (oldest, surplus, expected) in
            [(10, 0, None), (11, 0, Some(3)), (16, 0, Some(3)), (25, 0, Some(5)), (31, 0, Some(6)), (0, 4, Some(4))]
        {
            assert_eq!(upto(&entries, at(oldest), surplus), expected, "{oldest} {surplus}");
        }
        assert_eq!(upto(&[], at(0), 100), None);
    }
}
