//! HyperFleet's clusters and nodepools as Kubernetes objects: `clusters` and `nodepools` of `hyperfleet.openshift.io/v1alpha1`.
//!
//! ```text
//!   kubectl ──▶ verbs ──▶ View (a Store) ──▶ Records ◀── REST
//!                                              one row, one log entry, one transaction, whoever writes
//! ```
//!
//! | of an object | is of the record |
//! |---|---|
//! | `metadata.uid` | the id |
//! | `metadata.name` | its object name; a nodepool's is `CLUSTER.NAME` |
//! | labels, generation, creationTimestamp, `spec` | the same |
//! | deletionTimestamp | when its deletion was asked for |
//! | finalizers | one for each adapter that has not finalized, one for nodepools; and whoever else's |
//! | `status` | the aggregate, and each adapter's latest report; adapters write it, over REST |
//! | whatever else is in the metadata | kept beside the record as it is |
//!
//! The revision of the record's last change is the resourceVersion, so a watch is the records' log.

mod actor;
mod error;
mod finalizers;
mod kind;
mod metadata;
mod object;
mod status;
mod store;
mod wanted;

pub use self::{
    kind::extensions,
    store::{Judge, View},
};

/// The group of both kinds.
pub const GROUP: &str = "hyperfleet.openshift.io";
/// Their version.
pub const VERSION: &str = "v1alpha1";
