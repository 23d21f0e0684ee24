//! The shared suite on the engine in memory.

use std::sync::Arc;

use async_trait::async_trait;
use proto::store::{Revision, Store, suite::Subject};
use revlog::{Log, Memory, Metrics, Options};

struct InMemory(Arc<Log<Memory>>);

#[async_trait]
impl Subject for InMemory {
    fn store(&self) -> &dyn Store {
        &*self.0
    }

    async fn compact(&self, upto: Revision) {
        self.0.compact(upto).await.expect("memory can be compacted");
    }
}

/// A log with a ring so small that most watchers lag behind it.
async fn open() -> InMemory {
    let options = Options { ring_bytes: 20_000, ..Options::default() };
    let (log, work) = Log::open(Memory::default(), options, Metrics::default()).await.expect("memory can be opened");
    spawn(work);
    InMemory(log)
}

#[expect(clippy::disallowed_methods, reason = "a test has no runtime::Tasks")]
fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(work);
}

proto::store_suite!(open());
