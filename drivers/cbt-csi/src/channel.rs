//! The connection to a CSI driver.
//!
//! It is made when it is first used, and again when the driver has restarted. Nobody is asked over it whether they are
//! still there: gRPC servers in Go cut off who asks more than once in five minutes, also in the middle of an answer, and a
//! socket tells by itself when the other end is gone.

use std::path::PathBuf;

use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

/// Bytes of one answer that may be on their way to us.
const WINDOW: u32 = 1 << 20;

/// A channel through a socket.
pub(crate) fn channel(socket: PathBuf) -> Channel {
    // The name is seen by nobody but the driver, and "localhost" is what it expects.
    let endpoint = Endpoint::from_static("http://localhost").initial_stream_window_size(WINDOW);
    endpoint.initial_connection_window_size(WINDOW * 8).connect_with_connector_lazy(service_fn(move |_: Uri| {
        let socket = socket.clone();
        async move { UnixStream::connect(socket).await.map(TokioIo::new) }
    }))
}
