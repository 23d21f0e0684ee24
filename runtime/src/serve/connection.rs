//! HTTP on one connection.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};
use tower::{Service, ServiceExt};

use super::{BoxError, LastResponse, Settings, activity::Activity, handshake::Connection};
use crate::Shutdown;

/// Bytes of one HTTP/2 frame, as Kubernetes' servers take them.
const FRAME: u32 = 256 << 10;
/// Bytes of request bodies that may be on their way on one connection.
const WINDOW: u32 = 16 << 20;

/// A client that was told to leave and has nothing to wait for is cut off after this time.
const LINGER: Duration = Duration::from_secs(5);

/// Serves requests until the client leaves, is idle for too long, or the process has drained or aborts.
pub(super) async fn run<S, B>(connection: Connection, service: S, settings: Settings, shutdown: Shutdown)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send> + Clone + Send + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    let (peer, activity) = (connection.peer.clone(), Activity::begin());
    let address = peer.address;
    let requests = activity.clone();
    let last = Arc::new(Notify::new());
    let is_last = Arc::clone(&last);
    let handle = service_fn(move |mut request: Request<Incoming>| {
        let running = requests.enter();
        request.extensions_mut().insert(peer.clone());
        let response = service.clone().oneshot(request);
        let is_last = Arc::clone(&is_last);
        async move {
            let response = response.await?;
            if response.extensions().get::<LastResponse>().is_some() {
                is_last.notify_one();
            }
            Ok::<_, Infallible>(response.map(|body| running.track(body)))
        }
    });
    let builder = builder(settings);
    let mut http = pin!(builder.serve_connection(TokioIo::new(connection), handle));
    let (mut draining, mut aborted) = (pin!(shutdown.draining()), pin!(shutdown.aborted()));
    // When the client was told to leave.
    let mut told: Option<Instant> = None;
    let ended = loop {
        let idle_at = activity.idle_at(settings.header_timeout, settings.idle_timeout);
        let look_again = match (idle_at, told) {
            (None, _) => Instant::now() + settings.header_timeout,
            (Some(idle_at), None) => idle_at,
            (Some(_), Some(told)) => told + LINGER,
        };
        tokio::select! {
            ended = http.as_mut() => break ended,
            () = &mut aborted => return,
            () = &mut draining, if told.is_none() => {}
            () = last.notified(), if told.is_none() => {}
            () = sleep_until(look_again) => match activity.idle_at(settings.header_timeout, settings.idle_timeout) {
                Some(_) if told.is_some() => return,
                Some(idle_at) if idle_at <= Instant::now() => {}
                _ => continue,
            },
        }
        told = Some(Instant::now());
        http.as_mut().graceful_shutdown();
    };
    if let Err(error) = ended {
        tracing::debug!(client.address = %address, "the connection with {address} broke: {error}");
    }
}

fn builder(settings: Settings) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_timeout)
        .max_buf_size(settings.max_header_bytes as usize)
        .max_headers(settings.max_headers);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(settings.keep_alive_interval)
        .keep_alive_timeout(settings.keep_alive_timeout)
        .max_concurrent_streams(settings.max_streams)
        .max_header_list_size(settings.max_header_bytes)
        .max_frame_size(FRAME)
        .initial_stream_window_size(FRAME)
        .initial_connection_window_size(WINDOW);
    builder
}
