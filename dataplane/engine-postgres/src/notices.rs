//! Hearing that something was appended: by LISTEN, and by looking now and then, because a notice may be lost with its
//! connection.

use std::time::Duration;

use proto::store::Revision;
use sqlx::{PgPool, postgres::PgListener};
use tokio::{sync::watch, time};
use tracing::{debug, warn};

use crate::sql;

/// Where an append tells of itself.
const CHANNEL: &str = "outrigger";

/// How long to go without a notice before looking.
const QUIET: Duration = Duration::from_secs(5);

/// How long to wait before listening again, and looking meanwhile.
const PAUSE: Duration = Duration::from_millis(200);

/// The newest revision that was heard of.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    heard: watch::Sender<Revision>,
}

// === impl Notices ===

impl Notices {
    /// Completes when a revision beyond `after` was heard of; `None` when none ever will be.
    pub(crate) async fn beyond(&self, after: Revision) -> Option<Revision> {
        self.heard.subscribe().wait_for(|heard| *heard > after).await.ok().map(|heard| *heard)
    }

    /// Notes that the log stands at `revision`.
    pub(crate) fn heard(&self, revision: Revision) {
        self.heard.send_if_modified(|heard| {
            let more = revision > *heard;
            *heard = revision.max(*heard);
            more
        });
    }

    /// Listens, for ever.
    pub(crate) async fn listen(&self, pool: &PgPool) {
        let mut failed = false;
        loop {
            let error = match self.listen_once(pool, &mut failed).await {
                Ok(never) => match never {},
                Err(error) => error,
            };
            match std::mem::replace(&mut failed, true) {
                true => debug!("still not hearing of what others append: {error}"),
                false => warn!("not hearing of what others append, looking instead: {error}"),
            }
            time::sleep(PAUSE).await;
            // When this fails too, the next round does it.
            self.look(pool).await.ok();
        }
    }

    async fn listen_once(&self, pool: &PgPool, failed: &mut bool) -> sqlx::Result<std::convert::Infallible> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        self.look(pool).await?;
        *failed = false;
        loop {
            match time::timeout(QUIET, listener.try_recv()).await {
                Ok(Ok(Some(notice))) => match notice.payload().parse() {
                    Ok(revision) => self.heard(revision),
                    Err(_) => self.look(pool).await?,
                },
                Ok(Ok(None)) => return Err(sqlx::Error::WorkerCrashed),
                Ok(Err(error)) => return Err(error),
                Err(_) => self.look(pool).await?,
            }
        }
    }

    async fn look(&self, pool: &PgPool) -> sqlx::Result<()> {
        let (head, _): (i64, i64) = sqlx::query_as(sql::BOUNDS).fetch_one(pool).await?;
        self.heard(head as Revision);
        Ok(())
    }
}
