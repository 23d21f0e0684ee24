//! The namespaces that selectors and expressions ask for.

use std::sync::Arc;

use admission::{Attributes, Namespaces, Refusal};
use async_trait::async_trait;
use machinery::{GroupResource, status::Status};
use serde_json::Value;

/// Knows namespaces.
#[async_trait]
pub(crate) trait Lookup: Send + Sync {
    /// A namespace; 404 when there is none.
    async fn namespace(&self, name: &str) -> Result<Arc<Value>, Refusal>;
}

#[async_trait]
impl Lookup for Namespaces {
    async fn namespace(&self, name: &str) -> Result<Arc<Value>, Refusal> {
        self.get(name).await
    }
}

/// The namespace of what is written, if it has one.
pub(crate) async fn of(attributes: &Attributes, namespaces: &dyn Lookup) -> Result<Option<Arc<Value>>, Refusal> {
    match attributes.namespace.as_str() {
        "" => Ok(None),
        name => namespaces.namespace(name).await.map(Some),
    }
}

/// There is no such namespace.
pub(crate) fn absent(name: &str) -> Refusal {
    Box::new(Status::not_found(&GroupResource::new("", "namespaces"), name))
}
