//! What arrives while the process drains, on connections whose clients do not know yet: they are asked to come back, to
//! whoever serves then. Probes are answered as ever.

use axum::body::Body;
use http::Response;
use machinery::status::Status;

use crate::{api::Api, request::RequestInfo, respond};

/// After so many seconds clients come back.
const AFTER: u32 = 5;
/// What is asked of a process whatever state it is in.
const PROBES: [&str; 3] = ["/healthz", "/livez", "/readyz"];

/// The refusal of a request that is late.
pub(super) fn refusal(api: &Api, info: &RequestInfo) -> Option<Response<Body>> {
    let probe = PROBES.iter().any(|probe| info.path.starts_with(probe));
    (api.shutdown().is_draining() && !probe).then(|| {
        let text = "the server is shutting down, please try again later";
        respond::status(&Status::too_many_requests(text, AFTER), info)
    })
}
