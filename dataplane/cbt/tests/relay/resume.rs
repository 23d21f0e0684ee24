//! The relay, the driver and the client are killed at random points, a thousand times, and the list goes on from the end of
//! the last entry: nothing is lost, nothing comes twice.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use futures::{StreamExt, stream::BoxStream};
use proto::cbt::{
    Blocks, ChangedBlocks, Data, Info, Query, Read, Result,
    suite::{Subject, Synthetic},
};
use runtime::Tasks;
use tempfile::TempDir;
use tokio::{runtime::Runtime, sync::oneshot};

use super::{
    allocated, relay,
    sockets::{Host, connect},
};

const TRIALS: u64 = 1000;
const ENTRIES: u64 = 200;
const PER_MESSAGE: u32 = 5;

/// Who is killed.
#[derive(Debug, Clone, Copy)]
enum Victim {
    Relay,
    Driver,
    Client,
}

/// The number of the message before which the driver halts, and whom it tells.
type Halt = Arc<Mutex<Option<(u64, oneshot::Sender<()>)>>>;

/// A driver that halts, once, for whoever cuts it off there.
struct Halting {
    volume: Synthetic,
    halt: Halt,
}

#[async_trait::async_trait]
impl ChangedBlocks for Halting {
    async fn info(&self) -> Result<Info> {
        self.volume.info().await
    }

    async fn blocks(&self, query: Query) -> Result<BoxStream<'static, Result<Blocks>>> {
        let (halt, sent) = (Arc::clone(&self.halt), AtomicU64::new(0));
        let messages = ChangedBlocks::blocks(&self.volume, query).await?;
        Ok(messages
            .then(move |message| {
                let number = sent.fetch_add(1, Ordering::Relaxed);
                let mut halt = halt.lock().expect("nobody panics with it");
                let reached = halt.take_if(|(at, _)| *at == number);
                async move {
                    if let Some((_, reached)) = reached {
                        // The list may have been left before.
                        let _ = reached.send(());
                        std::future::pending::<()>().await;
                    }
                    message
                }
            })
            .boxed())
    }

    async fn read(&self, read: Read) -> Result<BoxStream<'static, Result<Data>>> {
        self.volume.read(read).await
    }
}

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// A driver and a relay that can be killed and come back, and a client.
struct World {
    volume: Synthetic,
    halt: Halt,
    driver: Option<Host>,
    relay: Option<Host>,
    client: Runtime,
    folder: TempDir,
}

/// What came of a list, and whether that was the whole.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    ranges: Vec<(u64, u64)>,
    whole: bool,
}

// === impl World ===

impl World {
    fn new() -> Self {
        let mut world = Self {
            volume: Synthetic::sparse(ENTRIES, 4096).with_truth(),
            halt: Arc::default(),
            driver: None,
            relay: None,
            client: Runtime::new().expect("a runtime"),
            folder: tempfile::tempdir().expect("there is a temporary folder"),
        };
        world.renew_driver();
        world.renew_relay();
        world
    }

    fn socket(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn renew_driver(&mut self) {
        if let Some(old) = self.driver.take() {
            old.kill();
        }
        let driver = Halting { volume: self.volume.clone(), halt: Arc::clone(&self.halt) };
        self.driver = Some(Host::serve(&self.socket("driver.sock"), Arc::new(driver)));
    }

    fn renew_relay(&mut self) {
        if let Some(old) = self.relay.take() {
            old.kill();
        }
        let driver = self.socket("driver.sock");
        let make = |_: &Tasks| Arc::new(relay(Arc::new(connect(&driver)))) as Arc<dyn ChangedBlocks>;
        self.relay = Some(Host::with(&self.socket("relay.sock"), make));
    }

    /// Lists from `start`; `leave` cuts it short.
    fn list(&self, start: u64, leave: oneshot::Receiver<()>) -> impl Future<Output = Part> + Send + use<> {
        let relay = self.socket("relay.sock");
        async move {
            let query = Query { start, per_message: PER_MESSAGE, ..allocated() };
            let mut ranges = Vec::new();
            let listing = async {
                let Ok(mut messages) = connect(&relay).blocks(query).await else { return false };
                while let Some(message) = messages.next().await {
                    let Ok(message) = message else { return false };
                    ranges.extend(message.iter().map(|block| (block.offset, block.size)));
                }
                true
            };
            let whole = tokio::select! {
                whole = listing => whole,
                Ok(()) = leave => false,
            };
            Part { ranges, whole }
        }
    }

    /// A list during which `victim` is killed before the message `at`; `None` when there is no such message.
    fn cut(&mut self, victim: Victim, at: u64) -> (Part, Option<Victim>) {
        let (reached, halted) = oneshot::channel();
        let (leave, left) = oneshot::channel();
        *self.halt.lock().expect("nobody panics with it") = Some((at, reached));
        let mut list = self.client.spawn(self.list(0, left));
        let whole = self.client.block_on(async {
            tokio::select! {
                part = &mut list => Some(part.expect("it ends")),
                Ok(()) = halted => None,
            }
        });
        if let Some(part) = whole {
            self.halt.lock().expect("nobody panics with it").take();
            return (part, None);
        }
        match victim {
            Victim::Relay => self.renew_relay(),
            Victim::Driver => self.renew_driver(),
            Victim::Client => leave.send(()).expect("it is still there"),
        }
        (self.client.block_on(list).expect("it ends"), Some(victim))
    }

    /// The rest of a list. The relay connects again to a driver that was killed, on its second try at the latest.
    fn rest(&self, start: u64) -> Part {
        let mut tries = (0..2).map(|_| self.client.block_on(self.list(start, oneshot::channel().1)));
        tries.find(|part| part.whole || !part.ranges.is_empty()).expect("the rest comes")
    }
}

#[test]
fn killed_a_thousand_times_nothing_is_lost_or_doubled() {
    let mut world = World::new();
    let truth: Vec<_> =
        world.volume.truth().allocated.iter().map(|range| (range.start, range.end - range.start)).collect();
    let mut random = Random(0x0ddb_1a5e_5bad_5eed);
    let mut killed = [0; 3];
    for trial in 0..TRIALS {
        let victim = [Victim::Relay, Victim::Driver, Victim::Client][random.below(3) as usize];
        // Before the first message, after the last, and anywhere between.
        let at = random.below(ENTRIES / u64::from(PER_MESSAGE) + 2);
        let (mut part, cut) = world.cut(victim, at);
        assert_eq!(part.whole, cut.is_none(), "trial {trial}: {victim:?} at {at}: a list that was cut off looks whole");
        if let Some(victim) = cut {
            killed[victim as usize] += 1;
            let rest = world.rest(part.ranges.last().map_or(0, |(offset, size)| offset + size));
            part.ranges.extend(rest.ranges);
            part.whole = rest.whole;
        }
        assert_eq!(part, Part { ranges: truth.clone(), whole: true }, "trial {trial}: {victim:?} at {at}");
    }
    assert!(killed.iter().all(|times| *times > TRIALS / 6), "too few were cut off: {killed:?}");
}
