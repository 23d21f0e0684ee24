//! All stages, in their order.

use std::sync::Arc;

use crate::{Attributes, Notes, Plugin, Refusal};

/// The stages of a server. Without a cluster there are none.
#[derive(Clone, Default)]
pub struct Chain(Arc<[Arc<dyn Plugin>]>);

/// The stages that have something to say of one request.
#[derive(Clone)]
pub struct Handling(Vec<Arc<dyn Plugin>>);

// === impl Chain ===

impl Chain {
    /// These stages, in this order.
    pub fn new(plugins: impl IntoIterator<Item = Arc<dyn Plugin>>) -> Self {
        Self(plugins.into_iter().collect())
    }

    /// Whether there are none at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The stages that could have something to say of such a request; `None` if there are none.
    pub fn handling(&self, attributes: &Attributes) -> Option<Handling> {
        let handling: Vec<_> = self.0.iter().filter(|plugin| plugin.handles(attributes)).cloned().collect();
        (!handling.is_empty()).then_some(Handling(handling))
    }
}

// === impl Handling ===

impl Handling {
    /// Lets each stage change the object, and each again if one did.
    pub async fn mutate(&self, attributes: &mut Attributes, notes: &mut Notes) -> Result<(), Refusal> {
        let mut changed = false;
        for plugin in &self.0 {
            changed |= plugin.mutate(attributes, false, notes).await?;
        }
        if changed {
            for plugin in &self.0 {
                plugin.mutate(attributes, true, notes).await?;
            }
        }
        Ok(())
    }

    /// Lets each stage refuse the write; the first that does is heard.
    pub async fn validate(&self, attributes: &Attributes, notes: &mut Notes) -> Result<(), Refusal> {
        for plugin in &self.0 {
            plugin.validate(attributes, notes).await?;
        }
        Ok(())
    }
}
