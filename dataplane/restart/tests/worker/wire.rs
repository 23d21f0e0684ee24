//! The same suites over gRPC, and what a broken connection means.

use std::sync::Arc;

use async_trait::async_trait;
use proto::{
    node::{
        Error, Node, NodePower, State, Step, Take,
        client::Client as NodeClient,
        server::service as node_service,
        suite::{Calls, Fault, Subject as NodeSubject, fake::Fake},
    },
    restart::{Request, Restarts, client::Client, suite::Subject},
};
use runtime::{Context, grpc};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Endpoint};

use crate::world::{Running, World};

struct OverTheWire {
    world: World,
    client: Client<Channel>,
    _running: Running,
}

#[async_trait]
impl Subject for OverTheWire {
    fn restarts(&self) -> &dyn Restarts {
        &self.client
    }

    fn node(&self) -> String {
        self.world.node.clone()
    }

    async fn stored(&self) -> Vec<(String, String)> {
        let all = self.world.all().await.into_iter();
        all.map(|restart| (restart.metadata.name, restart.metadata.uid)).collect()
    }
}

async fn open() -> OverTheWire {
    let (world, _) = World::fake().await;
    let running = world.worker();
    let (listener, channel) = loopback().await;
    let (worker, context) = (Arc::clone(&running.worker), running.context.clone());
    running
        .context
        .tasks
        .spawn("server", async move { restart::serve(worker, TcpListenerStream::new(listener), &context).await });
    OverTheWire { world, client: Client::new(channel), _running: running }
}

async fn loopback() -> (TcpListener, Channel) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, Endpoint::try_from(format!("http://{address}")).unwrap().connect_lazy())
}

mod restarts {
    proto::restart_suite!(super::open());
}

/// A fake provider whose driver is at the other end of a connection.
struct Remote {
    fake: Fake,
    client: NodeClient<Channel>,
    context: Context,
}

#[async_trait]
impl NodeSubject for Remote {
    fn power(&self) -> &dyn NodePower {
        &self.client
    }

    fn node(&self) -> Node {
        self.fake.node()
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    async fn calls(&self) -> Calls {
        self.fake.calls().await
    }

    async fn set(&self, state: State) {
        self.fake.set(state).await;
    }

    async fn fail(&self, fault: Option<Fault>) {
        self.fake.break_down(fault);
    }
}

async fn remote() -> Remote {
    let (listener, channel) = loopback().await;
    let (fake, context) = (Fake::new("i-1", "10.0.0.1"), Context::new());
    let (power, serving) = (fake.clone(), context.clone());
    context.tasks.spawn("server", async move {
        let routes = grpc::routes(node_service(power)).await;
        grpc::serve_on(routes, TcpListenerStream::new(listener), &serving).await
    });
    Remote { fake, client: NodeClient::new(channel), context }
}

mod provider {
    proto::node_suite!(super::remote());
}

fn take(node: Node) -> Take {
    Take { node, step: Step::Reboot, token: "t".into(), reason: String::new() }
}

#[tokio::test]
async fn a_driver_that_is_not_there_was_surely_not_asked() {
    let (listener, channel) = loopback().await;
    drop(listener);
    let client = NodeClient::new(channel);
    let node = Fake::new("i-1", "10.0.0.1").node();
    assert!(matches!(client.describe(&node).await, Err(Error::Unreachable(_))));
    let refused = client.take(take(node)).await.map(|_| ());
    assert!(matches!(refused, Err(Error::Unreachable(_))), "{refused:?}");
}

#[tokio::test]
async fn a_driver_that_goes_away_during_a_step_is_ambiguous() {
    let remote = remote().await;
    let node = remote.fake.node();
    remote.client.describe(&node).await.unwrap();
    // A listener that takes the request and closes the connection.
    let (listener, channel) = loopback().await;
    remote.context.tasks.spawn("breaking", async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        let mut read = 0;
        // The preface, the settings, and then the request's headers.
        while read < 200 {
            stream.readable().await.unwrap();
            read += stream.try_read(&mut buffer).unwrap_or(0);
        }
    });
    let broken = NodeClient::new(channel).take(take(node)).await.map(|_| ());
    assert!(matches!(broken, Err(Error::Ambiguous(_))), "{broken:?}");
}

#[tokio::test]
async fn a_worker_that_is_not_there_is_unavailable() {
    let (listener, channel) = loopback().await;
    drop(listener);
    let refused = Client::new(channel).submit(Request::default()).await.unwrap_err();
    assert_eq!(refused.0.code, 503, "{refused:?}");
}
