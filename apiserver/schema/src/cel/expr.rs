//! Checked expressions: every name is resolved.

use super::function::Function;
use crate::structural::node::Pattern;

/// An expression.
#[derive(Debug)]
pub(super) enum Expr {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
    /// A type, by its name.
    TypeName(String),
    /// What a name of the environment stands for, by its number.
    Named(usize),
    /// A composed variable, by its number.
    Composed(usize),
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
    List(Vec<Item<Expr>>),
    Map(Vec<Item<(Expr, Expr)>>),
    /// A value of a type that the environment lets expressions make.
    Made {
        name: String,
        fields: Vec<Item<(String, Expr)>>,
    },
    Loop(Box<Loop>),
    Bind(Box<Bind>),
}

/// An item of a list, map or object that an expression makes.
#[derive(Debug)]
pub(super) struct Item<T> {
    pub(super) of: T,
    /// Whether it is an optional value, and left out where it is none.
    pub(super) optional: bool,
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
    /// Whether each step has two variables: index or key, and value.
    pub(super) pairs: bool,
    pub(super) start: Expr,
    pub(super) until: Expr,
    pub(super) step: Expr,
    pub(super) result: Expr,
}

/// An expression with a name for the value of another.
#[derive(Debug)]
pub(super) struct Bind {
    pub(super) of: Expr,
    pub(super) body: Expr,
    pub(super) how: Binding,
}

/// How a value gets its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    /// As it is.
    Plain,
    /// The value of an optional, if there is one; the result is an optional.
    Optional,
    /// As the one above, and the expression makes an optional itself.
    Flat,
}
