//! Trouble that a test asks for.

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// RequestThrottledException.
    Throttled,
    /// ThrottlingException, which any AWS service may answer and no model lists.
    Throttling,
    /// An error of the service: 500 as modelled, others as a load balancer would.
    Failure(u16),
    /// AccessDeniedException.
    Denied,
    /// ServiceQuotaExceededException.
    QuotaExceeded,
    /// The page token has expired.
    PageToken,
    /// No answer, for as long as the client waits.
    Silence,
    /// The connection ends within the answer.
    Cut,
    /// The data have a bit that their checksum does not know.
    Corrupt,
    /// The data end early.
    Short,
    /// A page without blocks, though it has a next one.
    Empty,
    /// The last block of a page comes first.
    Disorder,
    /// A page has a block beyond the end of the volume.
    Beyond,
    /// A page is followed by itself.
    Loop,
    /// The volume has another size.
    Resized,
}
