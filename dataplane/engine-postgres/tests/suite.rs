//! The shared suite on PostgreSQL: on one log, and on three of one database.

use std::sync::Arc;

use async_trait::async_trait;
use engine_postgres::{Options, Postgres};
use proto::store::{
    Revision, Store,
    suite::{Subject, replicas::Replicas},
};
use revlog::{Log, Metrics};

struct OnPostgres(Arc<Log<Postgres>>);

#[async_trait]
impl Subject for OnPostgres {
    fn store(&self) -> &dyn Store {
        &*self.0
    }

    async fn compact(&self, upto: Revision) {
        self.0.compact(upto).await.expect("PostgreSQL can be compacted");
    }
}

/// A database of its own on the server of all tests.
fn database() -> String {
    kit::Postgres::shared().url()
}

/// A log with a ring so small that most watchers lag behind it.
async fn log(url: &str) -> Arc<Log<Postgres>> {
    let server = url.parse().expect("it is a URL of PostgreSQL");
    let engine = Postgres::open(Options::new(server)).await.expect("it can be opened");
    let options = revlog::Options { ring_bytes: 20_000, ..revlog::Options::default() };
    let (log, work) = Log::open(engine, options, Metrics::default()).await.expect("it can be read");
    spawn(work);
    log
}

#[expect(clippy::disallowed_methods, reason = "a test has no runtime::Tasks")]
fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(work);
}

mod one {
    use super::*;

    async fn open() -> OnPostgres {
        OnPostgres(log(&database()).await)
    }

    proto::store_suite!(open());
}

mod three {
    use super::*;

    async fn open() -> Replicas<Log<Postgres>> {
        let url = database();
        let logs = vec![log(&url).await, log(&url).await, log(&url).await];
        Replicas::new(logs, |log: Arc<Log<Postgres>>, upto| async move {
            log.compact(upto).await.expect("PostgreSQL can be compacted");
        })
    }

    proto::store_replicas_suite!(open());
}
