//! Whom identities are believed from: an immutable picture of it, replaced as a whole.

use std::{collections::BTreeMap, convert::Infallible, future::ready, sync::Arc};

use futures::FutureExt;
use http::HeaderName;
use runtime::tls::{self, ClientRoots};
use rustls::DistinguishedName;
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::{
    User,
    cache::{self, Cache, Key},
    certificate,
    headers::Names,
};

/// What [`Trust`] is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// PEM of the CAs that vouch for users.
    pub(crate) client_ca: Option<Vec<u8>>,
    /// The front proxy.
    pub(crate) proxy: Option<ProxySettings>,
}

/// What is known of the front proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ProxySettings {
    /// PEM of the CAs that vouch for it.
    pub(crate) ca: Vec<u8>,
    /// Its common names; none means any.
    pub(crate) allowed_names: Vec<String>,
    pub(crate) user_headers: Vec<String>,
    pub(crate) uid_headers: Vec<String>,
    pub(crate) group_headers: Vec<String>,
    pub(crate) extra_prefixes: Vec<String>,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("reading the {0} CA")]
    Ca(&'static str, #[source] tls::Error),
    #[error("{0:?} is not the name of a header")]
    Header(String),
    #[error("{0} is not a JSON list of strings")]
    List(String),
}

/// Whom identities are believed from.
pub(crate) struct Trust {
    client: Option<ClientRoots>,
    pub(crate) proxy: Option<Proxy>,
    /// Signatures are dear, and most requests come over connections that have been judged. Other CAs are another trust,
    /// which remembers nothing of this one.
    verdicts: Cache<Arc<Verdict>, Infallible>,
}

/// What a certificate chain proves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// It is the front proxy's.
    pub(crate) is_proxy: bool,
    /// It is this user's.
    pub(crate) user: Option<User>,
}

/// The front proxy.
#[derive(Debug)]
pub(crate) struct Proxy {
    roots: ClientRoots,
    allowed_names: Vec<String>,
    pub(crate) names: Names,
}

// === impl Settings ===

impl Settings {
    /// Reads the data of the ConfigMap `kube-system/extension-apiserver-authentication`.
    pub(crate) fn of_config_map(data: &BTreeMap<String, String>) -> Result<Self, Error> {
        let pem = |key: &str| data.get(key).filter(|pem| !pem.is_empty()).map(|pem| pem.clone().into_bytes());
        let list = |key: &str| match data.get(key).map(String::as_str) {
            None | Some("") => Ok(Vec::new()),
            Some(text) => serde_json::from_str(text).map_err(|_| Error::List(key.to_owned())),
        };
        let proxy = match pem("requestheader-client-ca-file") {
            None => None,
            Some(ca) => Some(ProxySettings {
                ca,
                allowed_names: list("requestheader-allowed-names")?,
                user_headers: list("requestheader-username-headers")?,
                uid_headers: list("requestheader-uid-headers")?,
                group_headers: list("requestheader-group-headers")?,
                extra_prefixes: list("requestheader-extra-headers-prefix")?,
            }),
        };
        Ok(Self { client_ca: pem("client-ca-file"), proxy })
    }
}

// === impl Trust ===

impl Trust {
    /// Makes a picture of settings. A front proxy that every user could pass for is left out.
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        let client = settings.client_ca.as_deref().map(ClientRoots::parse).transpose();
        let client = client.map_err(|error| Error::Ca("client", error))?;
        let proxy = settings.proxy.as_ref().map(Proxy::new).transpose()?;
        let open = |proxy: &Proxy| {
            proxy.allowed_names.is_empty() && client.as_ref().is_some_and(|client| client.overlaps(&proxy.roots))
        };
        if proxy.as_ref().is_some_and(open) {
            tracing::error!(
                "taking no identities from a front proxy: its CA also vouches for users and its names are not \
                 restricted, so every user could pass for it; set --requestheader-allowed-names"
            );
            return Ok(Self { client, proxy: None, verdicts: Cache::new() });
        }
        Ok(Self { client, proxy, verdicts: Cache::new() })
    }

    /// What a chain proves, which its end shows to have the key of.
    pub(crate) async fn judge(&self, chain: &[CertificateDer<'static>], now: UnixTime) -> Arc<Verdict> {
        if chain.is_empty() {
            return Arc::default();
        }
        let judged = self.verdicts.get(key_of(chain), || ready(Ok(Arc::new(self.verdict(chain, now)))).boxed()).await;
        judged.unwrap_or_else(|never| match *never {})
    }

    fn verdict(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Verdict {
        let is_user = self.client.as_ref().is_some_and(|roots| roots.verify(chain, now).is_ok());
        Verdict {
            is_proxy: self.proxy.as_ref().is_some_and(|proxy| proxy.is(chain, now)),
            user: chain.first().filter(|_| is_user).and_then(certificate::user),
        }
    }

    /// The names of all CAs, for clients to choose their certificate by.
    pub(crate) fn subjects(&self) -> Vec<DistinguishedName> {
        let roots = self.client.iter().chain(self.proxy.as_ref().map(|proxy| &proxy.roots));
        roots.flat_map(ClientRoots::subjects).collect()
    }
}

// === impl Proxy ===

impl Proxy {
    fn new(settings: &ProxySettings) -> Result<Self, Error> {
        let names = |names: &[String]| {
            let parse = |name: &String| name.parse().map_err(|_| Error::Header(name.clone()));
            names.iter().map(parse).collect::<Result<Vec<HeaderName>, _>>()
        };
        let names = Names {
            user: names(&settings.user_headers)?,
            uid: names(&settings.uid_headers)?,
            groups: names(&settings.group_headers)?,
            extra: settings.extra_prefixes.iter().map(|prefix| prefix.to_lowercase()).collect(),
        };
        warn_of_unusual(&names);
        let roots = ClientRoots::parse(&settings.ca).map_err(|error| Error::Ca("request-header", error))?;
        Ok(Self { roots, allowed_names: settings.allowed_names.clone(), names })
    }

    /// Whether the chain is the front proxy's.
    fn is(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> bool {
        let Some(leaf) = chain.first() else { return false };
        let named = || {
            self.allowed_names.is_empty()
                || certificate::common_name(leaf).is_some_and(|name| self.allowed_names.contains(&name))
        };
        named() && self.roots.verify(chain, now).is_ok()
    }
}

fn key_of(chain: &[CertificateDer<'_>]) -> Key {
    let digests: Vec<Key> = chain.iter().map(|certificate| cache::key(certificate)).collect();
    cache::key(digests.as_flattened())
}

/// The aggregator removes only the usual headers from what clients send (NCC-E003660-YVU).
fn warn_of_unusual(names: &Names) {
    let all = names.user.iter().chain(&names.uid).chain(&names.groups).map(HeaderName::as_str);
    for name in all.chain(names.extra.iter().map(String::as_str)) {
        if !name.starts_with("x-remote-") {
            tracing::warn!(
                header = name,
                "identities are read from {name}, which the aggregator does not remove from the requests of clients"
            );
        }
    }
}
