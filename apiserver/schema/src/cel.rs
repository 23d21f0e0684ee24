//! The rules of `x-kubernetes-validations`: compiled once when a schema is parsed, evaluated on every write.
//!
//! ```text
//! text ──cel crate──▶ syntax tree ──check──▶ Program ──eval──▶ true, a fault, or a message
//! ```
//!
//! The rule to know: a [`Program`] that exists can be evaluated. Whatever it names (a field, a variable, a function)
//! was resolved against the schema when it was compiled; what cannot be resolved refuses the schema. Why the tree is
//! evaluated here and what is not there: docs/decisions/0009-cel.md.

mod budget;
mod check;
mod eval;
mod expr;
mod function;
mod name;
mod types;
mod value;

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;

use crate::structural::node::Node;
pub(crate) use budget::{Budget, Fault};
pub(crate) use eval::Variables;
use expr::Expr;
use types::Type;
pub(crate) use value::Val;

/// An expression that was checked against the schema of `self`.
#[derive(Debug)]
pub(crate) struct Program {
    expr: Expr,
    uses_old_self: bool,
}

/// What `oldSelf` is in an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OldSelf {
    /// A value like `self`.
    Value,
    /// An optional value like `self`.
    Optional,
}

// === impl Program ===

impl Program {
    /// Compiles a rule, whose result is a bool.
    pub(crate) fn rule(text: &str, node: &Node, root: bool, old: OldSelf) -> Result<Self, String> {
        Self::compile(text, node, root, old, &Type::Bool)
    }

    /// Compiles an expression for a message, whose result is a string.
    pub(crate) fn message(text: &str, node: &Node, root: bool, old: OldSelf) -> Result<Self, String> {
        Self::compile(text, node, root, old, &Type::String)
    }

    fn compile(text: &str, node: &Node, root: bool, old: OldSelf, wanted: &Type<'_>) -> Result<Self, String> {
        let parser = cel::parser::Parser::new().enable_optional_syntax(true);
        let tree = parser.parse(text).map_err(|errors| errors.to_string())?;
        let scope = Type::of(node, root).ok_or("rules cannot be evaluated here, as the schema describes no value")?;
        let (expr, found, uses_old_self) = check::check(&tree, scope, old)?;
        if !found.fits(wanted) {
            return Err(format!("the result is {found}, not {wanted}"));
        }
        Ok(Self { expr, uses_old_self })
    }

    /// Whether it speaks of the old value.
    pub(crate) fn uses_old_self(&self) -> bool {
        self.uses_old_self
    }

    /// The result for these variables; the steps that it takes are taken from `budget`.
    pub(crate) fn evaluate<'a>(&'a self, variables: Variables<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
        budget.begin();
        eval::evaluate(&self.expr, variables, budget)
    }
}
