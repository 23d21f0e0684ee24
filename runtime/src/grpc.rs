//! Connections between our processes, both ends.
//!
//! `https://HOST:PORT` is mTLS; `unix:///PATH` is a socket inside a pod. There is nothing else: what goes between our
//! processes is either encrypted and authenticated, or never leaves the machine.

mod server;

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use http::Uri;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tonic::transport::Endpoint;
use tower::{Layer, service_fn};

use crate::{
    Tasks,
    args::PeerTlsArgs,
    telemetry::{Inject, InjectLayer},
    tls::{ClientTls, Identity, bootstrap::Pair},
};

pub use server::{listen, routes, serve, serve_on};

/// For the connection and its handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a server is asked whether it is still there, and how long it may take to say so.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// Bytes of one stream, and of all, that may be on their way to us: a list should not wait for acknowledgements.
const WINDOWS: (u32, u32) = (2 << 20, 16 << 20);

/// A connection to another process of ours; it carries the current span, and reconnects by itself.
pub type Channel = Inject<tonic::transport::Channel>;

/// An address that cannot be connected to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is neither of the two forms.
    #[error("{0:?} is neither https://HOST:PORT nor unix:///PATH")]
    Address(String),
    /// It is to be reached by TLS, and there is no certificate to show.
    #[error("{0} needs a CA, a certificate and its key")]
    NoCertificate(String),
}

enum Target {
    Tls { host: String, port: u16 },
    Unix(PathBuf),
}

/// A channel to `address`, which connects when it is first used, showing the certificate of `peer`.
pub fn connect(address: &str, peer: &PeerTlsArgs, tasks: &Tasks) -> anyhow::Result<Channel> {
    let tls = match certificate(peer) {
        Some((pair, ca)) => {
            let identity = Identity::load(&pair, tasks).context("loading --peer-cert-file")?;
            Some(ClientTls::new(identity, ca, tasks).context("loading --peer-ca-file")?)
        }
        None => None,
    };
    channel(address, tls.as_ref()).with_context(|| {
        format!("connecting to {address}: https needs --peer-ca-file, --peer-cert-file and --peer-key-file")
    })
}

/// The certificate to show and the CA to believe, where there are all three files.
fn certificate(peer: &PeerTlsArgs) -> Option<(Pair, &Path)> {
    let (ca, cert, key) = (peer.peer_ca_file.as_ref()?, peer.peer_cert_file.as_ref()?, peer.peer_key_file.as_ref()?);
    Some((Pair { cert: cert.clone(), key: key.clone() }, ca))
}

/// A channel to `address`, which connects when it is first used.
pub fn channel(address: &str, tls: Option<&ClientTls>) -> Result<Channel, Error> {
    let (keep_alive, keep_alive_timeout) = KEEP_ALIVE;
    // The connector below knows where to and adds TLS itself, so that certificates can change; this is a name only.
    let endpoint = Endpoint::from_static("http://outrigger")
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(keep_alive)
        .keep_alive_timeout(keep_alive_timeout)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(WINDOWS.0)
        .initial_connection_window_size(WINDOWS.1);
    let channel = match target(address).ok_or_else(|| Error::Address(address.to_owned()))? {
        Target::Unix(path) => endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(TokioIo::new) }
        })),
        Target::Tls { host, port } => {
            let tls = tls.ok_or_else(|| Error::NoCertificate(address.to_owned()))?;
            let connector = TlsConnector::from(tls.config());
            endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| {
                let (connector, host) = (connector.clone(), host.clone());
                async move {
                    let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
                    let stream = TcpStream::connect((host.as_str(), port)).await?;
                    stream.set_nodelay(true)?;
                    connector.connect(name, stream).await.map(TokioIo::new)
                }
            }))
        }
    };
    Ok(InjectLayer.layer(channel))
}

fn target(address: &str) -> Option<Target> {
    if let Some(path) = address.strip_prefix("unix://") {
        return path.starts_with('/').then(|| Target::Unix(PathBuf::from(path)));
    }
    let uri: Uri = address.parse().ok()?;
    if uri.scheme_str() != Some("https") || !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return None;
    }
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
    Some(Target::Tls { host, port: uri.port_u16()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_is_private_is_an_address() {
        for address in
            ["", "localhost:1", "http://localhost:1", "https://localhost", "https://h:1/x", "unix://x", "unix:///"]
        {
            let expected = if address == "unix:///" { None } else { Some(Error::Address(address.to_owned())) };
            assert_eq!(channel(address, None).err(), expected, "{address}");
        }
        let address = "https://[::1]:7443";
        assert_eq!(channel(address, None).err(), Some(Error::NoCertificate(address.to_owned())));
    }
}
