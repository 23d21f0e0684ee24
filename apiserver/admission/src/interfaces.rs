//! What stages ask the server about the kind of an object.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use schema::Schema;
use serde_json::Value;

/// What a server knows of a kind.
#[async_trait]
pub trait Kind: Send + Sync {
    /// Gives an object of the version that is asked for the defaults of its schema.
    fn default(&self, object: &mut Value);

    /// The versions that the kind is served in.
    fn versions(&self) -> Vec<String>;

    /// The object in another of these versions.
    async fn convert(&self, object: &Value, version: &str) -> Result<Value, String>;

    /// The schema of objects of one of these versions, where it is known.
    fn schema(&self, _version: &str) -> Option<&Schema> {
        None
    }
}

/// A [`Kind`]; by default one of which nothing is known: it has no defaults and no other versions.
#[derive(Clone, Default)]
pub struct Interfaces(Option<Arc<dyn Kind>>);

// === impl Interfaces ===

impl Interfaces {
    /// Those of a kind.
    pub fn of(kind: Arc<dyn Kind>) -> Self {
        Self(Some(kind))
    }

    /// Gives an object of the version that is asked for the defaults of its schema.
    pub fn default(&self, object: &mut Value) {
        if let Some(kind) = &self.0 {
            kind.default(object);
        }
    }

    /// The versions that the kind is served in.
    pub fn versions(&self) -> Vec<String> {
        self.0.as_ref().map(|kind| kind.versions()).unwrap_or_default()
    }

    /// The schema of objects of one of these versions, where it is known.
    pub fn schema(&self, version: &str) -> Option<&Schema> {
        self.0.as_ref()?.schema(version)
    }

    /// The object in another of these versions.
    pub async fn convert(&self, object: &Value, version: &str) -> Result<Value, String> {
        match &self.0 {
            Some(kind) => kind.convert(object, version).await,
            None => Err(format!("unable to convert to {version}: unknown kind")),
        }
    }
}

impl fmt::Debug for Interfaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interfaces").field("versions", &self.versions()).finish()
    }
}
