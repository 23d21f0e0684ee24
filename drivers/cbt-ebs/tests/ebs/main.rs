//! The driver against a strict stub of the EBS direct APIs, which boto3 has to accept first, and against moto.
#![expect(clippy::unwrap_used, reason = "tests")]

mod boto3;
mod expiry;
mod faults;
mod identity;
mod lies;
mod moto;
mod paging;
mod process;
mod reading;
mod streams;
mod subject;
mod support;
mod throttling;
mod tls;
mod truth;

use subject::Subject;

proto::cbt_suite!(Subject::new());
