//! TSL, the language of searches, as text becomes a syntax tree.
//!
//! ```text
//!   name = 'a' and not (generation > 2 or labels.env in ('test', 'stage'))
//!   └──┬─┘                └────┬─────┘    └────────────┬────────────────┘
//!    compare                compare                   in
//! ```
//!
//! Nothing here knows which fields there are; that is [`filter`](crate::filter). What is wrong with a text is an
//! [`Error`] with the place. A text is bounded in length and nesting, so no text costs more than its length.

mod lexer;
mod parser;
mod syntax;

pub(crate) use parser::parse;
pub(crate) use syntax::{Arithmetic, Comparison, Expression, Field, Literal, Operand};

/// How long a search may be, in characters.
pub(crate) const MAX_LENGTH: usize = 4096;

/// How deep parentheses, NOT and arithmetic may nest.
pub(crate) const MAX_DEPTH: usize = 64;

/// Why a text is no search.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}, at character {at}")]
pub(crate) struct Error {
    /// What is wrong.
    pub(crate) reason: String,
    /// Where, in characters from 1.
    pub(crate) at: usize,
}
