//! The relay: a [`ChangedBlocks`] that knows VolumeSnapshots by name and forwards what their drivers say.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use proto::cbt::{Blocks, ChangedBlocks, Data, Error, Info, Query, Read, Result, Snapshot};
use tokio::time::timeout;
use tracing::{Span, field::Empty, instrument};

use crate::{
    drivers::{Driver, Drivers},
    follow::Followed,
    metrics::Metrics,
    resolve::{Resolve, Route},
};

/// Answers for all drivers. Snapshots are asked for by name; a base may also be a handle.
pub struct Relay {
    resolve: Arc<dyn Resolve>,
    drivers: Drivers,
    metrics: Metrics,
    patience: Duration,
}

// === impl Relay ===

impl Relay {
    /// Finds snapshots with `resolve` and their drivers in `drivers`; one that is silent for `patience` has failed.
    pub fn new(
        resolve: Arc<dyn Resolve>,
        drivers: Drivers,
        patience: Duration,
        metrics: &runtime::metrics::Metrics,
    ) -> Self {
        Self { resolve, drivers, metrics: metrics.register(Metrics::register), patience }
    }

    /// Where the answer about `target` comes from.
    pub async fn route(&self, target: &Snapshot, base: Option<&Snapshot>) -> Result<Route> {
        self.counted("", self.resolve.resolve(target, base).await)
    }

    /// The answer to `query`, from where `route` says.
    pub async fn follow(&self, route: Route, query: Query) -> Result<BoxStream<'static, Result<Blocks>>> {
        let Route { driver: name, target, base, secrets } = route;
        record(&name, &target, base.as_deref());
        let driver = self.driver(&name)?;
        let base = base.map(Snapshot::Handle);
        let asked = Query { base, target: Snapshot::Handle(target), secrets, ..query };
        let checks = asked.clone();
        let begun = self.begun(&driver, driver.blocks.blocks(asked)).await?;
        Ok(Followed::new(begun, &checks, driver.name, self.patience, &self.metrics).boxed())
    }

    fn driver(&self, name: &str) -> Result<Driver> {
        self.counted("", self.drivers.get(name))
    }

    /// What a driver begins to answer, in time.
    async fn begun<T>(&self, driver: &Driver, answer: impl Future<Output = Result<T>>) -> Result<T> {
        let name = &driver.name;
        let begun = timeout(self.patience, answer).await.unwrap_or_else(|_| {
            let patience = self.patience;
            Err(Error::Unavailable(format!("the driver {name} gave no answer within {patience:?}")))
        });
        self.counted(name, begun.map_err(|error| named(error, name)))
    }

    fn counted<T>(&self, driver: &str, result: Result<T>) -> Result<T> {
        result.inspect_err(|error| self.metrics.failed(driver, error))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ChangedBlocks for Relay {
    async fn info(&self) -> Result<Info> {
        Ok(Info { driver: String::new(), version: env!("CARGO_PKG_VERSION").to_owned(), reads: true })
    }

    #[instrument(name = "cbt.blocks", skip_all, fields(cbt.driver = Empty, cbt.target = Empty, cbt.base = Empty))]
    async fn blocks(&self, query: Query) -> Result<BoxStream<'static, Result<Blocks>>> {
        let route = self.route(&query.target, query.base.as_ref()).await?;
        self.follow(route, query).await
    }

    #[instrument(name = "cbt.read", skip_all, fields(cbt.driver = Empty, cbt.target = Empty))]
    async fn read(&self, read: Read) -> Result<BoxStream<'static, Result<Data>>> {
        let Route { driver: name, target, secrets, .. } = self.route(&read.target, None).await?;
        record(&name, &target, None);
        let driver = self.driver(&name)?;
        let asked = Read { target: Snapshot::Handle(target), secrets, ..read };
        let data = self.begun(&driver, driver.blocks.read(asked)).await?;
        let (metrics, patience) = (self.metrics.clone(), self.patience);
        Ok(crate::follow::data(data, driver.name, patience, metrics))
    }
}

fn record(driver: &str, target: &str, base: Option<&str>) {
    let span = Span::current();
    span.record("cbt.driver", driver).record("cbt.target", target).record("cbt.base", base.unwrap_or_default());
}

/// What only the transport can have said is said of the driver.
pub(crate) fn named(error: Error, driver: &str) -> Error {
    match error {
        Error::Unavailable(what) if !what.contains(driver) => {
            Error::Unavailable(format!("the driver {driver} cannot be asked: {what}"))
        }
        other => other,
    }
}
