//! Expressions of policies and of match conditions.
//!
//! ```text
//!   texts ──Expressions──▶ programs ──┐
//!                                     ├─ evaluate ─▶ a result for each, or: ask the authorizer that, and begin again
//!   request, object, params ──Input───┘
//! ```
//! An evaluation is a pure function of what it is given. What only the authorizer knows ends it; the answer is remembered for
//! the request, and the evaluation begins again, so that expressions never wait.

mod asked;
mod environment;
mod expressions;
mod input;
mod run;

pub(crate) use asked::Asked;
pub(crate) use expressions::{Expression, Expressions, Wanted};
pub(crate) use input::Input;
pub(crate) use run::{BUDGET, CONDITIONS_BUDGET, run};
