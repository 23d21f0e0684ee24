//! `NodePower` on Amazon EC2.
//!
//! EC2 knows two ways to restart an instance. `RebootInstances` asks the operating system and resets the instance by
//! itself when that does not follow within minutes: it is a soft restart. `StopInstances` and `StartInstances` are the
//! hard one, which may lose what is on instance store volumes and the public address, and so needs its own consent.
//!
//! | question | asks EC2 |
//! |---|---|
//! | `describe` | `DescribeInstances` |
//! | `plan` | each step with `DryRun`, which checks the permissions and changes nothing |
//! | `take` | `DescribeInstances`, since EC2 accepts a reboot of what is terminated, then the step, once |
//!
//! Credentials, the region where a providerID names none, and endpoints are the AWS SDK's own: environment, profile,
//! IRSA, EKS Pod Identity, IMDS. Retries are off.

mod config;
mod driver;
mod instance;
mod provider_id;
mod refusal;
mod region;

pub use config::Config;
pub use driver::Driver;
