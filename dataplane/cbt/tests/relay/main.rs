//! The relay between a driver and a client, in this process and over sockets.

mod discovery;
mod faults;
mod lies;
mod resume;
mod scripted;
mod shared;
mod sockets;
mod streams;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use cbt::{Drivers, Relay, Resolve, Route};
use futures::StreamExt;
use proto::cbt::{Blocks, ChangedBlocks, Error, Query, Result, Shape, Snapshot};

/// The driver of all snapshots here.
const DRIVER: &str = "synthetic.example.com";

/// A minute, as the relay waits by default.
const PATIENCE: Duration = Duration::from_secs(60);

/// Calls the VolumeSnapshots of `default` by their names; a base may be called so, too.
struct Names;

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, target: &Snapshot, base: Option<&Snapshot>) -> Result<Route> {
        let handle = |snapshot: &Snapshot| match snapshot {
            Snapshot::Named { namespace, name } if namespace == "default" && name != "no-such-name" => Ok(name.clone()),
            Snapshot::Named { namespace, name } => Err(Error::NotFound(format!("{namespace}/{name} is not there"))),
            Snapshot::Handle(handle) => Ok(handle.clone()),
        };
        let secrets = [("key".to_owned(), "opens".to_owned())].into();
        let base = base.map(handle).transpose()?;
        Ok(Route { driver: DRIVER.to_owned(), target: handle(target)?, base, secrets })
    }
}

fn snapshot(name: &str) -> Snapshot {
    Snapshot::Named { namespace: "default".to_owned(), name: name.to_owned() }
}

/// A relay to one driver.
fn relay(driver: Arc<dyn ChangedBlocks>) -> Relay {
    Relay::new(Arc::new(Names), Drivers::default().with(DRIVER, driver), PATIENCE, &Default::default())
}

/// All blocks of the target.
fn allocated() -> Query {
    Query::allocated(snapshot("target"))
}

fn blocks() -> Query {
    Query { shape: Shape::Blocks, ..allocated() }
}

/// What came, and how it ended.
async fn collected(blocks: &dyn ChangedBlocks, query: Query) -> (Vec<Blocks>, Result<()>) {
    let (mut messages, mut came) = match blocks.blocks(query).await {
        Ok(messages) => (messages, Vec::new()),
        Err(error) => return (Vec::new(), Err(error)),
    };
    while let Some(message) = messages.next().await {
        match message {
            Ok(message) => came.push(message),
            Err(error) => {
                assert!(messages.next().await.is_none(), "nothing comes after an error");
                return (came, Err(error));
            }
        }
    }
    (came, Ok(()))
}
