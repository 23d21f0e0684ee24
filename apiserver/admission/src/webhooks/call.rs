//! One call of one webhook.

use machinery::{quote, status::Status};

use super::{
    configuration::Webhook,
    internal,
    review::{self, Answer},
};
use crate::{Attributes, GroupVersionResource, Notes, Refusal};

/// Why a call did not end well.
#[derive(Debug)]
pub(super) enum Failed {
    /// The webhook could not be called, or made no sense: a matter of its failure policy.
    Calling(String),
    /// It said no, or must not be asked.
    Refused(Refusal),
}

/// Asks a webhook about a request.
pub(super) async fn call(
    webhook: &Webhook,
    attributes: &Attributes,
    resource: &GroupVersionResource,
    patches: bool,
    notes: &mut Notes,
) -> Result<Answer, Failed> {
    if attributes.dry_run && !webhook.dry_runs {
        let problem = format!("admission webhook {} does not support dry run", quote(&webhook.name));
        return Err(Failed::Refused(Box::new(Status::bad_request(&problem))));
    }
    let known = |version: &&String| matches!(version.as_str(), "v1" | "v1beta1");
    let Some(version) = webhook.review_versions.iter().find(known) else {
        let problem = "webhook does not accept known AdmissionReview versions (v1, v1beta1)";
        return Err(Failed::Calling(format!("could not create admission objects: {problem}")));
    };
    let uid = uuid::Uuid::new_v4().to_string();
    let request = review::request(version, &uid, attributes, resource);
    let answered = webhook.hook.call(&request, webhook.timeout_seconds).await;
    let review = answered.map_err(|problem| Failed::Calling(format!("failed to call webhook: {problem}")))?;
    let answer = review::answer(version, &uid, &review, patches)
        .map_err(|problem| Failed::Calling(format!("received invalid webhook response: {problem}")))?;
    let audit = answer.audit.iter().map(|(key, value)| (format!("{}/{key}", webhook.name), value.clone()));
    notes.audit.extend(audit.filter(|(key, _)| key.matches('/').count() == 1));
    notes.warnings.extend(answer.warnings.iter().cloned());
    match answer.allowed {
        true => Ok(answer),
        false => Err(Failed::Refused(review::refusal(&webhook.name, &answer.status))),
    }
}

/// What a failed call is to the client; `None` when it counts as none, of which `key` of the audit event tells.
pub(super) fn outcome(webhook: &Webhook, failed: Failed, key: String, notes: &mut Notes) -> Option<Refusal> {
    let problem = match failed {
        Failed::Refused(refusal) => return Some(refusal),
        Failed::Calling(problem) => format!("failed calling webhook {}: {problem}", quote(&webhook.name)),
    };
    if webhook.ignores_failure {
        tracing::warn!(webhook = webhook.name, "{problem}; its failure policy is Ignore");
        notes.audit.push((key, webhook.name.clone()));
        return None;
    }
    tracing::warn!(webhook = webhook.name, "{problem}; its failure policy is Fail");
    Some(internal(&problem))
}

/// Whether a webhook's `matchConditions` let it be called.
pub(super) async fn conditions_hold(webhook: &Webhook, attributes: &Attributes) -> Result<bool, Refusal> {
    let Some(conditions) = &webhook.conditions else { return Ok(true) };
    match conditions.match_all(attributes).await {
        Ok(hold) => Ok(hold),
        Err(problem) if webhook.ignores_failure => {
            tracing::warn!(webhook = webhook.name, "a match condition failed: {problem}");
            Ok(false)
        }
        Err(problem) => Err(Box::new(Status::forbidden(&attributes.group_resource(), &attributes.name, &problem))),
    }
}
