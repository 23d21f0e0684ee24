//! The EBS direct APIs, for tests: the three calls that read snapshots.
//!
//! What it takes is decided by the API's published model, as botocore ships it: a request that no official SDK would send
//! is refused and remembered ([`Stub::refused`]), an answer of its own that the model does not allow is a panic. Signatures
//! are verified. What the model leaves open follows the API's guide:
//!
//! * a page of a delta covers as many *written* blocks as it may have entries, and has those that changed, so it can be
//!   empty and be followed by others;
//! * page tokens are good for an hour, block tokens for a week, by a clock that tests can [advance](Stub::advance);
//! * more than the account's quota is throttled.
//!
//! Trouble is made on request ([`Stub::plan`]): errors, silence, lost connections, and answers that lie.

mod answer;
mod body;
mod model;
mod quota;
mod refusal;
mod serve;
mod signature;
mod snapshot;
mod state;
mod stub;
mod token;
mod trouble;

pub use model::Model;
pub use snapshot::{BLOCK_SIZE, Snapshot, Written, data};
pub use state::{Call, PastTheEnd, Settings};
pub use stub::{Key, Stub};
pub use trouble::Trouble;
