//! The shared suites: of requests on the worker, alone and over the wire, and of providers on the fake one.

use async_trait::async_trait;
use proto::{
    node::suite::fake::Fake,
    restart::{Restarts, suite::Subject},
};

use crate::world::{Running, World};

struct InProcess {
    world: World,
    running: Running,
}

#[async_trait]
impl Subject for InProcess {
    fn restarts(&self) -> &dyn Restarts {
        &*self.running.worker
    }

    fn node(&self) -> String {
        self.world.node.clone()
    }

    async fn stored(&self) -> Vec<(String, String)> {
        let all = self.world.all().await.into_iter();
        all.map(|restart| (restart.metadata.name, restart.metadata.uid)).collect()
    }
}

async fn open() -> InProcess {
    let (world, _) = World::fake().await;
    let running = world.worker();
    InProcess { world, running }
}

mod restarts {
    proto::restart_suite!(super::open());
}

mod provider {
    proto::node_suite!(async { super::Fake::new("i-1", "10.0.0.1") });
}
