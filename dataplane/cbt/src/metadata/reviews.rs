//! Tokens and rights, as the cluster says. Answers hold for ten seconds, under the token's hash.

use std::sync::Arc;

use async_trait::async_trait;
use auth::{AccessReviews, Attributes, Authorizer, Decision, TokenReviews, forbidden};
use kube::Client;
use proto::store::Store;
use runtime::Tasks;
use tonic::Status;

use super::{Admit, Audiences, Caller, audiences::Current};

/// Lets in whom a cluster vouches for.
pub struct Reviews {
    tokens: TokenReviews,
    access: AccessReviews,
    audiences: Audiences,
}

/// What a token was good for.
struct Known {
    audiences: Vec<String>,
    current: Current,
}

// === impl Reviews ===

impl Reviews {
    /// Asks the cluster of `client`. Tokens must be for `audience`, or for those of SnapshotMetadataServices, which are in
    /// the cluster or, where it has no such kind, in `store`.
    pub fn start(audience: Option<String>, client: Client, store: Option<Arc<dyn Store>>, tasks: &Tasks) -> Self {
        Self {
            tokens: TokenReviews::new(client.clone()),
            access: AccessReviews::new(client.clone()),
            audiences: Audiences::start(audience, client, store, tasks),
        }
    }
}

#[async_trait]
impl Admit for Reviews {
    async fn admit(&self, token: &str, namespace: &str) -> Result<Box<dyn Caller>, Status> {
        let current = self.audiences.current();
        let current = current.ok_or_else(|| Status::unavailable("the audiences of tokens are not known yet"))?;
        let asked = current.all();
        // Asked about no audience, the cluster would vouch for tokens for its own API, which are not meant for us.
        if asked.is_empty() {
            return Err(Status::unavailable(
                "no SnapshotMetadataService names an audience: create one for the driver, or set --cbt-audience",
            ));
        }
        let reviewed = self.tokens.review(token, &asked).await.map_err(|error| {
            tracing::error!("could not ask whose a token is: {}", runtime::telemetry::chain(&error));
            Status::unavailable("the cluster could not be asked whose the token is")
        })?;
        let reviewed = reviewed.ok_or_else(|| {
            Status::unauthenticated("the token is nobody's, or not for the audience of a SnapshotMetadataService")
        })?;
        let attributes = Attributes {
            verb: "get".to_owned(),
            group: "snapshot.storage.k8s.io".to_owned(),
            version: "v1".to_owned(),
            resource: "volumesnapshots".to_owned(),
            namespace: namespace.to_owned(),
            ..Attributes::default()
        };
        let decision = self.access.authorize(&reviewed.user, &attributes).await;
        match decision.map_err(|_| Status::unavailable("the cluster could not be asked whether this is allowed"))? {
            Decision::Allow => Ok(Box::new(Known { audiences: reviewed.audiences, current })),
            Decision::Deny { reason } => {
                Err(Status::permission_denied(forbidden(&reviewed.user, &attributes, &reason).message))
            }
        }
    }
}

// === impl Known ===

impl Caller for Known {
    fn may_ask(&self, driver: &str) -> Result<(), Status> {
        match self.current.of(driver) {
            Some(audience) if self.audiences.iter().any(|own| own == audience) => Ok(()),
            Some(_) => {
                Err(Status::unauthenticated(format!("the token is not for the audience of the driver {driver}")))
            }
            None => Err(Status::unavailable(format!(
                "there is no SnapshotMetadataService for the driver {driver}: create one, or set --cbt-audience"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[test]
    fn a_token_is_for_the_driver_that_is_asked() {
        let each = [("a", "for-a"), ("b", "for-b")].map(|(driver, audience)| (driver.to_owned(), audience.to_owned()));
        let current = Current::Each(each.into());
        assert_eq!(current.all(), ["for-a", "for-b"]);
        let known = Known { audiences: vec!["for-a".to_owned()], current };
        let code = |driver| known.may_ask(driver).err().map(|status| status.code());
        assert_eq!(code("a"), None);
        assert_eq!(code("b"), Some(Code::Unauthenticated));
        assert_eq!(code("c"), Some(Code::Unavailable));
        let one = Known { audiences: vec!["x".to_owned()], current: Current::All("x".to_owned()) };
        assert!(one.may_ask("anything").is_ok());
    }
}
