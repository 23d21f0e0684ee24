//! Who asks. Without an answer to that nothing is answered but health.

use std::sync::Arc;

use auth::User;
use axum::body::Body;
use http::Request;
use machinery::status::Status;
use runtime::serve::Peer;

use crate::{api::Api, error::Result, request::RequestInfo};

/// The user, and the request without the headers that said so.
pub(super) async fn user(api: &Arc<Api>, info: &RequestInfo, request: &mut Request<Body>) -> Result<User> {
    if is_health(&info.path) {
        return Ok(User::anonymous());
    }
    let Some(peer) = request.extensions_mut().remove::<Peer>() else {
        return Err(Status::unauthorized().into());
    };
    let authenticated = api.authenticator().authenticate(request.headers(), &peer).await;
    api.authenticator().strip(request.headers_mut());
    match authenticated {
        Ok(Some(user)) => Ok(user),
        Ok(None) => Err(Status::unauthorized().into()),
        Err(error) => Err(error.status().into()),
    }
}

/// Health is for kubelets and load balancers, which have no identity.
pub(super) fn is_health(path: &str) -> bool {
    ["/healthz", "/livez", "/readyz"]
        .iter()
        .any(|health| path.strip_prefix(health).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}
