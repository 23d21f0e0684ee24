//! The worker against a store in memory, a provider with faults and a pretend kubelet.
//!
//! In [`scenarios`] the cluster is in memory too, and time is paused: half an hour passes at once. [`real`] is the same on a
//! real kube-apiserver. [`kill`] ends the worker at each edge.
#![expect(clippy::unwrap_used, reason = "tests")]

mod drain;
mod fake;
mod guards;
mod kill;
mod kubelet;
mod lease;
mod real;
mod scenarios;
mod suite;
mod trace;
mod wire;
mod world;
