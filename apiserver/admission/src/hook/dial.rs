//! Connections to webhooks: where they lead, and what Go says when they do not come about.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::{CertificateError, Error};
use tokio::net::{TcpStream, lookup_host};
use tower::Service;

use super::Services;

/// Connects to where a URL says, or to a Service of the cluster whatever the URL says.
#[derive(Debug, Clone)]
pub(super) struct Dialer {
    service: Option<(Services, String, String, u16)>,
}

/// Why there is no connection, as Go says it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Problem(String);

// === impl Dialer ===

impl Dialer {
    pub(super) fn direct() -> Self {
        Self { service: None }
    }

    pub(super) fn service(services: Services, namespace: &str, name: &str, port: u16) -> Self {
        Self { service: Some((services, namespace.to_owned(), name.to_owned(), port)) }
    }

    async fn dial(self, uri: Uri) -> Result<TokioIo<TcpStream>, Problem> {
        let (host, port) = match &self.service {
            Some((services, namespace, name, port)) => {
                services.resolve(namespace, name, *port).await.map_err(Problem)?
            }
            None => {
                let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
                (host.to_owned(), uri.port_u16().unwrap_or(443))
            }
        };
        let addresses = lookup_host((host.as_str(), port)).await;
        let addresses: Vec<SocketAddr> =
            addresses.map_err(|_| Problem(format!("dial tcp: lookup {host}: no such host")))?.collect();
        let mut problem = Problem(format!("dial tcp: lookup {host}: no such host"));
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    return Ok(TokioIo::new(stream));
                }
                Err(error) => problem = Problem(format!("dial tcp {address}: connect: {}", os_problem(&error))),
            }
        }
        // The Service may have moved.
        if let Some((services, namespace, name, _)) = &self.service {
            services.forget(namespace, name);
        }
        Err(problem)
    }
}

impl Service<Uri> for Dialer {
    type Response = TokioIo<TcpStream>;
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().dial(uri))
    }
}

/// What an operating system says, without the number that Rust adds.
fn os_problem(error: &io::Error) -> String {
    let text = match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::HostUnreachable => "no route to host",
        io::ErrorKind::NetworkUnreachable => "network is unreachable",
        io::ErrorKind::TimedOut => "connection timed out",
        io::ErrorKind::ConnectionReset => "connection reset by peer",
        _ => return error.to_string(),
    };
    text.to_owned()
}

/// A failed handshake.
pub(super) fn tls_problem(error: &Error) -> String {
    let certificate = |problem: &str| format!("tls: failed to verify certificate: x509: {problem}");
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            certificate("certificate signed by unknown authority")
        }
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            certificate("certificate has expired or is not yet valid")
        }
        Error::InvalidCertificate(CertificateError::NotValidForNameContext { expected, presented }) => {
            let names: Vec<&str> = presented.iter().filter_map(|name| name.split('"').nth(1)).collect();
            certificate(&format!("certificate is valid for {}, not {}", names.join(", "), expected.to_str()))
        }
        error => format!("tls: {error}"),
    }
}
