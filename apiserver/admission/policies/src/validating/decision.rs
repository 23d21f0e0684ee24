//! What a policy says of a request.

/// All of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ruling {
    /// Of each validation.
    pub(super) decisions: Vec<Decision>,
    /// By key.
    pub(super) annotations: Vec<(String, Annotation)>,
}

/// What a validation says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nothing.
    Admit,
    /// It does not hold, or it cannot be evaluated: then there is no reason.
    Deny {
        /// Why, for people.
        message: String,
        /// The reason of the answer.
        reason: String,
    },
}

/// What becomes of an audit annotation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Annotation {
    /// It is published.
    Publish(String),
    /// There is nothing to publish.
    Exclude,
    /// It cannot be evaluated, which refuses the request.
    Error(String),
}

// === impl Ruling ===

impl Ruling {
    /// One of a policy that fails.
    pub(super) fn failed(fails: bool, why: String) -> Self {
        Self { decisions: vec![Decision::failed(fails, why)], annotations: Vec::new() }
    }
}

// === impl Decision ===

impl Decision {
    /// What an error is under the failure policy.
    pub(super) fn failed(fails: bool, why: String) -> Self {
        if fails { Decision::Deny { message: why, reason: String::new() } } else { Decision::Admit }
    }
}
