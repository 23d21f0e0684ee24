//! Options of `get`.

use super::query;
use crate::status::Status;

/// How to read one object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GetOptions {
    /// Not older than this revision.
    pub resource_version: Option<u64>,
}

// === impl GetOptions ===

impl GetOptions {
    /// Reads a query.
    pub fn parse(query: &[(String, String)]) -> Result<Self, Status> {
        Ok(Self { resource_version: query::revision(query, "")? })
    }
}
