//! What a stream holds, and for how long.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures::{StreamExt, stream};
use proto::cbt::{ChangedBlocks, Kind};
use tempfile::TempDir;

use super::{
    allocated, relay,
    scripted::{Scripted, message},
    sockets::{Host, connect},
};

/// What a driver does, counted.
#[derive(Clone, Default)]
struct Counts {
    open: Arc<AtomicU64>,
    sent: Arc<AtomicU64>,
}

/// A stream that is open.
struct Open(Arc<AtomicU64>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Counts {
    /// A driver of some 50 KiB a message, without end.
    fn driver(&self) -> Arc<dyn ChangedBlocks> {
        let counts = self.clone();
        Arc::new(Scripted(move |_| {
            counts.open.fetch_add(1, Ordering::SeqCst);
            let (open, sent) = (Open(Arc::clone(&counts.open)), Arc::clone(&counts.sent));
            let block = move |index: u64| {
                let _ = &open;
                sent.fetch_add(1, Ordering::SeqCst);
                let entries: Vec<_> = (index * 4096..(index + 1) * 4096).map(|at| (at * 4096, 4096)).collect();
                Ok(message(Kind::Fixed, &entries))
            };
            Ok(stream::iter((0..60_000).map(block)).boxed())
        }))
    }

    fn open(&self) -> u64 {
        self.open.load(Ordering::SeqCst)
    }

    fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }
}

/// A driver and a relay, each on a socket.
fn served(counts: &Counts) -> (Host, Host, TempDir) {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let driver = Host::serve(&folder.path().join("driver.sock"), counts.driver());
    let socket = folder.path().join("driver.sock");
    let front = Host::with(&folder.path().join("relay.sock"), |_| Arc::new(relay(Arc::new(connect(&socket)))));
    (driver, front, folder)
}

fn client<T>(folder: &Path, work: impl AsyncFnOnce(Box<dyn ChangedBlocks>) -> T) -> T {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async { work(Box::new(connect(&folder.join("relay.sock")))).await })
}

#[test]
fn a_client_that_leaves_frees_the_driver() {
    let counts = Counts::default();
    let (_driver, _front, folder) = served(&counts);
    client(folder.path(), async |blocks| {
        let mut streams = Vec::new();
        for _ in 0..4 {
            let mut messages = blocks.blocks(allocated()).await.expect("it begins");
            messages.next().await.expect("a message").expect("a good one");
            streams.push(messages);
        }
        assert_eq!(counts.open(), 4);
        drop(streams.pop());
        kit::eventually!(counts.open() == 3, "the driver of the one that left is free");
        drop(streams);
        kit::eventually!(counts.open() == 0, "all are free");
    });
}

#[test]
fn a_client_that_dies_frees_the_driver() {
    let counts = Counts::default();
    let (_driver, _front, folder) = served(&counts);
    client(folder.path(), async |blocks| {
        let mut messages = blocks.blocks(allocated()).await.expect("it begins");
        messages.next().await.expect("a message").expect("a good one");
        // Its connection goes with the runtime that it is in.
        std::mem::forget(messages);
    });
    kit::eventually!(counts.open() == 0, "the driver is free");
}

/// The windows of two connections, and what is in hand; far less than the whole, which is 3 GiB.
#[test]
fn nothing_is_produced_that_nobody_reads() {
    const AHEAD: u64 = 200;
    let counts = Counts::default();
    let (_driver, _front, folder) = served(&counts);
    client(folder.path(), async |blocks| {
        let mut messages = blocks.blocks(allocated()).await.expect("it begins");
        for read in 1..=300 {
            messages.next().await.expect("a message").expect("a good one");
            assert!(counts.sent() <= read + AHEAD, "{} were made when {read} were read", counts.sent());
        }
        assert!(counts.sent() >= 300);
    });
}
