//! What connections are accepted from.

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::tls::ServerTls;

/// Waited after an accept that failed, which is mostly for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// What connections are accepted from.
#[derive(Debug)]
pub enum Listener {
    /// TCP, with TLS on it.
    Tls(TcpListener, Arc<ServerTls>),
    /// TCP as it is, for what is public anyway or stays on this machine.
    Plain(TcpListener),
    /// A Unix socket; who may open it may ask.
    Unix(UnixSocket),
}

/// A Unix socket of mode 0600, which is removed when it is dropped.
#[derive(Debug)]
pub struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
}

/// A connection before its handshake.
pub(super) enum Accepted {
    Tls(TcpStream, SocketAddr, Arc<ServerTls>),
    Plain(TcpStream, SocketAddr),
    Unix(UnixStream),
}

// === impl Listener ===

impl Listener {
    /// Listens on a TCP address, with TLS.
    pub async fn tls(address: SocketAddr, tls: Arc<ServerTls>) -> io::Result<Self> {
        Ok(Self::Tls(TcpListener::bind(address).await?, tls))
    }

    /// Listens on a TCP address, without TLS.
    pub async fn plain(address: SocketAddr) -> io::Result<Self> {
        Ok(Self::Plain(TcpListener::bind(address).await?))
    }

    /// Listens on a Unix socket. One that nobody listens on any more is replaced.
    pub fn unix(path: &Path) -> io::Result<Self> {
        Ok(Self::Unix(UnixSocket::bind(path)?))
    }

    /// The TCP address that is listened on, which says the port when 0 was asked for.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match self {
            Self::Tls(listener, _) | Self::Plain(listener) => listener.local_addr().ok(),
            Self::Unix(_) => None,
        }
    }

    /// Where it listens, for people.
    pub fn address(&self) -> String {
        let url = |scheme: &str, listener: &TcpListener| {
            listener.local_addr().map_or_else(|error| error.to_string(), |address| format!("{scheme}://{address}"))
        };
        match self {
            Self::Tls(listener, _) => url("https", listener),
            Self::Plain(listener) => url("http", listener),
            Self::Unix(socket) => format!("unix://{}", socket.path.display()),
        }
    }

    /// The next connection. What fails is logged and tried again.
    pub(super) async fn accept(&mut self) -> Accepted {
        loop {
            let accepted = match self {
                Self::Tls(listener, tls) => listener.accept().await.map(|(stream, address)| {
                    // Small answers should not wait for each other; without the option they are merely slower.
                    let _ = stream.set_nodelay(true);
                    Accepted::Tls(stream, address, Arc::clone(tls))
                }),
                Self::Plain(listener) => listener.accept().await.map(|(stream, address)| {
                    let _ = stream.set_nodelay(true);
                    Accepted::Plain(stream, address)
                }),
                Self::Unix(socket) => socket.listener.accept().await.map(|(stream, _)| Accepted::Unix(stream)),
            };
            match accepted {
                Ok(accepted) => return accepted,
                Err(error) if is_the_clients(&error) => {
                    tracing::debug!("a client left before it was accepted: {error}")
                }
                Err(error) => {
                    tracing::error!("could not accept a connection on {}: {error}", self.address());
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

// === impl UnixSocket ===

impl UnixSocket {
    fn bind(path: &Path) -> io::Result<Self> {
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            let text = format!("somebody else listens on {}", path.display());
            return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
        }
        // It gets its name when it has its mode, so that nobody can be faster than the mode.
        let new = path.with_extension("new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&new)?;
        fs::set_permissions(&new, fs::Permissions::from_mode(0o600))?;
        fs::rename(&new, path)?;
        Ok(Self { listener, path: path.to_owned() })
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        // It may be gone already, and the next process replaces it anyway.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_unix_socket_is_its_owners_alone_and_replaces_only_a_dead_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "a dead one is left");

        let listener = Listener::unix(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Listener::unix(&path).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(listener);
        assert!(!path.exists());
    }
}
