//! One position of a schema: what may stand there, and what is checked about it.
//!
//! The same type serves the structure itself and the value validations nested in `allOf`, `anyOf`, `oneOf` and `not`;
//! the parser sees to it that the nested ones say nothing about structure.

use std::{collections::BTreeMap, sync::Arc};

use regex::Regex;
use serde_json::Value;

use crate::{cel::Program, format::Format};

/// A schema of one value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    pub(crate) types: Types,
    pub(crate) nullable: bool,
    pub(crate) default: Option<Value>,
    pub(crate) properties: BTreeMap<String, Node>,
    pub(crate) additional: Option<Additional>,
    pub(crate) items: Option<Box<Node>>,
    pub(crate) preserve_unknown: bool,
    pub(crate) embedded: bool,
    pub(crate) list: List,
    pub(crate) atomic_map: bool,
    pub(crate) checks: Checks,
    pub(crate) rules: Vec<Rule>,
    /// Whether there are rules here or below.
    pub(crate) ruled: bool,
}

/// The JSON types that a value may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Types {
    /// The schema does not say.
    #[default]
    Any,
    One(Type),
    /// `x-kubernetes-int-or-string`.
    IntOrString,
}

/// A type as schemas name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Array,
    Boolean,
    Integer,
    Number,
    Object,
    String,
}

/// What an object may hold besides its properties.
#[derive(Clone, Debug)]
pub(crate) enum Additional {
    /// `additionalProperties: true`: any key, whose value is not described.
    Allowed,
    /// `additionalProperties: false`.
    Forbidden,
    /// Any key, and its value is like this.
    Like(Box<Node>),
}

/// How the items of a list are told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum List {
    /// Not at all: the list is replaced as a whole.
    #[default]
    Atomic,
    /// By their value.
    Set,
    /// By the values of these fields.
    Map(Vec<String>),
}

/// The value validations of a schema.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checks {
    pub(crate) format: Option<Format>,
    pub(crate) pattern: Option<Pattern>,
    pub(crate) min_length: Option<i64>,
    pub(crate) max_length: Option<i64>,
    pub(crate) minimum: Option<Bound>,
    pub(crate) maximum: Option<Bound>,
    pub(crate) multiple_of: Option<f64>,
    pub(crate) min_items: Option<i64>,
    pub(crate) max_items: Option<i64>,
    pub(crate) min_properties: Option<i64>,
    pub(crate) max_properties: Option<i64>,
    pub(crate) required: Vec<String>,
    pub(crate) one_of_values: Vec<Value>,
    pub(crate) all_of: Vec<Node>,
    pub(crate) any_of: Vec<Node>,
    pub(crate) one_of: Vec<Node>,
    pub(crate) not: Option<Box<Node>>,
}

/// The least or greatest value of a number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub(crate) value: f64,
    pub(crate) exclusive: bool,
}

/// A regular expression: as it was written, which errors quote, and ready to match.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub(crate) source: String,
    pub(crate) regex: Arc<Regex>,
}

/// A rule of `x-kubernetes-validations`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rule {
    /// The expression that has to be true, as declared.
    pub(crate) rule: String,
    /// What to say when it is not.
    pub(crate) message: String,
    /// An expression for what to say.
    pub(crate) message_expression: String,
    /// The reason of the error's cause; `FieldValueInvalid` unless declared.
    pub(crate) reason: String,
    /// The field to name in the error, relative to where the rule stands.
    pub(crate) field_path: String,
    /// Whether the rule also runs where there is no old value; nothing unless declared.
    pub(crate) optional_old_self: Option<bool>,
    /// The expression, compiled.
    pub(crate) program: Option<Arc<Program>>,
    /// The expression for what to say, compiled.
    pub(crate) message_program: Option<Arc<Program>>,
}

// === impl Node ===

impl Node {
    /// The schema of the field or map entry `key` of an object of this schema.
    pub(crate) fn entry(&self, key: &str) -> Option<&Node> {
        match (self.properties.get(key), &self.additional) {
            (Some(property), _) => Some(property),
            (None, Some(Additional::Like(node))) => Some(node),
            _ => None,
        }
    }

    /// Whether a null here stands for an absent value.
    pub(crate) fn refuses(&self, value: &Value) -> bool {
        value.is_null() && !self.nullable
    }
}

// === impl Types ===

impl Types {
    /// Whether a value of type `found` is of one of these.
    pub(crate) fn contain(self, found: Type) -> bool {
        match self {
            Types::Any => false,
            Types::One(one) => one == found,
            Types::IntOrString => matches!(found, Type::Integer | Type::String),
        }
    }

    /// As errors list them.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Types::Any => "",
            Types::One(one) => one.text(),
            Types::IntOrString => "integer,string",
        }
    }
}

// === impl Type ===

impl Type {
    /// The types that a schema may name, in the order in which errors list them.
    pub(crate) const ALL: [Type; 6] =
        [Type::Array, Type::Boolean, Type::Integer, Type::Number, Type::Object, Type::String];

    /// The name in schemas.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Type::Array => "array",
            Type::Boolean => "boolean",
            Type::Integer => "integer",
            Type::Number => "number",
            Type::Object => "object",
            Type::String => "string",
        }
    }

    /// The type of that name.
    pub(crate) fn named(name: &str) -> Option<Type> {
        Type::ALL.into_iter().find(|one| one.text() == name)
    }

    /// The type of a value; null has none. A number that is written without a fraction is an integer if it fits 64
    /// bits.
    pub(crate) fn of(value: &Value) -> Option<Type> {
        Some(match value {
            Value::Null => return None,
            Value::Bool(_) => Type::Boolean,
            Value::Number(number) if number.is_i64() => Type::Integer,
            Value::Number(_) => Type::Number,
            Value::String(_) => Type::String,
            Value::Array(_) => Type::Array,
            Value::Object(_) => Type::Object,
        })
    }
}
