//! The server's side of TLS.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::{
    DistinguishedName, ServerConfig,
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    version::{TLS12, TLS13},
};

use super::{
    Error, Identity, provider, roots,
    verify::{Ask, Require},
};
use crate::{Tasks, files};

/// What connections are accepted with. It may change while the process runs; each handshake takes what is current.
#[derive(Debug)]
pub struct ServerTls {
    identity: Arc<Identity>,
    config: RwLock<Arc<ServerConfig>>,
}

// === impl ServerTls ===

impl ServerTls {
    /// For the API: asks for a client certificate and takes any, or none; who the client is gets decided per request.
    pub fn asking(identity: Arc<Identity>) -> Result<Arc<Self>, Error> {
        let config = asking(&identity, Vec::new())?;
        Ok(Arc::new(Self { identity, config: RwLock::new(Arc::new(config)) }))
    }

    /// For those who are known by something else: asks for no certificate.
    pub fn anonymous(identity: Arc<Identity>) -> Result<Arc<Self>, Error> {
        let config = config(&identity, WebPkiClientVerifier::no_client_auth(), &[b"h2", b"http/1.1"])?;
        Ok(Arc::new(Self { identity, config: RwLock::new(Arc::new(config)) }))
    }

    /// For our own processes: requires a client certificate of the CAs in a file, which is followed.
    pub fn requiring(identity: Arc<Identity>, ca: &std::path::Path, tasks: &Tasks) -> Result<Arc<Self>, Error> {
        let paths = vec![ca.to_owned()];
        let contents = files::read(&paths)?;
        let verifier = Arc::new(Require::new(roots(&contents[0])?)?);
        let mut config = config(&identity, Arc::clone(&verifier) as Arc<dyn ClientCertVerifier>, &[b"h2"])?;
        // A session that is resumed is not verified again, so a CA that is withdrawn would linger.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        files::follow(tasks, paths, contents, move |contents| {
            let replaced = roots(&contents[0]).and_then(|roots| verifier.replace(roots));
            if let Err(error) = replaced {
                tracing::error!("keeping the CAs that were read before: {}", crate::telemetry::chain(&error));
            }
        });
        Ok(Arc::new(Self { identity, config: RwLock::new(Arc::new(config)) }))
    }

    /// Tells clients of an [asking](Self::asking) server which CAs it knows, from the next handshake on. Go's clients,
    /// the aggregator first of all, show a certificate only if its CA is among them.
    pub fn advertise(&self, acceptable: Vec<DistinguishedName>) -> Result<(), Error> {
        let config = asking(&self.identity, acceptable)?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
        Ok(())
    }

    /// What the next handshake uses.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn asking(identity: &Arc<Identity>, acceptable: Vec<DistinguishedName>) -> Result<ServerConfig, Error> {
    config(identity, Arc::new(Ask::new(acceptable)), &[b"h2", b"http/1.1"])
}

fn config(
    identity: &Arc<Identity>,
    clients: Arc<dyn ClientCertVerifier>,
    protocols: &[&[u8]],
) -> Result<ServerConfig, Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_client_cert_verifier(clients)
        .with_cert_resolver(Arc::clone(identity) as _);
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}
