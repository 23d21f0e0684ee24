//! The shared cases: on the relay itself, and from a client's side with the driver and the relay on sockets.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use proto::cbt::{
    ChangedBlocks,
    suite::{Subject, Synthetic, Truth},
};
use tempfile::TempDir;

use super::{
    relay, snapshot,
    sockets::{Host, connect},
};

/// Enough for several messages.
const ENTRIES: u64 = 9000;

/// A volume whose snapshots are asked for by name.
struct Named {
    volume: Synthetic,
    truth: Truth,
    blocks: Box<dyn ChangedBlocks>,
    /// What serves, for as long as it is asked.
    _hosts: Option<(Host, Host, TempDir)>,
}

// === impl Named ===

impl Named {
    fn new(volume: Synthetic, blocks: Box<dyn ChangedBlocks>, hosts: Option<(Host, Host, TempDir)>) -> Self {
        let truth = Truth {
            base: snapshot("base"),
            target: snapshot("target"),
            foreign: Some(snapshot("other")),
            unknown: snapshot("no-such-snapshot"),
            resolves_names: true,
            ..volume.truth().clone()
        };
        Self { volume, truth, blocks, _hosts: hosts }
    }
}

#[async_trait]
impl Subject for Named {
    fn blocks(&self) -> &dyn ChangedBlocks {
        &*self.blocks
    }

    fn truth(&self) -> &Truth {
        &self.truth
    }

    async fn data(&self, range: Range<u64>) -> Vec<u8> {
        self.volume.data(range).await
    }
}

mod straight {
    use super::*;

    proto::cbt_suite!(async {
        let volume = Synthetic::sparse(ENTRIES, 64 << 10).with_truth();
        Named::new(volume.clone(), Box::new(relay(Arc::new(volume))), None)
    });
}

mod over_sockets {
    use super::*;

    fn serve() -> Named {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let (driver, front) = (folder.path().join("driver.sock"), folder.path().join("relay.sock"));
        let volume = Synthetic::sparse(ENTRIES, 4096).with_truth();
        let behind = Host::serve(&driver, Arc::new(volume.clone()));
        let before = Host::with(&front, |_| Arc::new(relay(Arc::new(connect(&driver)))));
        // The client belongs to the test's own threads.
        Named::new(volume, Box::new(Lazy(front)), Some((before, behind, folder)))
    }

    /// Connects when it is asked, from where it is asked.
    struct Lazy(std::path::PathBuf);

    #[async_trait]
    impl ChangedBlocks for Lazy {
        async fn info(&self) -> proto::cbt::Result<proto::cbt::Info> {
            connect(&self.0).info().await
        }

        async fn blocks(
            &self,
            query: proto::cbt::Query,
        ) -> proto::cbt::Result<futures::stream::BoxStream<'static, proto::cbt::Result<proto::cbt::Blocks>>> {
            connect(&self.0).blocks(query).await
        }

        async fn read(
            &self,
            read: proto::cbt::Read,
        ) -> proto::cbt::Result<futures::stream::BoxStream<'static, proto::cbt::Result<proto::cbt::Data>>> {
            connect(&self.0).read(read).await
        }
    }

    proto::cbt_suite!(async { tokio::task::spawn_blocking(serve).await.expect("it is served") });
}
