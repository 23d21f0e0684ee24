//! `NodePower` on bare metal: the BMC of a machine, by Redfish.
//!
//! Which BMC is whose is told by the operator alone, in a file (`machines`): nothing that a node says of itself leads
//! to an address or a password. The file also vouches for the node's name, since a BMC knows little of what runs.
//!
//! | question | asks the BMC |
//! |---|---|
//! | `describe` | the system |
//! | `plan` | the system, for the resets that it offers |
//! | `take` | the system, then its reset, once |
//!
//! | step | reset |
//! |---|---|
//! | `Reboot` | `GracefulRestart` |
//! | `Reset` | `ForceRestart`, or `PowerCycle` where there is no other |
//! | `Stop`, `Start` | `ForceOff`, `On` |

mod bmc;
mod config;
mod driver;
mod machines;
mod system;

pub use config::Config;
pub use driver::Driver;
