//! Certificates: who we are ([`Identity`]), what we ask of others ([`ServerTls`], [`ClientTls`]), and our own CA for those
//! who bring none ([`bootstrap`]).
//!
//! The one rule: on the API's port a client certificate is *asked for and not judged* in the handshake, as Go's servers
//! do it. A certificate that nobody vouches for is no identity; it is not a reason to cut the connection. `auth` verifies
//! chains, per request, against the root set that is for the purpose. Between our own processes it is the other way
//! round: no certificate of the right CA, no connection.

pub mod bootstrap;
mod client;
mod identity;
mod mint;
mod server;
mod verify;

use std::sync::Arc;

use rustls::{
    RootCertStore,
    crypto::{CryptoProvider, ring},
};
use rustls_pki_types::{CertificateDer, pem::PemObject};

pub use client::ClientTls;
pub use identity::Identity;
pub use server::ServerTls;
pub use verify::ClientRoots;

/// What can be wrong with certificates.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] crate::files::Error),
    /// A file holds no PEM of the kind that is needed.
    #[error("reading {what} from PEM")]
    Pem {
        /// What is looked for.
        what: &'static str,
        /// What is wrong.
        source: rustls_pki_types::pem::Error,
    },
    /// A bundle holds no certificate.
    #[error("there is no CA certificate in the bundle")]
    Empty,
    /// A certificate, or a certificate and its key, cannot be used.
    #[error("using a certificate")]
    Unusable(#[from] rustls::Error),
    /// A root set cannot be used to verify with.
    #[error("using a CA bundle")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
    /// A certificate cannot be made.
    #[error("making a certificate")]
    Mint(#[from] rcgen::Error),
}

/// The one provider of cryptography. Repeated calls do nothing.
pub fn install_provider() {
    // It fails when one is installed already, and there is only one in the build.
    let _ = ring::default_provider().install_default();
}

/// The one provider of cryptography.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Reads all certificates of a PEM bundle.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|source| Error::Pem { what: "certificates", source })
}

/// Reads a PEM bundle of CA certificates; an empty one is an error.
pub fn roots(pem: &[u8]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem)? {
        roots.add(certificate)?;
    }
    if roots.is_empty() { Err(Error::Empty) } else { Ok(roots) }
}
