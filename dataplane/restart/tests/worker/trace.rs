//! The trace of a request goes through the object and its worker to the driver.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::stream::BoxStream;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use proto::node::{Info, Instance, Mode, Node, NodePower, Plan, Progress, Result, Take, suite::fake::Fake};
use runtime::telemetry::parent_headers;
use tracing::{Instrument, Span, info_span};
use tracing_subscriber::layer::SubscriberExt;

use crate::{kubelet::Machine, world::World};

/// A cloud that keeps the trace of what it is asked to do.
struct Traced {
    cloud: Fake,
    traces: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl NodePower for Traced {
    async fn info(&self) -> Result<Info> {
        self.cloud.info().await
    }

    async fn describe(&self, node: &Node) -> Result<Instance> {
        self.cloud.describe(node).await
    }

    async fn plan(&self, node: &Node, mode: Mode) -> Result<Plan> {
        self.cloud.plan(node, mode).await
    }

    async fn take(&self, take: Take) -> Result<BoxStream<'static, Result<Progress>>> {
        self.traces.lock().unwrap().push(trace(&Span::current()));
        self.cloud.take(take).await
    }
}

/// The id of the trace that a span belongs to.
fn trace(span: &Span) -> String {
    let headers = parent_headers(span);
    headers["traceparent"].to_str().unwrap().split('-').nth(1).unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_request_is_one_trace_down_to_the_driver() {
    let tracer = SdkTracerProvider::builder().build().tracer("test");
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    let _default = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let (world, _) = World::fake().await;
    world.machine(Machine::Fast);
    let traces = Arc::default();
    let traced = Traced { cloud: world.cloud.clone(), traces: Arc::clone(&traces) };
    let running = world.worker_on(Arc::clone(&world.store), Arc::clone(&world.cluster), Arc::new(traced));
    let request = info_span!("request");
    let expected = trace(&request);
    let name = running.submit("node", "").instrument(request).await.unwrap().name;
    world.ended(&name).await;
    assert_eq!(*traces.lock().unwrap(), [expected]);
    running.stop().await;
}
