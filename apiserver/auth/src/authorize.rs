//! May they?

use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use k8s_openapi::{
    api::authorization::v1::{
        FieldSelectorAttributes, LabelSelectorAttributes, NonResourceAttributes, ResourceAttributes,
        SubjectAccessReview, SubjectAccessReviewSpec, SubjectAccessReviewStatus,
    },
    apimachinery::pkg::apis::meta::v1::{FieldSelectorRequirement, LabelSelectorRequirement},
};
use kube::Client;

use crate::{
    Attributes, Error, Requirement, Result, User,
    cache::{self, Cache},
    review,
};

const PATH: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

/// Says whether a user may do something.
#[async_trait]
pub trait Authorizer: Send + Sync + 'static {
    /// An error is no permission.
    async fn authorize(&self, user: &User, attributes: &Attributes) -> Result<Decision>;
}

/// What an authorizer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Yes.
    Allow,
    /// No.
    Deny {
        /// Why, where that is known; for people.
        reason: String,
    },
}

/// Without a cluster: `system:masters` may do everything and nobody else anything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Masters;

/// With a cluster: `system:masters` may do everything, and the cluster says what others may.
pub struct AccessReviews {
    client: Client,
    decisions: Cache<Decision, review::Error>,
}

// === impl Masters ===

#[async_trait]
impl Authorizer for Masters {
    async fn authorize(&self, user: &User, _: &Attributes) -> Result<Decision> {
        if user.is_master() { Ok(Decision::Allow) } else { Ok(Decision::Deny { reason: String::new() }) }
    }
}

// === impl AccessReviews ===

impl AccessReviews {
    /// Asks the cluster of `client`, with its rights: `system:auth-delegator` is enough.
    pub fn new(client: Client) -> Self {
        Self { client, decisions: Cache::new() }
    }
}

#[async_trait]
impl Authorizer for AccessReviews {
    async fn authorize(&self, user: &User, attributes: &Attributes) -> Result<Decision> {
        if user.is_master() {
            return Ok(Decision::Allow);
        }
        let review = SubjectAccessReview { spec: spec(user, attributes), ..SubjectAccessReview::default() };
        let review = serde_json::to_vec(&review).expect("a review is plain data");
        let key = cache::key(&review);
        let ask = || {
            let client = self.client.clone();
            async move {
                let status = review::status(client, PATH, review).await?;
                serde_json::from_value(status).map(decision).map_err(|_| review::Error::Unreadable)
            }
            .boxed()
        };
        self.decisions.get(key, ask).await.map_err(|error: Arc<review::Error>| {
            tracing::error!("could not ask whether a user may: {}", runtime::telemetry::chain(&*error));
            Error::AccessReview(error)
        })
    }
}

/// An answer that says both yes and no is a no.
fn decision(status: SubjectAccessReviewStatus) -> Decision {
    if status.allowed && status.denied != Some(true) {
        Decision::Allow
    } else {
        Decision::Deny { reason: status.reason.unwrap_or_default() }
    }
}

fn spec(user: &User, attributes: &Attributes) -> SubjectAccessReviewSpec {
    let is_resource = attributes.is_resource();
    SubjectAccessReviewSpec {
        user: Some(user.name.clone()),
        uid: filled(&user.uid),
        groups: Some(user.groups.clone()),
        extra: Some(user.extra.clone()).filter(|extra| !extra.is_empty()),
        resource_attributes: is_resource.then(|| resource(attributes)),
        non_resource_attributes: (!is_resource).then(|| NonResourceAttributes {
            path: Some(attributes.path.clone()),
            verb: Some(attributes.verb.clone()),
        }),
    }
}

fn resource(attributes: &Attributes) -> ResourceAttributes {
    let requirements = |all: &[Requirement]| Some(all.to_vec()).filter(|all| !all.is_empty());
    let values = |requirement: &Requirement| Some(requirement.values.clone()).filter(|values| !values.is_empty());
    ResourceAttributes {
        verb: filled(&attributes.verb),
        group: filled(&attributes.group),
        version: filled(&attributes.version),
        resource: filled(&attributes.resource),
        subresource: filled(&attributes.subresource),
        namespace: filled(&attributes.namespace),
        name: filled(&attributes.name),
        field_selector: requirements(&attributes.fields).map(|all| FieldSelectorAttributes {
            requirements: Some(
                all.iter()
                    .map(|one| FieldSelectorRequirement {
                        key: one.key.clone(),
                        operator: one.operator.to_owned(),
                        values: values(one),
                    })
                    .collect(),
            ),
            ..FieldSelectorAttributes::default()
        }),
        label_selector: requirements(&attributes.labels).map(|all| LabelSelectorAttributes {
            requirements: Some(
                all.iter()
                    .map(|one| LabelSelectorRequirement {
                        key: one.key.clone(),
                        operator: one.operator.to_owned(),
                        values: values(one),
                    })
                    .collect(),
            ),
            ..LabelSelectorAttributes::default()
        }),
    }
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_review_says_everything_that_is_known() {
        let user = User {
            name: "bob".to_owned(),
            uid: "7".to_owned(),
            groups: vec!["dev".to_owned()],
            extra: [("scopes".to_owned(), vec!["one".to_owned()])].into(),
        };
        let requirement = |key: &str, operator, values: &[&str]| Requirement {
            key: key.to_owned(),
            operator,
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        let attributes = Attributes {
            verb: "list".to_owned(),
            group: "fleet.cattle.io".to_owned(),
            version: "v1alpha1".to_owned(),
            resource: "bundledeployments".to_owned(),
            namespace: "fleet-local".to_owned(),
            fields: vec![requirement("metadata.name", "In", &["a"])],
            labels: vec![requirement("shard", "Exists", &[])],
            ..Attributes::default()
        };
        let expected = json!({
            "user": "bob",
            "uid": "7",
            "groups": ["dev"],
            "extra": {"scopes": ["one"]},
            "resourceAttributes": {
                "verb": "list",
                "group": "fleet.cattle.io",
                "version": "v1alpha1",
                "resource": "bundledeployments",
                "namespace": "fleet-local",
                "fieldSelector": {"requirements": [{"key": "metadata.name", "operator": "In", "values": ["a"]}]},
                "labelSelector": {"requirements": [{"key": "shard", "operator": "Exists"}]},
            },
        });
        assert_eq!(serde_json::to_value(spec(&user, &attributes)).expect("it is plain data"), expected);
    }

    #[test]
    fn only_a_yes_without_a_no_is_a_yes() {
        let status = |allowed, denied| SubjectAccessReviewStatus { allowed, denied, ..Default::default() };
        assert_eq!(decision(status(true, None)), Decision::Allow);
        assert_eq!(decision(status(true, Some(false))), Decision::Allow);
        for (allowed, denied) in [(true, Some(true)), (false, None), (false, Some(false)), (false, Some(true))] {
            assert_eq!(decision(status(allowed, denied)), Decision::Deny { reason: String::new() });
        }
    }
}
