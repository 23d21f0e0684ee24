//! What others keep, as it was last seen: objects of a cluster, and of a [`Store`](proto::store::Store).

mod cluster;
pub(crate) mod stored;

pub(crate) use cluster::{Mirror, Sight, answered};
