//! The syntax tree.

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    /// `NOT x`.
    Not(Box<Self>),
    /// `x AND y …`.
    And(Vec<Self>),
    /// `x OR y …`.
    Or(Vec<Self>),
    /// `x = y` and its kin.
    Compare(Operand, Comparison, Operand),
    /// `x [NOT] LIKE 'pattern'`, `x [NOT] ILIKE 'pattern'`.
    Like { operand: Operand, pattern: String, any_case: bool, negated: bool },
    /// `x [NOT] IN (a, b)`.
    In { operand: Operand, list: Vec<Literal>, negated: bool },
    /// `x [NOT] BETWEEN a AND b`.
    Between { operand: Operand, low: Literal, high: Literal, negated: bool },
    /// `x IS [NOT] NULL`.
    IsNull { operand: Operand, negated: bool },
    /// `x IS [NOT] literal`.
    Is { operand: Operand, literal: Literal, negated: bool },
}

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    Field(Field),
    Literal(Literal),
    Arithmetic(Box<Self>, Arithmetic, Box<Self>),
}

/// The name of a field, its quotes removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// Where it stands, in characters from 1.
    pub(crate) at: usize,
}

/// A value that stands in the text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Text(String),
    /// A number as it is written, and what it is.
    Number(String, f64),
    Boolean(bool),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// How two numbers become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

// === impl Comparison ===

impl Comparison {
    /// What holds where this does not.
    pub(crate) fn negated(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    /// Whether it holds for two values.
    pub(crate) fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }

    /// The same with the sides exchanged.
    pub(crate) fn mirrored(self) -> Self {
        match self {
            Self::Equal | Self::NotEqual => self,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

// === impl Literal ===

impl Literal {
    /// As text: numbers as they are written.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text, _) => text,
            Self::Boolean(true) => "true",
            Self::Boolean(false) => "false",
        }
    }
}
