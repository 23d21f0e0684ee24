//! What an error code of Tencent Cloud says of the call.

use proto::node::Error;

/// The longest part of somebody else's message that is passed on.
const LONGEST: usize = 600;

/// A code, such as `InvalidInstanceId.NotFound`, is of a kind, and may add what exactly.
pub(crate) fn of(action: &str, code: &str, message: &str) -> Error {
    let text = format!("{action}: {code}: {}", message.chars().take(LONGEST).collect::<String>());
    let (kind, exactly) = code.split_once('.').unwrap_or((code, ""));
    match (kind, exactly) {
        ("InvalidInstanceId" | "ResourceNotFound", "NotFound") | ("ResourceNotFound", _) => Error::NotFound(text),
        ("AuthFailure" | "UnauthorizedOperation", _) => Error::Forbidden(text),
        ("RequestLimitExceeded", _) => Error::Throttled { message: text, retry_after: 0 },
        ("UnsupportedOperation", state) if state.starts_with("InstanceState") => Error::Conflict(text),
        ("OperationDenied" | "MutexOperation" | "ResourceInUse" | "ResourceUnavailable" | "LimitExceeded", _) => {
            Error::Conflict(text)
        }
        ("UnsupportedOperation" | "ActionOffline" | "InvalidAction" | "NoSuchVersion" | "NoSuchProduct", _)
        | ("InvalidInstance", "NotSupported") => Error::Unsupported(text),
        ("UnsupportedRegion", _) => Error::Invalid(format!("{text}; the driver's --tencent-region can name another")),
        (kind, _) if kind.starts_with("InvalidParameter") => Error::Invalid(text),
        (
            "InvalidInstanceId" | "MissingParameter" | "UnknownParameter" | "UnsupportedProtocol" | "InvalidRequest",
            _,
        ) => Error::Invalid(text),
        // InternalError, FailedOperation, and what is new: it may have been done.
        _ => Error::Ambiguous(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_what_was_surely_not_done() {
        type Kind = fn(String) -> Error;
        let cases: [(&str, Kind); 20] = [
            ("InvalidInstanceId.NotFound", Error::NotFound),
            ("InvalidInstanceId.Malformed", Error::Invalid),
            ("InvalidParameterValue", Error::Invalid),
            ("InvalidParameter.X", Error::Invalid),
            ("MissingParameter", Error::Invalid),
            ("UnsupportedRegion", Error::Invalid),
            ("AuthFailure.SignatureFailure", Error::Forbidden),
            ("AuthFailure.SecretIdNotFound", Error::Forbidden),
            ("UnauthorizedOperation", Error::Forbidden),
            ("UnauthorizedOperation.CamNoAuth", Error::Forbidden),
            ("UnsupportedOperation.InstanceStateStopped", Error::Conflict),
            ("OperationDenied.InstanceOperationInProgress", Error::Conflict),
            ("MutexOperation.TaskRunning", Error::Conflict),
            ("UnsupportedOperation", Error::Unsupported),
            ("InvalidInstance.NotSupported", Error::Unsupported),
            ("InternalError", Error::Ambiguous),
            ("InternalServerError", Error::Ambiguous),
            ("FailedOperation", Error::Ambiguous),
            ("SomethingNew", Error::Ambiguous),
            ("", Error::Ambiguous),
        ];
        for (code, kind) in cases {
            let found = of("RebootInstances", code, "why");
            assert_eq!(
                std::mem::discriminant(&found),
                std::mem::discriminant(&kind(String::new())),
                "{code}: {found:?}"
            );
        }
        for code in ["RequestLimitExceeded", "RequestLimitExceeded.UinLimitExceeded"] {
            assert!(matches!(of("RebootInstances", code, ""), Error::Throttled { .. }), "{code}");
        }
    }
}
