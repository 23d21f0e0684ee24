//! ValidatingAdmissionPolicy, MutatingAdmissionPolicy and match conditions: rules in CEL that somebody wrote into the cluster.
//!
//! ```text
//!   policies, bindings ──followed──▶ compiled ─┐
//!   objects of a paramKind ─────────followed───┤
//!   a write ──which are about it?──▶ invocations ──▶ decisions ──▶ refusal, warnings, annotations
//!                                                └─▶ patches ────▶ the object, changed
//! ```
//! The rule to know: what cannot be compiled or evaluated is an error, and what an error means is what the policy's
//! `failurePolicy` says. Nothing is skipped because it is not understood.

mod binding;
mod cel;
mod conditions;
mod definition;
mod invocation;
mod matching;
mod mutating;
mod namespaces;
mod params;
mod source;
#[cfg(test)]
mod testing;
mod validating;

pub use conditions::compiler;
pub use mutating::MutatingPolicies;
pub use validating::ValidatingPolicies;
