//! Label and field selectors: which objects a list, a watch or a deletion is about.
//!
//! Parsed from a query, kept as values, printed in one canonical form. Parsing fails with Kubernetes' texts.

mod fields;
mod labels;
mod lexer;

/// Requirements on labels, all of which must hold. The empty selector matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector {
    /// What must hold.
    pub requirements: Vec<Requirement>,
}

/// A requirement on one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The label's key.
    pub key: String,
    /// How its value is compared.
    pub operator: Operator,
    /// What it is compared with.
    pub values: Vec<String>,
}

/// How a label's value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `key in (a,b)`, `key=a`
    In,
    /// `key notin (a,b)`, `key!=a`; true of objects that lack the key.
    NotIn,
    /// `key`
    Exists,
    /// `!key`
    DoesNotExist,
    /// `key>5`
    GreaterThan,
    /// `key<5`
    LessThan,
}

/// Requirements on fields, all of which must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSelector {
    /// What must hold.
    pub requirements: Vec<FieldRequirement>,
}

/// A requirement on one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRequirement {
    /// The field's path, such as `metadata.name`.
    pub field: String,
    /// Whether the value must be equal (`true`) or different.
    pub equal: bool,
    /// The value.
    pub value: String,
}
