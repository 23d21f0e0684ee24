//! From an accepted socket to a connection whose other end is known.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{Address, Peer, listener::Accepted};
use crate::tls::ServerTls;

/// What Go's servers say to a client that has forgotten the `s` in `https`.
const NOT_TLS: &[u8] = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// A connection that can be read and written, and its other end.
pub struct Connection {
    stream: Box<dyn Stream>,
    /// Who is at the other end.
    pub peer: Peer,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Makes a connection of a socket. A client that fails at it is told where that is possible, logged and forgotten.
pub(super) async fn shake(accepted: Accepted, limit: Duration) -> Option<Connection> {
    let (stream, address, tls) = match accepted {
        Accepted::Unix(stream) => {
            let peer = Peer { address: Address::Unix, certificates: Arc::new([]) };
            return Some(Connection { stream: Box::new(stream), peer });
        }
        Accepted::Plain(stream, address) => {
            let peer = Peer { address: Address::Tcp(address), certificates: Arc::new([]) };
            return Some(Connection { stream: Box::new(stream), peer });
        }
        Accepted::Tls(stream, address, tls) => (stream, address, tls),
    };
    match timeout(limit, shake_tls(stream, address, &tls)).await {
        Ok(Ok(connection)) => Some(connection),
        Ok(Err(error)) => {
            tracing::debug!(client.address = %address, "TLS handshake with {address} failed: {error}");
            None
        }
        Err(_) => {
            tracing::debug!(client.address = %address, "{address} did not finish its TLS handshake in {limit:?}");
            None
        }
    }
}

async fn shake_tls(mut stream: TcpStream, address: SocketAddr, tls: &ServerTls) -> io::Result<Connection> {
    let mut first = [0];
    // A TLS record begins with its type, 0x16; every HTTP method with a capital letter.
    if stream.peek(&mut first).await? == 1 && first[0].is_ascii_uppercase() {
        return Err(refuse_http(&mut stream).await.err().unwrap_or_else(|| io::Error::other("it sent plain HTTP")));
    }
    let stream = TlsAcceptor::from(tls.config()).accept(stream).await?;
    let peer = Peer { address: Address::Tcp(address), certificates: certificates(&stream) };
    Ok(Connection { stream: Box::new(stream), peer })
}

/// The request is read before the socket closes, because closing it with unread data would destroy the answer.
async fn refuse_http(stream: &mut TcpStream) -> io::Result<()> {
    let mut request = [0; 4096];
    let _ = stream.read(&mut request).await?;
    stream.write_all(NOT_TLS).await?;
    stream.shutdown().await?;
    while stream.read(&mut request).await? > 0 {}
    Ok(())
}

fn certificates(stream: &TlsStream<TcpStream>) -> Arc<[rustls_pki_types::CertificateDer<'static>]> {
    stream.get_ref().1.peer_certificates().unwrap_or_default().to_vec().into()
}

// === impl Connection ===

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

impl tonic::transport::server::Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}
