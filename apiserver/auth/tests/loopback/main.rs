//! Identities over a real TLS server: what proves one, and everything that does not.
//!
//! The server is `runtime::serve` with the authenticator and the authorizer in front of a handler that says who it
//! believes to be asked by. The cluster is a few lines that answer reviews. (The real kube-apiserver's part is in
//! `tests/conformance`.)

#![expect(clippy::unwrap_used, reason = "tests")]

mod access;
mod certificates;
mod cluster;
mod config_map;
mod front_proxy;
mod pki;
mod server;
mod tokens;
