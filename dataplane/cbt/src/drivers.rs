//! Where drivers are: said by flags, by DriverDiscovery objects, or in this process.

mod discovery;

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use proto::{
    cbt::{ChangedBlocks, Error, Result, client::Client},
    store::Store,
};
use runtime::{Tasks, args::PeerTlsArgs, grpc};

use crate::Endpoint;

/// The drivers that are known. Flags come before objects, and the embedded driver before both.
#[derive(Clone, Default)]
pub struct Drivers {
    given: BTreeMap<String, Arc<dyn ChangedBlocks>>,
    discovered: Arc<RwLock<BTreeMap<String, Found>>>,
}

/// A driver, by name.
pub(crate) struct Driver {
    pub(crate) name: String,
    pub(crate) blocks: Arc<dyn ChangedBlocks>,
}

/// A driver that an object tells of; or why it cannot be used.
struct Found {
    spec: discovery::Spec,
    blocks: Result<Arc<dyn ChangedBlocks>>,
}

// === impl Drivers ===

impl Drivers {
    /// The drivers of flags, which are connected to when they are first asked.
    pub fn connect(endpoints: &[Endpoint], peer: &PeerTlsArgs, tasks: &Tasks) -> anyhow::Result<Self> {
        let mut drivers = Self::default();
        for Endpoint { driver, url } in endpoints {
            let channel = grpc::connect(url, peer, tasks)?;
            drivers = drivers.with(driver, Arc::new(Client::new(channel)));
        }
        Ok(drivers)
    }

    /// These and one more, such as one in this process.
    pub fn with(mut self, name: &str, blocks: Arc<dyn ChangedBlocks>) -> Self {
        self.given.insert(name.to_owned(), blocks);
        self
    }

    /// Follows the DriverDiscovery objects in `store` as long as `tasks` run.
    pub fn discover(&self, store: Arc<dyn Store>, peer: &PeerTlsArgs, tasks: &Tasks) {
        discovery::follow(self, store, peer, tasks);
    }

    /// The driver of a name; [`Error::Unavailable`] when nobody said where it is.
    pub(crate) fn get(&self, name: &str) -> Result<Driver> {
        let blocks = match self.given.get(name) {
            Some(blocks) => Arc::clone(blocks),
            None => self.found(name)?,
        };
        Ok(Driver { name: name.to_owned(), blocks })
    }

    fn found(&self, name: &str) -> Result<Arc<dyn ChangedBlocks>> {
        let discovered = self.discovered.read().unwrap_or_else(PoisonError::into_inner);
        match discovered.values().find(|found| found.spec.driver_name == name) {
            Some(found) => found.blocks.clone(),
            None => Err(Error::Unavailable(format!(
                "nobody said where the driver {name} serves changed blocks: set --cbt-driver {name}=URL, or create a \
                 DriverDiscovery for it"
            ))),
        }
    }
}
