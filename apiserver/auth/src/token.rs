//! Bearer tokens, which the cluster is asked about.

use futures::FutureExt;
use http::{HeaderMap, header::AUTHORIZATION};
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, TokenReviewStatus};
use kube::Client;

use crate::{
    Error, Result, User,
    cache::{self, Cache},
    review,
};

const PATH: &str = "/apis/authentication.k8s.io/v1/tokenreviews";

/// Asks the cluster about tokens, once in ten seconds for each.
pub struct TokenReviews {
    client: Client,
    reviewed: Cache<Option<Reviewed>, review::Error>,
}

/// What the cluster says of a token that is somebody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// Whose it is.
    pub user: User,
    /// Those of the audiences asked about that it is for.
    pub audiences: Vec<String>,
}

// === impl TokenReviews ===

impl TokenReviews {
    /// Asks the cluster of `client`, with its rights: `system:auth-delegator` is enough.
    pub fn new(client: Client) -> Self {
        Self { client, reviewed: Cache::new() }
    }

    /// Whose a token is that is for one of `audiences`; `None` when it is nobody's, or for none of them. Without audiences
    /// it is to be for the cluster's own API.
    pub async fn review(&self, token: &str, audiences: &[String]) -> Result<Option<Reviewed>> {
        let asked = (!audiences.is_empty()).then(|| audiences.to_vec());
        let spec = TokenReviewSpec { token: token.to_owned(), audiences: asked };
        let review = TokenReview { spec, ..TokenReview::default() };
        let review = serde_json::to_vec(&review).expect("a review is plain data");
        let key = cache::key(&review);
        let ask = || {
            let (client, audiences) = (self.client.clone(), audiences.to_vec());
            async move {
                let status = review::status(client, PATH, review).await?;
                let status = serde_json::from_value(status).map_err(|_| review::Error::Unreadable)?;
                Ok(reviewed(status, &audiences))
            }
            .boxed()
        };
        self.reviewed.get(key, ask).await.map_err(Error::TokenReview)
    }
}

/// The token of a request. The scheme may be written in any case; another scheme is no token.
pub(crate) fn bearer(headers: &HeaderMap) -> std::result::Result<Option<&str>, String> {
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

/// A cluster that knows no audiences names none: what it says of a token counts for its own API only.
fn reviewed(status: TokenReviewStatus, asked: &[String]) -> Option<Reviewed> {
    let audiences = status.audiences.clone().unwrap_or_default();
    let audiences: Vec<_> = audiences.into_iter().filter(|audience| asked.contains(audience)).collect();
    let user = user(status).filter(|_| asked.is_empty() || !audiences.is_empty())?;
    Some(Reviewed { user, audiences })
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
    use k8s_openapi::api::authentication::v1::UserInfo;

    use super::*;

    fn read(values: &[&str]) -> std::result::Result<Option<String>, String> {
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

    #[test]
    fn a_token_is_for_the_audiences_that_were_asked_about_or_it_is_nobodys() {
        let one = |text: &str| vec![text.to_owned()];
        let user = || Some(UserInfo { username: Some("bob".to_owned()), ..UserInfo::default() });
        let status = |audiences| TokenReviewStatus {
            authenticated: Some(true),
            user: user(),
            audiences,
            ..TokenReviewStatus::default()
        };
        let audiences = |status, asked: &[String]| reviewed(status, asked).map(|reviewed| reviewed.audiences);
        assert_eq!(audiences(status(None), &[]), Some(vec![]));
        assert_eq!(audiences(status(Some(one("a"))), &one("a")), Some(one("a")));
        for given in [None, Some(vec![]), Some(one("b"))] {
            assert_eq!(audiences(status(given), &one("a")), None);
        }
        let refused = TokenReviewStatus { authenticated: Some(false), ..status(Some(one("a"))) };
        assert_eq!(audiences(refused, &one("a")), None);
    }
}
