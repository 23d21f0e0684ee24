//! A search whose fields are known and whose values have types: what SQL is made from.
//!
//! NOT is pushed down to the tests ([`resolve()`]): with SQL's three values, where a comparison with nothing is neither
//! true nor false, `NOT (a = b)` is `a <> b`, and De Morgan's laws hold. So a test below may say false where it would
//! be neither: nothing above it can tell, and a test of a label becomes a look into the index of labels.

mod fields;
mod resolve;

use jiff::Timestamp;

use crate::tsl::{Arithmetic, Comparison};

pub(crate) use fields::{Field, field};
pub(crate) use resolve::resolve;

/// What a record must be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    /// All of these; of none, anything.
    All(Vec<Self>),
    /// One of these; of none, nothing.
    Any(Vec<Self>),
    Test(Test),
}

/// One thing that a record must be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    Null { value: Value, negated: bool },
    Texts(Text, Comparison, Text),
    Numbers(Number, Comparison, Number),
    Times(Time, Comparison, Time),
    OneOf { text: Text, list: Vec<String>, negated: bool },
    Like { text: Text, pattern: String, any_case: bool, negated: bool },
}

/// A value of any type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(Text),
    Number(Number),
    Time(Time),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Text {
    Literal(String),
    Column(&'static str),
    Label(String),
    /// True, False or Unknown.
    Condition(String),
    /// A member of the spec: a text as it is, all else as JSON; null is nothing.
    Spec(Vec<String>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Number {
    Literal(f64),
    Column(&'static str),
    /// A member of a condition.
    Condition(String, &'static str),
    /// A member of the spec where it is a number, else nothing.
    Spec(Vec<String>),
    Arithmetic(Box<Self>, Arithmetic, Box<Self>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Time {
    Literal(Timestamp),
    Column(&'static str),
    /// A member of a condition.
    Condition(String, &'static str),
}
