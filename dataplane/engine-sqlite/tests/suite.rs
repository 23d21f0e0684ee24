//! The shared suite on SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use engine_sqlite::{Options, Sqlite};
use proto::store::{Revision, Store, suite::Subject};
use revlog::{Log, Metrics};
use tempfile::TempDir;

struct OnDisk {
    log: Arc<Log<Sqlite>>,
    _folder: TempDir,
}

#[async_trait]
impl Subject for OnDisk {
    fn store(&self) -> &dyn Store {
        &*self.log
    }

    async fn compact(&self, upto: Revision) {
        self.log.compact(upto).await.expect("SQLite can be compacted");
    }
}

/// A log with a ring so small that most watchers lag behind it.
async fn open() -> OnDisk {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let engine = Sqlite::open(Options::new(folder.path().join("a b.db"))).await.expect("it can be made");
    let options = revlog::Options { ring_bytes: 20_000, ..revlog::Options::default() };
    let (log, work) = Log::open(engine, options, Metrics::default()).await.expect("it can be read");
    spawn(work);
    OnDisk { log, _folder: folder }
}

#[expect(clippy::disallowed_methods, reason = "a test has no runtime::Tasks")]
fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(work);
}

proto::store_suite!(open());
