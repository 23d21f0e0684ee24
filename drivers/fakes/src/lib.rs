//! Simulated providers of machines that can fail in every way, for tests.
//!
//! They are in Python (`python/`), where the providers' own SDKs and API models are: what a fake takes for granted is
//! checked by the SDK that drives it first, in `python/check_*.py`, and not by the driver that it is to judge.
//!
//! | fake | is | checked by |
//! |---|---|---|
//! | `ec2` | EC2, by the API model of botocore | boto3 |
//! | `cvm` | Tencent Cloud CVM and STS, by the models of the official SDK | that SDK |
//! | `bmc` | `sushy-emulator` behind a proxy that can fail | sushy-tools is somebody else's already |
//! | `keys` | the Pod Identity agent of EKS, and IMDSv2 | |
//! | `hook`, `program` | the other end of `outrigger.node/v1` | |

mod driver;
mod fake;

pub use driver::Driver;
pub use fake::{Fake, check};
