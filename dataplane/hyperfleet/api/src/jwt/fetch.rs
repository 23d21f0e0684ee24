//! Reads keys over HTTPS.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Whoever takes longer has no keys for us.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of an answer.
const LONGEST: usize = 1 << 20;

/// Reads keys over HTTPS.
#[derive(Clone)]
pub(super) struct Client(legacy::Client<HttpsConnector<HttpConnector>, Empty<Bytes>>);

// === impl Client ===

impl Client {
    /// Believes the CAs of a file, or the system's.
    pub(super) fn new(ca: Option<&Path>) -> anyhow::Result<Self> {
        let roots = match ca {
            Some(path) => {
                let pem = std::fs::read(path).with_context(|| format!("reading --jwk-ca-file {}", path.display()))?;
                runtime::tls::roots(&pem).with_context(|| format!("reading --jwk-ca-file {}", path.display()))?
            }
            None => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                roots
            }
        };
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .context("setting TLS up for --jwk-cert-url")?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        Ok(Self(legacy::Client::builder(TokioExecutor::new()).build(connector)))
    }

    /// What a URL answers. Redirects are not followed: where keys come from is configuration.
    pub(super) async fn get(&self, url: &Uri) -> anyhow::Result<Vec<u8>> {
        let request = Request::get(url).header(header::ACCEPT, "application/json").body(Empty::new())?;
        let answer = async {
            let answer = self.0.request(request).await?;
            ensure!(answer.status() == StatusCode::OK, "it answers {}", answer.status());
            let body = Limited::new(answer.into_body(), LONGEST).collect().await;
            Ok(body.map_err(|error| anyhow::anyhow!(error))?.to_bytes().to_vec())
        };
        tokio::time::timeout(PATIENCE, answer).await.with_context(|| format!("no answer within {PATIENCE:?}"))?
    }
}

/// Reads the URL of keys: https, or http on this machine.
pub(super) fn url(text: &str) -> anyhow::Result<Uri> {
    let url: Uri = text.parse().with_context(|| format!("{text:?} of --jwk-cert-url or --jwt-issuer is no URL"))?;
    let host = url.host().unwrap_or_default();
    let here = host == "localhost" || host == "[::1]" || host.starts_with("127.");
    match url.scheme_str() {
        Some("https") if !host.is_empty() => Ok(url),
        Some("http") if here => Ok(url),
        _ => bail!("{text:?} of --jwk-cert-url or --jwt-issuer must begin with https://"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_https_or_from_this_machine() {
        for fine in
            ["https://sso.example.com/certs", "http://127.0.0.1:1/certs", "http://localhost/certs", "http://[::1]:1/"]
        {
            assert!(url(fine).is_ok(), "{fine}");
        }
        for refused in ["http://sso.example.com/certs", "ftp://127.0.0.1/", "https://", "nope"] {
            assert!(url(refused).is_err(), "{refused}");
        }
    }
}
