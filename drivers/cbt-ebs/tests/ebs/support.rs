//! A stub with two snapshots, and the driver on it.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::Command,
    sync::{Arc, OnceLock},
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ebs::config::Credentials;
use cbt_ebs::{Config, Driver};
use ebs_stub::{BLOCK_SIZE, Key, Model, Snapshot as Stored, Stub, Written};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use proto::cbt::{Blocks, ChangedBlocks, Checker, Query, Result, Shape, Snapshot};
use runtime::Context;

pub(crate) const REGION: &str = "eu-central-1";
pub(crate) const BASE: &str = "snap-0000000000000ba5e";
pub(crate) const TARGET: &str = "snap-0000000000007a69e";
/// Of another volume.
pub(crate) const FOREIGN: &str = "snap-0000000000000f0e1";
pub(crate) const UNKNOWN: &str = "snap-00000000000000000";
/// Blocks of a volume of one GiB.
pub(crate) const BLOCKS: u32 = 2048;

/// A stub and the driver on it.
pub(crate) struct Bench {
    pub(crate) stub: Stub,
    pub(crate) driver: Driver,
    pub(crate) context: Context,
}

/// What blocks are made from, by index.
pub(crate) type Map = BTreeMap<u32, u64>;

// === impl Bench ===

impl Bench {
    /// Two snapshots of one volume of one GiB.
    pub(crate) async fn new(base: Map, target: Map) -> Self {
        Self::with(base, target, &config()).await
    }

    pub(crate) async fn with(base: Map, target: Map, config: &Config) -> Self {
        let stub = Stub::start(model(), REGION, key(), runtime::clock::system()).await.unwrap();
        stub.add(Stored::new(BASE, "vol-1", 1, Written::Some(base)));
        stub.add(Stored::new(TARGET, "vol-1", 1, Written::Some(target)));
        stub.add(Stored::new(FOREIGN, "vol-2", 1, Written::First(10, 99)));
        let context = Context::new();
        let driver = Driver::new(&sdk(&stub.url()).await, config, &context);
        Self { stub, driver, context }
    }

    /// The indices of an answer, which keeps the contract.
    pub(crate) async fn list(&self, query: Query) -> Result<Vec<u32>> {
        let mut checker = Checker::new(&query);
        let mut messages = self.driver.blocks(query).await?;
        let mut indices = Vec::new();
        while let Some(blocks) = messages.next().await {
            let blocks = blocks?;
            checker.check(&blocks)?;
            indices.extend(self::indices(&blocks));
        }
        Ok(indices)
    }

    /// The tokens of an answer.
    pub(crate) async fn tokens(&self, query: Query) -> Vec<Vec<u8>> {
        let query = Query { shape: Shape::Blocks, tokens: true, ..query };
        let messages: Vec<Blocks> = self.stream(query).await.try_collect().await.unwrap();
        messages.iter().flat_map(|blocks| blocks.iter().map(|block| block.token.to_vec()).collect::<Vec<_>>()).collect()
    }

    pub(crate) async fn stream(&self, query: Query) -> BoxStream<'static, Result<Blocks>> {
        self.driver.blocks(query).await.map_err(|error| error.to_string()).unwrap()
    }

    /// How many calls of an operation came.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.stub.calls().iter().filter(|call| call.operation == operation).count()
    }
}

impl Drop for Bench {
    /// Whatever a test is about, the driver never sends what an SDK would not.
    fn drop(&mut self) {
        let refused = self.stub.refused();
        assert!(std::thread::panicking() || refused.is_empty(), "{refused:?}");
    }
}

/// As fast as the stub, and soon out of patience.
pub(crate) fn config() -> Config {
    Config {
        ebs_requests_per_second: 100_000,
        ebs_reads_per_second: 100_000,
        ebs_retry_timeout: Duration::from_secs(20),
        ..Config::default()
    }
}

pub(crate) fn key() -> Key {
    Key { id: "AKIDEXAMPLE".to_owned(), secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(), session: None }
}

/// The SDK's configuration for a service at `url`.
pub(crate) async fn sdk(url: &str) -> SdkConfig {
    let Key { id, secret, session } = key();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new(id, secret, session, None, "test"))
        .endpoint_url(url)
        .load()
        .await
}

/// The API's model, from the botocore that the tests' Python has.
pub(crate) fn model() -> Arc<Model> {
    static MODEL: OnceLock<Arc<Model>> = OnceLock::new();
    let load = || {
        let python = kit::Python::find().unwrap().python();
        let script = "import botocore, os; print(os.path.dirname(botocore.__file__))";
        let output = Command::new(python).args(["-c", script]).output().unwrap();
        let folder = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
        Arc::new(Model::load(&folder).unwrap())
    };
    Arc::clone(MODEL.get_or_init(load))
}

pub(crate) fn handle(id: &str) -> Snapshot {
    Snapshot::Handle(id.to_owned())
}

pub(crate) fn allocated() -> Query {
    Query { shape: Shape::Blocks, ..Query::allocated(handle(TARGET)) }
}

pub(crate) fn delta() -> Query {
    Query { shape: Shape::Blocks, ..Query::delta(handle(BASE), handle(TARGET)) }
}

pub(crate) fn indices(blocks: &Blocks) -> Vec<u32> {
    blocks.iter().map(|block| u32::try_from(block.offset / u64::from(BLOCK_SIZE)).unwrap()).collect()
}

/// These blocks, all made from one number.
pub(crate) fn map(indices: impl IntoIterator<Item = u32>, seed: u64) -> Map {
    indices.into_iter().map(|index| (index, seed)).collect()
}

/// Numbers that look random, the same for the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
