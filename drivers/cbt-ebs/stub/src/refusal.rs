//! Errors, as the service answers them.

use serde_json::{Value, json};

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) reason: Option<&'static str>,
    pub(crate) message: String,
    /// Whether no official SDK would have sent the request.
    pub(crate) foul: bool,
}

// === impl Refusal ===

impl Refusal {
    /// An error that the operation's model lists.
    pub(crate) fn new(
        status: u16,
        code: &'static str,
        reason: Option<&'static str>,
        message: impl Into<String>,
    ) -> Self {
        Self { status, code, reason, message: message.into(), foul: false }
    }

    /// ValidationException.
    pub(crate) fn validation(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(400, "ValidationException", Some(reason), message)
    }

    /// A parameter that no SDK would send.
    pub(crate) fn bad(parameter: &str, why: &str) -> Self {
        Self { foul: true, ..Self::validation("INVALID_PARAMETER_VALUE", format!("{parameter}: {why}")) }
    }

    /// A request that is none of the API's.
    pub(crate) fn unknown(method: &str, path: &[String]) -> Self {
        let message = format!("no operation is {method} /{}", path.join("/"));
        Self { foul: true, ..Self::new(404, "UnknownOperationException", None, message) }
    }

    /// A request whose signature is none, or not good.
    pub(crate) fn unsigned(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(403, code, None, message)
    }

    /// The body.
    pub(crate) fn body(&self) -> Value {
        match self.reason {
            Some(reason) => json!({ "Message": self.message, "Reason": reason }),
            None => json!({ "Message": self.message }),
        }
    }
}
