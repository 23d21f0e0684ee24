//! What a call that failed means: whether to try again, to list anew, or to say so.

use std::{error::Error as _, fmt};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ebs::{
    Error as Exception,
    error::{ProvideErrorMetadata, SdkError},
    types::ValidationExceptionReason as Reason,
};
use proto::cbt::Error;
use runtime::telemetry::chain;

/// A call that failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The account, or the snapshot, is asked about too often. It passes.
    Throttled(String),
    /// The service cannot be reached, or is unwell. It passes.
    Unavailable(String),
    /// The data of a block is not what its checksum says. A second answer may be better.
    Corrupt(String),
    /// The page token is not good any more.
    PageToken(String),
    /// The block token is not good any more, or never was.
    BlockToken(String),
    /// A parameter is out of bounds: of ours, only the starting block can be.
    Parameter(String),
    /// It will not get better.
    Final(Error),
}

// === impl Fault ===

impl Fault {
    /// Whether the same call may succeed a little later.
    pub(crate) fn passes(&self) -> bool {
        matches!(self, Self::Throttled(_) | Self::Unavailable(_) | Self::Corrupt(_))
    }

    /// What the SDK says of a call.
    pub(crate) fn of<E>(error: SdkError<E>) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
        Exception: From<E>,
    {
        match error {
            SdkError::ServiceError(answer) => {
                let status = answer.raw().status().as_u16();
                Self::answered(status, &Exception::from(answer.into_err()))
            }
            // An answer that is not the service's own.
            SdkError::ResponseError(answer) if !answer.raw().status().is_success() => {
                let status = answer.raw().status().as_u16();
                Self::undocumented(status, "", format!("EBS answered {status}"))
            }
            SdkError::ConstructionFailure(_) => Self::Final(Error::Internal(format!("EBS: {}", chain(&error)))),
            _ => Self::unanswered(&error),
        }
    }

    fn answered(status: u16, exception: &Exception) -> Self {
        let code = exception.code().unwrap_or_default();
        let what = exception.message().filter(|message| !message.is_empty()).unwrap_or("no reason given");
        let text = match code {
            "" => format!("EBS answered {status}: {what}"),
            _ => format!("EBS: {code}: {what}"),
        };
        match exception {
            Exception::AccessDeniedException(_) => Self::Final(Error::Forbidden(text)),
            Exception::ResourceNotFoundException(_) => Self::Final(Error::NotFound(text)),
            Exception::ValidationException(validation) => Self::refused(validation.reason(), text),
            Exception::RequestThrottledException(_) | Exception::ConcurrentLimitExceededException(_) => {
                Self::Throttled(text)
            }
            Exception::ServiceQuotaExceededException(_) => Self::Final(throttled(text)),
            _ => Self::undocumented(status, code, text),
        }
    }

    /// Validation has many reasons. One that is not documented is that the snapshot is not completed yet.
    fn refused(reason: Option<&Reason>, text: String) -> Self {
        match reason {
            Some(Reason::InvalidPageToken) => Self::PageToken(text),
            Some(Reason::InvalidBlockToken) => Self::BlockToken(text),
            Some(Reason::UnrelatedSnapshots) => Self::Final(Error::NoDelta(text)),
            _ if text.contains("pending") || text.contains("not completed") => Self::Final(Error::NotReady(text)),
            Some(Reason::InvalidParameterValue) => Self::Parameter(text),
            _ => Self::Final(Error::Invalid(text)),
        }
    }

    /// Errors that any AWS service may give, and those of what stands in front of it.
    fn undocumented(status: u16, code: &str, text: String) -> Self {
        match (status, code) {
            (429, _) | (_, "ThrottlingException" | "Throttling" | "TooManyRequestsException" | "SlowDown") => {
                Self::Throttled(text)
            }
            (401 | 403, _)
            | (_, "ExpiredTokenException" | "ExpiredToken" | "UnrecognizedClientException" | "IncompleteSignature") => {
                Self::Final(Error::Forbidden(text))
            }
            (408 | 500.., _) => Self::Unavailable(text),
            _ => Self::Final(Error::Unavailable(text)),
        }
    }

    /// No answer: without credentials there never will be one.
    fn unanswered<E: std::error::Error + 'static>(error: &SdkError<E>) -> Self {
        let mut cause = error.source();
        while let Some(source) = cause {
            match source.downcast_ref::<CredentialsError>() {
                Some(CredentialsError::CredentialsNotLoaded(_)) => {
                    let text = "EBS: no AWS credentials: give the process a role, or set AWS_ACCESS_KEY_ID and \
                                AWS_SECRET_ACCESS_KEY";
                    return Self::Final(Error::Forbidden(text.to_owned()));
                }
                Some(error @ CredentialsError::InvalidConfiguration(_)) => {
                    return Self::Final(Error::Forbidden(format!("EBS: AWS credentials: {}", chain(error))));
                }
                _ => cause = source.source(),
            }
        }
        Self::Unavailable(format!("EBS: {}", chain(error)))
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Throttled(text) => throttled(text),
            Fault::Unavailable(text) | Fault::PageToken(text) => Self::Unavailable(text),
            Fault::Corrupt(text) => Self::Broken(text),
            Fault::BlockToken(text) | Fault::Parameter(text) => Self::Invalid(text),
            Fault::Final(error) => error,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Throttled(text)
            | Self::Unavailable(text)
            | Self::Corrupt(text)
            | Self::PageToken(text)
            | Self::BlockToken(text)
            | Self::Parameter(text) => f.write_str(text),
            Self::Final(error) => error.fmt(f),
        }
    }
}

fn throttled(message: String) -> Error {
    Error::Throttled { message, retry_after: 0 }
}
