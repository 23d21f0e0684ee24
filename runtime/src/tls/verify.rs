//! What a peer must show in the handshake.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::{Error, certificates, provider, roots};

/// Asks for a certificate and takes any, or none. That the client has its key *is* verified: without that, a chain
/// would prove nothing later.
#[derive(Debug)]
pub(super) struct Ask {
    provider: Arc<CryptoProvider>,
    acceptable: Vec<DistinguishedName>,
}

/// Requires a certificate of a root set that can be replaced.
pub(super) struct Require {
    inner: RwLock<Arc<dyn ClientCertVerifier>>,
}

/// Requires a server's certificate to be of a root set that can be replaced, and for the name that was dialled.
pub(super) struct Server {
    inner: RwLock<Arc<WebPkiServerVerifier>>,
}

/// CAs that vouch for clients, to judge chains by after the handshake.
#[derive(Clone)]
pub struct ClientRoots {
    verifier: Arc<dyn ClientCertVerifier>,
    certificates: Vec<CertificateDer<'static>>,
}

// === impl Ask ===

impl Ask {
    /// `acceptable` are the CAs that clients choose their certificate by; Go's send none when no name fits.
    pub(super) fn new(acceptable: Vec<DistinguishedName>) -> Self {
        Self { provider: provider(), acceptable }
    }
}

impl ClientCertVerifier for Ask {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.acceptable
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

// === impl Require ===

impl Require {
    pub(super) fn new(roots: RootCertStore) -> Result<Self, Error> {
        Ok(Self { inner: RwLock::new(client_verifier(roots)?) })
    }

    pub(super) fn replace(&self, roots: RootCertStore) -> Result<(), Error> {
        *self.inner.write().unwrap_or_else(PoisonError::into_inner) = client_verifier(roots)?;
        Ok(())
    }

    fn inner(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::clone(&self.inner.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn client_verifier(roots: RootCertStore) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    Ok(WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build()?)
}

impl ClientCertVerifier for Require {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // None: the root set may be another one at the next handshake, and our clients have one certificate only.
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.inner().verify_client_cert(leaf, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner().verify_tls12_signature(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner().verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner().supported_verify_schemes()
    }
}

impl fmt::Debug for Require {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Require")
    }
}

// === impl Server ===

impl Server {
    pub(super) fn new(roots: RootCertStore) -> Result<Self, Error> {
        Ok(Self { inner: RwLock::new(server_verifier(roots)?) })
    }

    pub(super) fn replace(&self, roots: RootCertStore) -> Result<(), Error> {
        *self.inner.write().unwrap_or_else(PoisonError::into_inner) = server_verifier(roots)?;
        Ok(())
    }

    fn inner(&self) -> Arc<WebPkiServerVerifier> {
        Arc::clone(&self.inner.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn server_verifier(roots: RootCertStore) -> Result<Arc<WebPkiServerVerifier>, Error> {
    Ok(WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build()?)
}

impl ServerCertVerifier for Server {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.inner().verify_server_cert(leaf, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner().verify_tls12_signature(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner().verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner().supported_verify_schemes()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Server")
    }
}

// === impl ClientRoots ===

impl ClientRoots {
    /// Reads a PEM bundle; one without certificates is an error.
    pub fn parse(pem: &[u8]) -> Result<Self, Error> {
        let roots = roots(pem)?;
        let certificates = certificates(pem)?;
        Ok(Self { verifier: client_verifier(roots)?, certificates })
    }

    /// Whether these CAs vouch for a chain (its leaf first) as a client's at `now`.
    pub fn verify(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<(), rustls::Error> {
        let (leaf, intermediates) =
            chain.split_first().ok_or(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        self.verifier.verify_client_cert(leaf, intermediates, now).map(|_| ())
    }

    /// Whether the two sets have a CA in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.certificates.iter().any(|certificate| other.certificates.contains(certificate))
    }

    /// The CAs' names, which clients choose their certificate by.
    pub fn subjects(&self) -> Vec<DistinguishedName> {
        self.verifier.root_hint_subjects().to_vec()
    }
}

impl fmt::Debug for ClientRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientRoots").field("certificates", &self.certificates.len()).finish()
    }
}
