//! What every process does once, so that no other crate does it again.
//!
//! A `main` is: parse the arguments, [`run()`] with a name, the log arguments and a `serve` future, return the exit code.
//!
//! ```no_run
//! use clap::Parser;
//!
//! #[derive(Parser)]
//! struct Args {
//!     #[command(flatten)]
//!     process: runtime::args::ProcessArgs,
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     let args = Args::parse();
//!     runtime::run("example", &args.process, |context| async move {
//!         context.shutdown.draining().await;
//!         Ok(())
//!     })
//! }
//! ```
//!
//! | module | once per process |
//! |---|---|
//! | [`args`] | flags that several processes share, and Go's notation for durations |
//! | [`telemetry`] | logs, traces, and the W3C context that makes a request one trace across processes |
//! | [`metrics`] | the Prometheus registry |
//! | [`tls`] | certificates: made, loaded, reloaded; what a peer must show |
//! | [`serve`] | the accept loop |
//! | [`grpc`] | the client's side of a connection between our processes |
//! | [`files`], [`clock`] | files that are followed; the time of day |
//! | [`health`] | `/livez`, `/readyz`, `/healthz` |
//! | [`shutdown`], [`tasks`] | how a process ends, and what a task's death means |

pub mod args;
pub mod clock;
pub mod files;
pub mod grpc;
pub mod health;
pub mod metrics;
mod run;
pub mod serve;
pub mod shutdown;
pub mod tasks;
pub mod telemetry;
pub mod tls;

pub use run::{Context, run};
pub use shutdown::Shutdown;
pub use tasks::Tasks;
