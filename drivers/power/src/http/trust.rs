//! Which CAs a provider's certificate may be of.

use std::{path::PathBuf, sync::Arc};

use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Where the CAs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// With the system, or where `SSL_CERT_FILE` and `SSL_CERT_DIR` say.
    System,
    /// In a file (PEM).
    File(PathBuf),
}

/// CAs that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The system has none.
    #[error("the system has no CA certificates; install them, or name a bundle by SSL_CERT_FILE or a CA file")]
    None,
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] runtime::files::Error),
    /// A file holds none.
    #[error("reading CA certificates")]
    Bundle(#[from] runtime::tls::Error),
    /// They cannot be verified with.
    #[error("using CA certificates")]
    Unusable(#[from] rustls::Error),
}

// === impl Trust ===

impl Trust {
    /// The file, if there is one, else the system.
    #[must_use]
    pub fn file_or_system(file: Option<PathBuf>) -> Self {
        file.map_or(Self::System, Self::File)
    }

    /// What handshakes use. Read it anew for each, as the files change.
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, TrustError> {
        let roots = match self {
            Self::System => system()?,
            Self::File(path) => runtime::tls::roots(&runtime::files::read(std::slice::from_ref(path))?[0])?,
        };
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn system() -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(TrustError::None) } else { Ok(roots) }
}
