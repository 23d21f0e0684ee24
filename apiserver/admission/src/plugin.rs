//! A stage of admission.

use async_trait::async_trait;
use http::Extensions;
use machinery::status::Status;

use crate::Attributes;

/// Why a write is refused: the answer to the client.
pub type Refusal = Box<Status>;

/// What stages leave for the client, for the audit log and for themselves.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    /// Texts of `Warning` headers.
    pub warnings: Vec<String>,
    /// Annotations of the audit event, with their whole keys.
    pub audit: Vec<(String, String)>,
    /// What a stage knows of this write when it is its turn again, one value of each type.
    pub memory: Extensions,
}

/// A stage of admission.
#[async_trait]
pub trait Plugin: Send + Sync + 'static {
    /// Whether the stage could have anything to say of such a request, cheaply: no object is made for a stage that has not.
    fn handles(&self, attributes: &Attributes) -> bool;

    /// Changes `attributes.object`; says whether it did. When any stage did there is a second round through all of them, in
    /// which `again` is set: then only that acts which asked for reinvocation, and only if the object is another than when it
    /// acted last. There is no third.
    async fn mutate(&self, _attributes: &mut Attributes, _again: bool, _notes: &mut Notes) -> Result<bool, Refusal> {
        Ok(false)
    }

    /// Refuses the write, or not.
    async fn validate(&self, _attributes: &Attributes, _notes: &mut Notes) -> Result<(), Refusal> {
        Ok(())
    }
}
