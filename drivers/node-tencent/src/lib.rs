//! `NodePower` on Tencent Cloud: virtual machines of CVM, as TKE and self-made clusters use them.
//!
//! | question | asks CVM (version 2017-03-12) |
//! |---|---|
//! | `describe` | `DescribeInstances` |
//! | `plan` | nothing more: CVM knows no dry run of a restart |
//! | `take` | `RebootInstances` with `StopType` SOFT or HARD, once; it refuses what does not run |
//!
//! CVM answers every request with status 200 and says in the body whether it was refused. Its API is one POST of JSON,
//! signed by TC3-HMAC-SHA256 (`sign`).

mod api;
mod config;
mod credentials;
mod driver;
mod instance;
mod provider_id;
mod refusal;
mod region;
mod sign;

pub use config::Config;
pub use driver::Driver;
