//! Bearer tokens, which the cluster is asked about.

use std::sync::Arc;

use futures::FutureExt;
use http::{HeaderMap, header::AUTHORIZATION};
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, TokenReviewStatus};
use kube::Client;

use crate::{
    User,
    cache::{self, Cache},
    review,
};

const PATH: &str = "/apis/authentication.k8s.io/v1/tokenreviews";

/// Knows the users of tokens.
pub(crate) struct Tokens {
    client: Client,
    users: Cache<Option<User>, review::Error>,
}

// === impl Tokens ===

impl Tokens {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, users: Cache::new() }
    }

    /// The user of a token; `None` when it is nobody's.
    pub(crate) async fn user(&self, token: &str) -> Result<Option<User>, Arc<review::Error>> {
        let review = || {
            let spec = TokenReviewSpec { token: token.to_owned(), ..TokenReviewSpec::default() };
            let review = TokenReview { spec, ..TokenReview::default() };
            let review = serde_json::to_vec(&review).expect("a review is plain data");
            let client = self.client.clone();
            async move {
                let status = review::status(client, PATH, review).await?;
                serde_json::from_value(status).map(user).map_err(|_| review::Error::Unreadable)
            }
            .boxed()
        };
        self.users.get(cache::key(token.as_bytes()), review).await
    }
}

/// The token of a request. The scheme may be written in any case; another scheme is no token.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, String> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return if headers.contains_key(AUTHORIZATION) {
            Err("there is more than one Authorization header".to_owned())
        } else {
            Ok(None)
        };
    };
    let value = value.to_str().map_err(|_| "the Authorization header is not text".to_owned())?;
    let mut parts = value.trim().splitn(3, ' ');
    let (scheme, token) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    Ok((scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token))
}

fn user(status: TokenReviewStatus) -> Option<User> {
    if let Some(error) = status.error.filter(|error| !error.is_empty()) {
        tracing::debug!("the cluster refused a token: {error}");
    }
    let user = status.user.filter(|_| status.authenticated == Some(true))?;
    Some(User {
        name: user.username.filter(|name| !name.is_empty())?,
        uid: user.uid.unwrap_or_default(),
        groups: user.groups.unwrap_or_default(),
        extra: user.extra.unwrap_or_default(),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<Option<String>, String> {
        let headers: HeaderMap = values.iter().fold(HeaderMap::new(), |mut headers, value| {
            headers.append(AUTHORIZATION, value.parse().unwrap());
            headers
        });
        bearer(&headers).map(|token| token.map(str::to_owned))
    }

    #[test]
    fn tokens_are_read_as_go_reads_them() {
        let cases = [
            ("Bearer t0ken", Some("t0ken")),
            ("bEaReR t0ken", Some("t0ken")),
            ("  Bearer t0ken and more", Some("t0ken")),
            ("Bearer ", None),
            ("Bearer  two-spaces", None),
            ("Bearer", None),
            ("Basic dTpw", None),
            ("", None),
        ];
        for (value, token) in cases {
            assert_eq!(read(&[value]), Ok(token.map(str::to_owned)), "{value}");
        }
        assert_eq!(read(&[]), Ok(None));
        assert!(read(&["Bearer a", "Bearer b"]).is_err());
    }
}
