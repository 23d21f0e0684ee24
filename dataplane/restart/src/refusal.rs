//! The one table from what stands in a restart's way to the `metav1.Status` that says so.

use machinery::{
    GroupKind, GroupResource,
    field::Error as FieldError,
    status::{Cause, Reason, Status},
};
use proto::{node, store};

use crate::{
    cluster,
    guard::{Guard, Verdict},
    machine::word,
    node_restart::{GROUP, RESOURCE},
    provider_id,
};

/// What stands in a restart's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// In a word.
    pub(crate) reason: &'static str,
    /// Whether waiting helps.
    pub(crate) passing: bool,
    /// What a request is answered with.
    pub(crate) status: Box<Status>,
}

/// Seconds after which another try may do better.
const RETRY_AFTER: u32 = 5;

// === impl Refusal ===

impl Refusal {
    fn new(reason: &'static str, passing: bool, status: Status) -> Self {
        Self { reason, passing, status: Box::new(status) }
    }

    pub(crate) fn no_node(node: &str) -> Self {
        // Nodes are the core group's, as kubectl says it.
        Self::new("NodeGone", false, Status::not_found(&GroupResource::new("", "nodes"), node))
    }

    pub(crate) fn provider_id(node: &str, given: &str, error: &provider_id::Error) -> Self {
        Self::new("ProviderID", false, invalid(node, "spec.providerID", given, &error.to_string()))
    }

    pub(crate) fn no_driver(provider: &str) -> Self {
        let message = format!(
            "there is no driver for provider {provider}: give the worker one with --node-driver {provider}=URL"
        );
        Self::new("NoDriver", true, Status::unavailable(&message, RETRY_AFTER))
    }

    pub(crate) fn driver(node: &str, error: &node::Error) -> Self {
        use node::Error::*;
        let said = error.to_string();
        let status = match error {
            Invalid(_) => invalid(node, "spec.providerID", "", &said),
            Unsupported(_) => invalid(node, "mode", "", &said),
            Forbidden(_) => Status::forbidden(&nodes(), node, &format!("the provider does not allow it: {said}")),
            NotFound(_) | Conflict(_) => conflict(node, &said),
            Throttled { retry_after, .. } => {
                Status::too_many_requests(&format!("the provider throttles: {said}"), (*retry_after).max(1))
            }
            Unreachable(_) | Ambiguous(_) => {
                Status::unavailable(&format!("the provider cannot be asked: {said}"), RETRY_AFTER)
            }
        };
        let passing = matches!(error, Throttled { .. } | Unreachable(_) | Ambiguous(_));
        Self::new(word(error), passing, status)
    }

    pub(crate) fn cluster(error: &cluster::Error) -> Self {
        let status = match error {
            cluster::Error::Refused(_) => Status::internal(&format!("the restart worker may not look: {error}")),
            cluster::Error::Conflict(_) | cluster::Error::Unavailable(_) => {
                Status::unavailable(&error.to_string(), RETRY_AFTER)
            }
        };
        Self::new("Cluster", true, status)
    }

    pub(crate) fn store(error: &store::Error) -> Self {
        let status = match error {
            store::Error::Unavailable { .. } | store::Error::OutOfSpace { .. } => {
                Status::unavailable(&format!("the storage is unavailable: {error}"), RETRY_AFTER)
            }
            _ => Status::internal(&format!("the storage failed: {error}")),
        };
        Self::new("Storage", true, status)
    }

    /// A guard that does not let a restart pass.
    pub(crate) fn guard(node: &str, verdict: &Verdict) -> Option<Self> {
        let message = verdict.refusal.as_deref()?;
        let reason = verdict.guard.as_str();
        let mut status = match verdict.guard.code() {
            403 => Status::forbidden(&nodes(), node, message),
            _ => conflict(node, message),
        };
        let cause = Cause { reason: reason.to_owned(), message: message.to_owned(), field: String::new() };
        status.details.get_or_insert_default().causes.push(cause);
        Some(Self::new(reason, verdict.passing, status))
    }

    /// Too many restarts by one user.
    pub(crate) fn user_rate(user: &str, rate: &crate::config::Rate, retry_after: u32) -> Self {
        let message =
            format!("user {user:?} has asked for {} restarts in {}: --restart-user-rate", rate.count, rate.per);
        let mut status = Status::too_many_requests(&message, retry_after.max(1));
        let cause = Cause { reason: "UserRate".to_owned(), message, field: String::new() };
        status.details.get_or_insert_default().causes.push(cause);
        Self::new("UserRate", true, status)
    }
}

/// The node cannot be restarted so.
pub(crate) fn conflict(node: &str, why: &str) -> Status {
    Status::conflict(&nodes(), node, why)
}

/// As [`Guard::OneAtATime`] refuses what is not the restart that the node has already.
pub(crate) fn being_restarted(node: &str, why: &str) -> Status {
    let mut status = conflict(node, why);
    let cause = Cause { reason: Guard::OneAtATime.as_str().to_owned(), message: why.to_owned(), field: String::new() };
    status.details.get_or_insert_default().causes.push(cause);
    status
}

/// The NodeRestart is not as it would have to be.
pub(crate) fn restart_conflict(name: &str, why: &str) -> Status {
    Status::conflict(&restarts(), name, why)
}

pub(crate) fn no_restart(name: &str) -> Status {
    Status::not_found(&restarts(), name)
}

fn restarts() -> GroupResource {
    GroupResource::new(GROUP, RESOURCE)
}

fn nodes() -> GroupResource {
    GroupResource::new(GROUP, "nodes")
}

fn invalid(node: &str, field: &str, given: &str, why: &str) -> Status {
    let error = match given {
        "" => FieldError::required(field, why),
        given => FieldError::invalid(field, given, why),
    };
    let mut status =
        Status::invalid(&GroupKind { group: GROUP.to_owned(), kind: "Node".to_owned() }, node, vec![error]);
    status.reason = Some(Reason::Invalid);
    status
}
