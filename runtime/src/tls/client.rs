//! The client's side of TLS, between our own processes.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig,
    version::{TLS12, TLS13},
};

use super::{Error, Identity, provider, roots, verify::Server};
use crate::{Tasks, files};

/// Who we are to our servers, and which CAs we believe theirs to be of. Both are followed when their files change.
#[derive(Debug, Clone)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
}

// === impl ClientTls ===

impl ClientTls {
    /// Shows `identity` and requires the server's certificate to be of the CAs in a file, and for the name dialled.
    pub fn new(identity: Arc<Identity>, ca: &Path, tasks: &Tasks) -> Result<Self, Error> {
        let paths = vec![ca.to_owned()];
        let contents = files::read(&paths)?;
        let verifier = Arc::new(Server::new(roots(&contents[0])?)?);
        let config = config(identity, &verifier)?;
        files::follow(tasks, paths, contents, move |contents| {
            let replaced = roots(&contents[0]).and_then(|roots| verifier.replace(roots));
            if let Err(error) = replaced {
                tracing::error!("keeping the CAs that were read before: {}", crate::telemetry::chain(&error));
            }
        });
        Ok(Self { config: Arc::new(config) })
    }

    /// As [`Self::new`], with CAs that somebody else keeps.
    pub fn believing(identity: Arc<Identity>, bundle: &[u8]) -> Result<Self, Error> {
        let verifier = Arc::new(Server::new(roots(bundle)?)?);
        Ok(Self { config: Arc::new(config(identity, &verifier)?) })
    }

    /// What handshakes use.
    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }
}

fn config(identity: Arc<Identity>, verifier: &Arc<Server>) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(verifier) as _)
        .with_client_cert_resolver(identity as _);
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}
