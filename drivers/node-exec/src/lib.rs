//! `NodePower` by an operator's own program or webhook, for any provider.
//!
//! Both speak one protocol, `outrigger.node/v1`: one JSON object in, one out. A program is run once for each call, with
//! the request on its standard input and the answer on its standard output. A webhook gets it by POST.
//!
//! ```json
//! {"protocol": "outrigger.node/v1", "call": "take", "step": "Reboot", "token": "5e0c…-1", "reason": "kernel update",
//!  "node": {"name": "worker-1", "providerID": "demo://1", "labels": {}, "annotations": {}}}
//! ```
//!
//! | call | has also | is answered by |
//! |---|---|---|
//! | `describe` | | `{"instance": {"id": "1", "region": "", "state": "Running", "providerState": "up", "addresses": ["10.0.0.7"], "names": ["worker-1"]}}` |
//! | `plan` | `mode`: `Soft`, `Hard` | `{"steps": ["Reboot"], "verdict": "what people should know"}` |
//! | `take` | `step`, `token`, `reason` | `{"requestID": "r-17"}`, or nothing |
//!
//! Steps are `Reboot`, `Reset`, `Stop` and `Start`; states are `Running`, `Restarting`, `Stopping`, `Stopped`,
//! `Starting`, `Gone` and `Other`. `describe` and `plan` must change nothing. The addresses and names must be what the
//! provider knows, not what `node` says: the node is held against them. `take` should refuse what is not in a state to be
//! restarted, and may take a second call with a token that it has seen for the first.
//!
//! A refusal says that surely nothing was done and nothing will be:
//!
//! ```json
//! {"refused": {"kind": "Conflict", "message": "another restart is under way", "retryAfterSeconds": 30}}
//! ```
//! Its kind is `Invalid`, `NotFound`, `Forbidden`, `Conflict`, `Unsupported`, `Throttled` or `Unreachable`.
//!
//! | the program ends | the webhook answers | that means |
//! |---|---|---|
//! | with 0 | 2xx | answered; for `take`: accepted |
//! | with 2 | 3xx, 4xx | refused, by `refused` if there is one |
//! | otherwise, by a signal, or not in time | 5xx, or not at all | nobody knows |
//!
//! A program that takes too long is killed, with all of its process group. It has the driver's environment, and
//! `TRACEPARENT`. Its standard error is the driver's. A webhook gets `Idempotency-Key` with the token, `traceparent`, and
//! `Authorization: Bearer …` if there is a token file.

mod config;
mod driver;
mod program;
mod protocol;
mod webhook;

pub use config::Config;
pub use driver::Driver;
