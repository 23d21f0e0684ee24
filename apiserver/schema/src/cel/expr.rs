//! Checked expressions: every name is resolved.

use super::function::Function;
use crate::structural::node::Pattern;

/// An expression.
#[derive(Debug)]
pub(super) enum Expr {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
    Own,
    Old,
    /// The variable of a loop, counted from the outermost.
    Local(usize),
    /// The result so far of a loop; a step takes it, as it makes the next.
    Result {
        local: usize,
        take: bool,
    },
    Field {
        of: Box<Expr>,
        name: String,
        lookup: Lookup,
    },
    Index {
        of: Box<Expr>,
        key: Box<Expr>,
        lookup: Lookup,
    },
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    If(Box<[Expr; 3]>),
    /// True unless the operand is false: a fault counts as true.
    NotFalse(Box<Expr>),
    Call {
        function: &'static Function,
        args: Vec<Expr>,
    },
    /// A regular expression that the rule spells out, which is compiled once.
    Match {
        function: &'static Function,
        args: Vec<Expr>,
        pattern: Pattern,
    },
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    Loop(Box<Loop>),
}

/// What becomes of a field or item that may be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    /// Absent is a fault.
    Value,
    /// Whether it is there.
    Test,
    /// An optional.
    Optional,
}

/// What a macro such as `all` becomes.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) over: Expr,
    pub(super) start: Expr,
    pub(super) until: Expr,
    pub(super) step: Expr,
    pub(super) result: Expr,
}
