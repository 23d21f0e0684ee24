//! Who asks?

use std::{sync::Arc, time::SystemTime};

use async_trait::async_trait;
use http::HeaderMap;
use kube::Client;
use runtime::{clock::Clock, serve::Peer};
use rustls_pki_types::UnixTime;

use crate::{
    Authorizer, Error, Result, Source, User,
    headers::Names,
    impersonate::impersonate,
    request_header, strip_identity,
    token::{self, TokenReviews},
    trust::Trust,
};

/// Says who makes a request.
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// The user whom a request's headers and its connection's other end prove; `None` when they claim nothing.
    async fn authenticate(&self, headers: &HeaderMap, peer: &Peer) -> Result<Option<User>>;

    /// Removes from a request whatever says who somebody is. Call it before anybody else reads the headers.
    fn strip(&self, headers: &mut HeaderMap) {
        strip_identity(headers);
    }
}

/// What a server behind a cluster does, and with fewer sources one without: front proxy, client certificate, bearer
/// token, in this order; then impersonation.
pub struct Delegated {
    source: Source,
    tokens: Option<TokenReviews>,
    authorizer: Arc<dyn Authorizer>,
    clock: Clock,
}

// === impl Delegated ===

impl Delegated {
    /// Believes whom `source` says, asks the cluster of `client` about tokens, and `authorizer` about impersonation.
    pub fn new(source: Source, client: Option<Client>, authorizer: Arc<dyn Authorizer>, clock: Clock) -> Self {
        Self { source, tokens: client.map(TokenReviews::new), authorizer, clock }
    }

    async fn identify(&self, headers: &HeaderMap, peer: &Peer) -> Result<Option<User>> {
        let trust = self.source.current().ok_or(Error::NotReady)?;
        let now = UnixTime::since_unix_epoch((self.clock)().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default());
        let verdict = trust.judge(&peer.certificates, now).await;
        if let Some(user) = proxied(&trust, headers, verdict.is_proxy)? {
            return Ok(Some(user));
        }
        if let Some(user) = &verdict.user {
            return Ok(Some(user.clone()));
        }
        match (token::bearer(headers).map_err(Error::Refused)?, &self.tokens) {
            (Some(token), Some(tokens)) => match tokens.review(token, &[]).await? {
                Some(reviewed) => Ok(Some(reviewed.user)),
                None => Err(Error::Refused("the token is nobody's".to_owned())),
            },
            (Some(_), None) => Err(Error::Refused("there is no cluster to ask about tokens".to_owned())),
            (None, _) => Ok(None),
        }
    }
}

#[async_trait]
impl Authenticator for Delegated {
    async fn authenticate(&self, headers: &HeaderMap, peer: &Peer) -> Result<Option<User>> {
        let user = self.identify(headers, peer).await.inspect_err(|error| log(error, peer))?;
        match user {
            Some(user) => impersonate(user.authenticated(), headers, &*self.authorizer).await.map(Some),
            None => Ok(None),
        }
    }

    fn strip(&self, headers: &mut HeaderMap) {
        strip_identity(headers);
        if let Some(proxy) = self.source.current().as_ref().and_then(|trust| trust.proxy.as_ref()) {
            proxy.names.strip(headers);
        }
    }
}

/// The user whom the front proxy states. Who states one and is not the front proxy is lying.
fn proxied(trust: &Trust, headers: &HeaderMap, is_proxy: bool) -> Result<Option<User>> {
    let none = Names::default();
    let names = trust.proxy.as_ref().map_or(&none, |proxy| &proxy.names);
    match headers.keys().find(|name| names.claims(name)) {
        None => Ok(None),
        Some(_) if is_proxy => request_header::user(headers, names).map_err(Error::Refused),
        Some(claim) => Err(Error::Refused(format!("the header {claim} came from somebody who is not the front proxy"))),
    }
}

fn log(error: &Error, peer: &Peer) {
    let address = peer.address;
    match error {
        Error::TokenReview(cause) => {
            tracing::error!("could not ask whose a token is: {}", runtime::telemetry::chain(&**cause));
        }
        _ => tracing::info!(client.address = %address, "refused {address}: {error}"),
    }
}
