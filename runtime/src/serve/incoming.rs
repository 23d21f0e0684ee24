//! Connections for tonic, which brings its own HTTP.

use std::{convert::Infallible, io};

use futures::Stream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{
    Listener, Settings,
    handshake::{self, Connection},
};
use crate::Tasks;

/// Connections whose handshake is done, for `serve_with_incoming_shutdown`; requests carry their
/// [`Peer`](super::Peer) as an extension. The stream ends when the process drains.
pub fn incoming(
    listener: Listener,
    settings: Settings,
    tasks: &Tasks,
) -> impl Stream<Item = io::Result<Connection>> + use<> {
    tracing::info!("serving on {}", listener.address());
    let (send, receive) = mpsc::channel(1);
    let draining = tasks.shutdown().draining();
    let handshakes = tasks.clone();
    tasks.spawn("accept", async move {
        tokio::select! {
            () = draining => {}
            never = accept(listener, settings, &handshakes, send) => match never {},
        }
    });
    ReceiverStream::new(receive)
}

async fn accept(
    mut listener: Listener,
    settings: Settings,
    tasks: &Tasks,
    send: mpsc::Sender<io::Result<Connection>>,
) -> Infallible {
    loop {
        let (accepted, send) = (listener.accept().await, send.clone());
        tasks.spawn("handshake", async move {
            if let Some(connection) = handshake::shake(accepted, settings.handshake_timeout).await {
                // Nobody receives it once the server has ended: the client sees the connection close.
                let _ = send.send(Ok(connection)).await;
            }
        });
    }
}
