//! The webhook: answers `authentication.k8s.io` TokenReviews, as a kube-apiserver asks them of
//! `--authentication-token-webhook-config-file`.
//!
//! It listens on a port of its own, and knows who asks by the client certificate alone. A server that also took bearer tokens
//! would review them with the kube-apiserver, which would review them here, and so on.
//!
//! A token that is not ours, or whose secret is wrong, is not authenticated, without a reason; the kube-apiserver then asks
//! its other authenticators. What is asked is neither logged nor sent back.

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::Context as _;
use axum::{
    Router,
    body::{self, Body},
    extract::State,
    response::IntoResponse,
    routing::post,
};
use http::{Response, StatusCode, header};
use machinery::status::Status;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
};
use runtime::{
    Context,
    serve::{self, Listener, Settings},
    tls::{Identity, ServerTls},
};
use serde_json::{Value, json};

use crate::{
    limit::Bucket,
    verify::{Verdict, Verifier},
};

/// A review is small: a token, and some audiences.
const BODY_LIMIT: usize = 1 << 20;
/// Where reviews are answered.
const PATH: &str = "/tokenreviews";
/// The versions that a kube-apiserver may ask in; they say the same.
const VERSIONS: [&str; 2] = ["authentication.k8s.io/v1", "authentication.k8s.io/v1beta1"];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

struct Reviews {
    verifier: Verifier,
    bucket: Bucket,
    counted: Family<Outcome, Counter>,
}

/// Answers reviews on `address`, asked by those who have a certificate of the CA in `ca`, until the process drains.
pub(crate) async fn serve(
    verifier: Verifier,
    (address, ca): (SocketAddr, &Path),
    per_second: u32,
    identity: Arc<Identity>,
    context: &Context,
) -> anyhow::Result<()> {
    let tls = ServerTls::requiring(identity, ca, &context.tasks)
        .with_context(|| format!("reading {}, given with --token-webhook-client-ca-file", ca.display()))?;
    let listening = Listener::tls(address, tls).await;
    let listener = listening.with_context(|| format!("listening on --token-webhook-listen {address}"))?;
    let counted = context.metrics.register(|registry| {
        let counted = Family::default();
        registry.register("outrigger_token_reviews", "TokenReviews answered, by outcome", counted.clone());
        counted
    });
    let reviews = Reviews { verifier, bucket: Bucket::new(per_second), counted };
    let router = Router::new().route(PATH, post(review)).with_state(Arc::new(reviews));
    serve::serve(listener, router, Settings::default(), &context.tasks).await.context("answering TokenReviews")
}

async fn review(State(reviews): State<Arc<Reviews>>, body: Body) -> Response<Body> {
    let (outcome, answer) = reviews.answer(body).await;
    reviews.counted.get_or_create(&Outcome { outcome }).inc();
    answer
}

// === impl Reviews ===

impl Reviews {
    async fn answer(&self, body: Body) -> (&'static str, Response<Body>) {
        if !self.bucket.take() {
            let refusal = Status::too_many_requests("more reviews are asked for than --token-reviews-per-second", 1);
            return ("limited", refused(&refusal));
        }
        let Ok(bytes) = body::to_bytes(body, BODY_LIMIT).await else {
            return ("unreadable", refused(&Status::too_large("a TokenReview is smaller")));
        };
        let Some((version, token)) = read(&bytes) else {
            return (
                "unreadable",
                refused(&Status::bad_request("the body is no TokenReview of authentication.k8s.io/v1")),
            );
        };
        match self.verifier.verify(&token).await {
            Ok(verdict) => (said(&verdict), answered(&version, &verdict)),
            Err(error) => {
                tracing::warn!("a token could not be reviewed: {error}");
                ("unavailable", refused(&Status::unavailable("the tokens cannot be read", 1)))
            }
        }
    }
}

/// The version that a review is asked in, and the token.
fn read(body: &[u8]) -> Option<(String, String)> {
    let review: Value = serde_json::from_slice(body).ok()?;
    let version = review["apiVersion"].as_str().filter(|version| VERSIONS.contains(version))?;
    if review["kind"] != "TokenReview" {
        return None;
    }
    Some((version.to_owned(), review["spec"]["token"].as_str()?.to_owned()))
}

fn said(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::User(_) => "authenticated",
        Verdict::Refused(_) => "refused",
        Verdict::Unknown => "unknown",
    }
}

fn answered(version: &str, verdict: &Verdict) -> Response<Body> {
    let status = match verdict {
        Verdict::User(user) => json!({
            "authenticated": true,
            "user": { "username": user.name, "groups": user.groups, "extra": user.extra },
        }),
        Verdict::Refused(why) => json!({ "authenticated": false, "error": why }),
        Verdict::Unknown => json!({ "authenticated": false }),
    };
    let review = json!({ "apiVersion": version, "kind": "TokenReview", "metadata": {}, "spec": {}, "status": status });
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], review.to_string())
        .into_response()
}

fn refused(status: &Status) -> Response<Body> {
    let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (code, [(header::CONTENT_TYPE, "application/json")], status.to_json()).into_response();
    if let Some(seconds) = status.retry_after_seconds() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reviews_of_both_versions_are_read_and_nothing_else() {
        let review =
            |version: &str, kind: &str| json!({ "apiVersion": version, "kind": kind, "spec": { "token": "t" } });
        for version in VERSIONS {
            let body = review(version, "TokenReview").to_string();
            assert_eq!(read(body.as_bytes()), Some((version.to_owned(), "t".to_owned())));
        }
        for body in [
            review("v1", "TokenReview").to_string(),
            review(VERSIONS[0], "SubjectAccessReview").to_string(),
            json!({ "apiVersion": VERSIONS[0], "kind": "TokenReview" }).to_string(),
            "{".to_owned(),
        ] {
            assert_eq!(read(body.as_bytes()), None, "{body}");
        }
    }
}
