//! Checkpoints: what is in the write-ahead log goes into the database file, beside the writer.
//!
//! A passive checkpoint disturbs nobody, but under steady writes it never reaches the end of the log, and the log would
//! grow without bound. So once it is long, the writer pauses for the short rest, and begins the log anew.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use revlog::Record;
use sqlx::{ConnectOptions, SqliteConnection};
use tracing::{debug, warn};

use crate::{sql, sqlite::Sqlite};

/// About how many bytes of pages a record takes, beside its value.
const PAGES: u64 = 4096;

/// Bytes of a frame: a page and its header.
const FRAME: u64 = 4096 + 24;

/// How long a pause of the writer may wait for readers; if they take longer, the next checkpoint tries again.
const PATIENCE: Duration = Duration::from_millis(50);

/// What a checkpoint reports.
struct Progress {
    /// Somebody was in the way.
    busy: bool,
    /// How many frames the log has; 0 when it was too busy to say.
    frames: u64,
}

// === impl Sqlite ===

impl Sqlite {
    /// Notes what has been committed, and calls for a checkpoint when it is time.
    pub(crate) fn has_grown(&self, records: &[Arc<Record>]) {
        let value = |record: &Arc<Record>| record.stored.as_ref().map_or(0, |stored| stored.bytes.len() as u64);
        let bytes: u64 = records.iter().map(|record| value(record) + PAGES).sum();
        if self.unsaved.fetch_add(bytes, Ordering::Relaxed) + bytes >= self.log_bytes / 4 {
            self.grown.notify_one();
        }
    }

    /// Makes checkpoints when it is time, for ever.
    pub(crate) async fn checkpoint_when_grown(&self) {
        let mut connection = None;
        loop {
            self.grown.notified().await;
            self.unsaved.store(0, Ordering::Relaxed);
            if let Err(error) = self.checkpoint(&mut connection).await {
                connection = None;
                warn!("checkpoint failed, it will be tried again: {error}");
            }
        }
    }

    async fn checkpoint(&self, kept: &mut Option<SqliteConnection>) -> sqlx::Result<()> {
        let connection = match kept {
            Some(connection) => connection,
            None => kept.insert(self.connect.clone().busy_timeout(PATIENCE).connect().await?),
        };
        let Progress { frames, .. } = run(connection, sql::CHECKPOINT).await?;
        if frames * FRAME < self.log_bytes / 2 {
            return Ok(());
        }
        let _place = self.writer.lock().await;
        let Progress { busy, frames } = run(connection, sql::RESTART).await?;
        debug!(frames, busy, "began the write-ahead log anew");
        Ok(())
    }
}

async fn run(connection: &mut SqliteConnection, pragma: &'static str) -> sqlx::Result<Progress> {
    let (busy, frames, _): (i64, i64, i64) = sqlx::query_as(pragma).fetch_one(connection).await?;
    Ok(Progress { busy: busy != 0, frames: u64::try_from(frames).unwrap_or(0) })
}
