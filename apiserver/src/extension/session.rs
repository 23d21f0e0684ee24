//! What an actor has to do with a request that it leaves to the verb.

use std::sync::Arc;

use async_trait::async_trait;
use machinery::{selector::FieldRequirement, status::Status};
use proto::store::Store;
use serde_json::Value;

/// One request, on behalf of its caller: given with [`Call::join`](super::Call::join), and asked by the verb on its way.
///
/// A [`Store`] does not know who asks. A kind for which that matters answers through a store that does, one for each request.
#[async_trait]
pub trait Session: Send + Sync + 'static {
    /// Where the verb reads and writes, instead of where the kind's objects are.
    fn store(&self) -> &Arc<dyn Store>;

    /// What the events of a watch must have, which come from the watch cache and not from [`Self::store`].
    fn only(&self) -> Option<FieldRequirement>;

    /// Completes what is to be created, or refuses it. It is decoded, in the version of the request.
    async fn creating(&self, object: &mut Value) -> Result<(), Status>;

    /// Adds to the answer what is not stored, if anything; says whether it did. It is not asked where the answer is no
    /// object, but a Table or metadata.
    fn answering(&self, object: &mut Value) -> bool;
}
