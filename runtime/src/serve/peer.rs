//! Who is at the other end of a connection.

use std::{fmt, net::SocketAddr, sync::Arc};

use rustls_pki_types::CertificateDer;

/// The other end of a connection: an extension of each of its requests.
#[derive(Debug, Clone, Default)]
pub struct Peer {
    /// Where it is.
    pub address: Address,
    /// The certificate chain that it showed, the leaf first. It has the leaf's key, but **nobody has vouched for the
    /// chain**: whoever takes an identity from it verifies it first.
    pub certificates: Arc<[CertificateDer<'static>]>,
}

/// Where a peer is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Address {
    /// Over the network.
    Tcp(SocketAddr),
    /// On this machine, through a Unix socket.
    #[default]
    Unix,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix => f.write_str("unix"),
        }
    }
}
