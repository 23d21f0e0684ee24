//! A certificate with its key, followed when the files change.

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    SignatureScheme, client::ResolvesClientCert, server::ClientHello, server::ResolvesServerCert, sign::CertifiedKey,
};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};

use super::{Error, bootstrap::Pair, certificates, provider};
use crate::{
    Tasks,
    files::{self, Contents},
};

/// Who we are in a TLS handshake. Each handshake uses what was read last; a broken change changes nothing.
#[derive(Debug)]
pub struct Identity {
    current: RwLock<Arc<CertifiedKey>>,
}

// === impl Identity ===

impl Identity {
    /// Reads a certificate chain and its key, and follows the files as long as `tasks` run.
    pub fn load(pair: &Pair, tasks: &Tasks) -> Result<Arc<Self>, Error> {
        let paths: Vec<PathBuf> = vec![pair.cert.clone(), pair.key.clone()];
        let contents = files::read(&paths)?;
        let identity = Arc::new(Self::parse(&contents[0], &contents[1])?);
        let followed = Arc::clone(&identity);
        files::follow(tasks, paths.clone(), contents, move |contents| followed.replace(&paths, contents));
        Ok(identity)
    }

    /// Reads a certificate chain and its key from PEM.
    pub fn parse(cert: &[u8], key: &[u8]) -> Result<Self, Error> {
        Ok(Self { current: RwLock::new(Arc::new(certified(cert, key)?)) })
    }

    fn replace(&self, paths: &[PathBuf], contents: &Contents) {
        let file = paths[0].display();
        match certified(&contents[0], &contents[1]) {
            Ok(certified) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certified);
                tracing::info!("using the new certificate of {file}");
            }
            Err(error) => {
                tracing::error!("keeping the old certificate of {file}: {}", crate::telemetry::chain(&error));
            }
        }
    }

    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// A key that is not the certificate's is an error.
fn certified(cert: &[u8], key: &[u8]) -> Result<CertifiedKey, Error> {
    let chain = certificates(cert)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|source| Error::Pem { what: "a private key", source })?;
    Ok(CertifiedKey::from_der(chain, key, &provider())?)
}
