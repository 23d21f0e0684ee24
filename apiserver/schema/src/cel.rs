//! The rules of `x-kubernetes-validations`: compiled once when a schema is parsed, evaluated on every write.
//!
//! ```text
//! text ──cel crate──▶ syntax tree ──check──▶ Program ──eval──▶ true, a fault, or a message
//! ```
//!
//! The rule to know: a [`Program`] that exists can be evaluated. Whatever it names (a field, a variable, a function)
//! was resolved against the schema when it was compiled; what cannot be resolved refuses the schema. Why the tree is
//! evaluated here and what is not there: docs/decisions/0009-cel.md.

mod access;
mod budget;
mod check;
mod environment;
mod eval;
mod expr;
mod function;
mod library;
mod moment;
mod name;
mod types;
mod value;

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;

pub use access::{Access, Decision};
pub use budget::{Budget, Fault};
pub use environment::{Environment, Names};
pub use types::Type;
pub use value::{Made, Val};

use crate::structural::node::Node;
pub(crate) use eval::Variables;
use expr::Expr;

/// An expression that was checked in its environment.
#[derive(Debug)]
pub struct Program {
    expr: Expr,
    /// The names of the environment that it speaks of, by their numbers.
    names: Vec<usize>,
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
    /// Compiles an expression; says its type. The error is why it cannot be compiled.
    pub fn compile<'a>(text: &str, environment: &Environment<'a>) -> Result<(Self, Type<'a>), String> {
        let parser = cel::parser::Parser::new().enable_optional_syntax(true);
        let tree = parser.parse(text).map_err(|errors| errors.to_string())?;
        let (expr, found, names) = check::check(&tree, environment)?;
        Ok((Self { expr, names }, found))
    }

    /// Compiles a rule, whose result is a bool.
    pub(crate) fn rule(text: &str, node: &Node, root: bool, old: OldSelf) -> Result<Self, String> {
        Self::of_schema(text, node, root, old, &Type::Bool)
    }

    /// Compiles an expression for a message, whose result is a string.
    pub(crate) fn message(text: &str, node: &Node, root: bool, old: OldSelf) -> Result<Self, String> {
        Self::of_schema(text, node, root, old, &Type::String)
    }

    fn of_schema(text: &str, node: &Node, root: bool, old: OldSelf, wanted: &Type<'_>) -> Result<Self, String> {
        let own = Type::of(node, root).ok_or("rules cannot be evaluated here, as the schema describes no value")?;
        let old = if old == OldSelf::Optional { Type::Optional(Box::new(own.clone())) } else { own.clone() };
        let (program, found) = Self::compile(text, &Environment::new().with("self", own).with("oldSelf", old))?;
        if !found.fits(wanted) {
            return Err(format!("the result is {found}, not {wanted}"));
        }
        Ok(program)
    }

    /// Whether it speaks of the old value.
    pub(crate) fn uses_old_self(&self) -> bool {
        self.names.contains(&1)
    }

    /// The result; the steps that it takes are taken from `budget`.
    pub fn evaluate<'a>(&'a self, names: &mut dyn Names<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
        budget.nested(|budget| eval::evaluate(&self.expr, names, budget))
    }
}
