//! HyperFleet's API from outside: what clients send, and what they must be answered.
//!
//! ```text
//! suite ──▶ case ──▶ Cx ──HTTP──▶ outrigger hyperfleet serve ─┬▶ SQLite
//!                                 (or HYPERFLEET_URL)         ╰▶ PostgreSQL
//! ```
//! The cases share a server, so each keeps to records of its own: their names begin with the case's run, and so says a label
//! of each. With `HYPERFLEET_URL=http://HOST:PORT` (and `HYPERFLEET_TOKEN`, if it wants one) they run against that server
//! alone, whoever wrote it.
//!
//! | file | what | how to run it alone |
//! |---|---|---|
//! | `suite.rs` | every case of [`cases`] on each database | `cargo test -p hyperfleet-tests --test suite` |
//! | `jwt.rs` | who may ask: tokens, keys that are replaced, lists of claims | `cargo test -p hyperfleet-tests --test jwt` |
//! | `settings.rs` | what a flag changes: required adapters, schemas, names, CORS, ports | `cargo test -p hyperfleet-tests --test settings` |
//! | `outage.rs` | the database away, and back | `cargo test -p hyperfleet-tests --test outage` |
//! | `guide.rs` | the commands of docs/hyperfleet.md, to the letter | `cargo test -p hyperfleet-tests --test guide` |
//! | `schemathesis.rs` | requests made up from our own OpenAPI document | `cargo test -p hyperfleet-tests --test schemathesis` |
//! | `browser.rs` | a person who tries the API in Chromium | `cargo test -p hyperfleet-tests --test browser -- --ignored` |
//!
//! To add a case: an `async fn` in the file of its area under `cases/`, and its name in that file's list.

pub mod cases;
pub mod cx;
pub mod http;
pub mod keys;
pub mod server;
pub mod shape;
