//! Kubernetes semantics as pure functions on values.

pub mod selector;
