//! The shared suite on three logs of one database in memory.

use std::sync::Arc;

use proto::store::suite::replicas::Replicas;
use revlog::{Log, Memory, Metrics, Options};

/// Three logs, with rings so small that most watchers lag behind them.
async fn open() -> Replicas<Log<Memory>> {
    let options = Options { ring_bytes: 20_000, ..Options::default() };
    let mut logs = Vec::new();
    for engine in Memory::beside(3) {
        let opened = Log::open(engine, options.clone(), Metrics::default()).await;
        let (log, work) = opened.expect("memory can be opened");
        spawn(work);
        logs.push(log);
    }
    Replicas::new(logs, |log: Arc<Log<Memory>>, upto| async move {
        log.compact(upto).await.expect("memory can be compacted");
    })
}

#[expect(clippy::disallowed_methods, reason = "a test has no runtime::Tasks")]
fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(work);
}

proto::store_replicas_suite!(open());
