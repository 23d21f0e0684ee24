//! Values of expressions. Those of the object are read where they stand, with the schema as guide; only what an
//! expression makes is owned.

use std::{cmp::Ordering, rc::Rc};

use serde_json::{Map, Value};

use super::{
    access::Check,
    budget::{Budget, Fault},
    library::Library,
    moment::{self, Duration, Timestamp},
};
use crate::structural::node::{List, Node, Type, Types};

/// A value.
#[derive(Clone, Debug)]
pub enum Val<'a> {
    /// Null.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number that is not negative.
    Uint(u64),
    /// A number.
    Double(f64),
    /// A text.
    Text(Text<'a>),
    /// Bytes.
    Bytes(Rc<[u8]>),
    /// A time.
    Timestamp(Timestamp),
    /// A time between times.
    Duration(Duration),
    /// A list of the object.
    Array(&'a [Value], Shape<'a>),
    /// A list that was made.
    List(Rc<Vec<Val<'a>>>),
    /// An object or map of the object.
    Object(&'a Map<String, Value>, Shape<'a>),
    /// A map that was made.
    Map(Rc<Vec<(Val<'a>, Val<'a>)>>),
    /// A value that may be absent.
    Optional(Option<Rc<Val<'a>>>),
    /// A type, by its name.
    Type(Rc<str>),
    /// A value of a library.
    Library(OfLibrary),
    /// What is asked of an authorizer, and its answer.
    Check(Checked),
    /// A value of a type that the environment lets expressions make.
    Made(Rc<Made<'a>>),
}

/// A value of a library.
#[derive(Clone, Debug, PartialEq)]
pub struct OfLibrary(Rc<Library>);

/// What is asked of an authorizer, and its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked(Rc<Check>);

/// The schema of a value of the object, where there is one.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'a>(pub(super) Option<&'a Node>);

/// Text of the object or the rule, or made.
#[derive(Clone, Debug)]
pub enum Text<'a> {
    /// It stands elsewhere.
    Lent(&'a str),
    /// It was made.
    Made(Rc<str>),
}

/// A value of a type that the environment lets expressions make.
#[derive(Clone, Debug)]
pub struct Made<'a> {
    /// The name of the type.
    pub name: &'a str,
    /// The fields, in the order in which they were written.
    pub fields: Vec<(&'a str, Val<'a>)>,
}

// === impl Val ===

impl<'a> Val<'a> {
    /// A value of which no schema says anything.
    pub fn dynamic(value: &'a Value) -> Self {
        Val::of(value, None)
    }

    /// A value of the object, of this schema.
    pub(crate) fn of(value: &'a Value, node: Option<&'a Node>) -> Self {
        match value {
            Value::Null => Val::Null,
            Value::Bool(value) => Val::Bool(*value),
            Value::Number(number) => {
                let double = node.is_some_and(|node| node.types == Types::One(Type::Number));
                let whole = node.is_some_and(|node| node.types == Types::One(Type::Integer));
                match (number.as_i64(), number.as_f64()) {
                    (Some(int), _) if !double => Val::Int(int),
                    #[expect(clippy::cast_possible_truncation, reason = "a whole number, as the schema was validated")]
                    (None, Some(float)) if whole => Val::Int(float as i64),
                    (_, float) => Val::Double(float.unwrap_or(f64::NAN)),
                }
            }
            Value::String(text) => {
                let format = node.filter(|node| node.types == Types::One(Type::String));
                let format = format.and_then(|node| node.checks.format.as_ref());
                let read = format.and_then(|format| moment::of_format(&format.name, text));
                read.unwrap_or(Val::Text(Text::Lent(text)))
            }
            Value::Array(items) => Val::Array(items, Shape(node)),
            Value::Object(fields) => Val::Object(fields, Shape(node)),
        }
    }

    /// Text that was made.
    pub(super) fn text(text: impl Into<Rc<str>>) -> Self {
        Val::Text(Text::Made(text.into()))
    }

    /// A list that was made.
    pub(super) fn list(items: Vec<Val<'a>>) -> Self {
        Val::List(Rc::new(items))
    }

    /// An optional.
    pub(crate) fn optional(value: Option<Val<'a>>) -> Self {
        Val::Optional(value.map(Rc::new))
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Val::Text(text) = self { Some(text.as_str()) } else { None }
    }

    /// How many characters, items or entries there are.
    pub(super) fn size(&self) -> Option<usize> {
        Some(match self {
            Val::Text(text) => text.as_str().chars().count(),
            Val::Bytes(bytes) => bytes.len(),
            Val::Array(items, _) => items.len(),
            Val::List(items) => items.len(),
            Val::Object(fields, _) => fields.len(),
            Val::Map(entries) => entries.len(),
            _ => return None,
        })
    }

    /// The items of a list.
    pub fn items(&self) -> Option<Vec<Val<'a>>> {
        match self {
            Val::Array(items, shape) => Some(items.iter().map(|item| Val::of(item, shape.item())).collect()),
            Val::List(items) => Some(items.as_ref().clone()),
            _ => None,
        }
    }

    /// What a loop goes over: the items of a list, the keys of a map.
    pub(super) fn iterated(&self) -> Option<Vec<Val<'a>>> {
        match self {
            Val::Object(fields, _) => Some(fields.keys().map(|key| Val::Text(Text::Lent(key))).collect()),
            Val::Map(entries) => Some(entries.iter().map(|(key, _)| key.clone()).collect()),
            list => list.items(),
        }
    }

    /// What a loop of two variables goes over: index and item, or key and value.
    pub(super) fn pairs(&self) -> Option<Vec<(Val<'a>, Val<'a>)>> {
        match self {
            Val::Object(fields, Shape(node)) => {
                let value = |(key, value): (&'a String, &'a Value)| {
                    (Val::Text(Text::Lent(key)), Val::of(value, node.and_then(|node| node.entry(key))))
                };
                Some(fields.iter().map(value).collect())
            }
            Val::Map(entries) => Some(entries.as_ref().clone()),
            list => Some((0..).map(Val::Int).zip(list.items()?).collect()),
        }
    }

    /// The field or entry of this name; a fault if this can have none.
    pub(super) fn field(&self, name: &str, budget: &mut Budget) -> Result<Option<Val<'a>>, Fault> {
        match self {
            Val::Object(fields, Shape(node)) => {
                let entry = node.and_then(|node| node.entry(name));
                Ok(fields.get(name).map(|value| Val::of(value, entry)))
            }
            Val::Map(entries) => {
                budget.take(entries.len())?;
                Ok(entries.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value.clone()))
            }
            Val::Made(made) => Ok(made.fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value.clone())),
            Val::Array(..) | Val::List(_) => Err(Fault::error("unsupported index type 'string' in list")),
            // What has no fields lacks each, as in cel-go.
            _ => Ok(None),
        }
    }

    /// The entry of a map that an expression made, whatever its keys are.
    pub(super) fn entry(&self, key: &Val<'a>, budget: &mut Budget) -> Result<Option<Val<'a>>, Fault> {
        match (self, key) {
            (_, Val::Text(name)) => self.field(name.as_str(), budget),
            (Val::Map(entries), key) => {
                for (known, value) in entries.iter() {
                    if known.equals(key, budget)? {
                        return Ok(Some(value.clone()));
                    }
                }
                Ok(None)
            }
            (Val::Object(..), _) => Ok(None),
            _ => Err(Fault::overload()),
        }
    }

    /// The item at an index.
    pub(super) fn item(&self, index: i64) -> Result<Option<Val<'a>>, Fault> {
        let index = usize::try_from(index).ok();
        match self {
            Val::Array(items, shape) => {
                Ok(index.and_then(|index| items.get(index)).map(|item| Val::of(item, shape.item())))
            }
            Val::List(items) => Ok(index.and_then(|index| items.get(index)).cloned()),
            _ => Err(Fault::overload()),
        }
    }

    /// Whether two values are equal. Numbers are compared across their types; values of other types are not equal.
    pub(super) fn equals(&self, other: &Val<'a>, budget: &mut Budget) -> Result<bool, Fault> {
        budget.take(1)?;
        match (self, other) {
            (Val::Null, Val::Null) => Ok(true),
            (Val::Bool(one), Val::Bool(two)) => Ok(one == two),
            (Val::Int(_) | Val::Uint(_) | Val::Double(_), Val::Int(_) | Val::Uint(_) | Val::Double(_)) => {
                Ok(self.compare(other) == Some(Ordering::Equal))
            }
            (Val::Bytes(one), Val::Bytes(two)) => {
                budget.take_text(one.len().min(two.len()))?;
                Ok(one == two)
            }
            (Val::Timestamp(one), Val::Timestamp(two)) => Ok(one == two),
            (Val::Duration(one), Val::Duration(two)) => Ok(one == two),
            (Val::Type(one), Val::Type(two)) => Ok(one == two),
            (Val::Library(one), Val::Library(two)) => Ok(one == two),
            (Val::Check(one), Val::Check(two)) => Ok(one == two),
            (Val::Made(one), Val::Made(two)) => one.equals(two, budget),
            (Val::Text(one), Val::Text(two)) => {
                budget.take_text(one.as_str().len().min(two.as_str().len()))?;
                Ok(one.as_str() == two.as_str())
            }
            (Val::Optional(one), Val::Optional(two)) => match (one, two) {
                (Some(one), Some(two)) => one.equals(two, budget),
                (one, two) => Ok(one.is_none() && two.is_none()),
            },
            (Val::Array(..) | Val::List(_), Val::Array(..) | Val::List(_)) => self.equal_lists(other, budget),
            (Val::Object(..) | Val::Map(_), Val::Object(..) | Val::Map(_)) => self.equal_maps(other, budget),
            _ => Ok(false),
        }
    }

    fn equal_lists(&self, other: &Val<'a>, budget: &mut Budget) -> Result<bool, Fault> {
        let sizes = (self.size().unwrap_or_default(), other.size().unwrap_or_default());
        budget.take(sizes.0)?;
        if sizes.0 != sizes.1 {
            return Ok(false);
        }
        let (one, two) = (self.items().unwrap_or_default(), other.items().unwrap_or_default());
        // The order of sets and map lists says nothing.
        if self.is_merged() || other.is_merged() {
            return contains_all(&one, &two, budget);
        }
        for (one, two) in one.iter().zip(&two) {
            if !one.equals(two, budget)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_merged(&self) -> bool {
        matches!(self, Val::Array(_, Shape(Some(node))) if node.list != List::Atomic)
    }

    fn equal_maps(&self, other: &Val<'a>, budget: &mut Budget) -> Result<bool, Fault> {
        if self.size() != other.size() {
            return Ok(false);
        }
        for key in self.iterated().unwrap_or_default() {
            let (Some(one), Some(two)) = (self.entry(&key, budget)?, other.entry(&key, budget)?) else {
                return Ok(false);
            };
            if !one.equals(&two, budget)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The order of two values of one type, or of two numbers.
    pub(super) fn compare(&self, other: &Val<'a>) -> Option<Ordering> {
        match (self, other) {
            (Val::Bool(one), Val::Bool(two)) => Some(one.cmp(two)),
            (Val::Int(one), Val::Int(two)) => Some(one.cmp(two)),
            (Val::Uint(one), Val::Uint(two)) => Some(one.cmp(two)),
            (Val::Int(one), Val::Uint(two)) => Some(i128::from(*one).cmp(&i128::from(*two))),
            (Val::Uint(one), Val::Int(two)) => Some(i128::from(*one).cmp(&i128::from(*two))),
            (Val::Uint(one), Val::Double(two)) => compare_int(i128::from(*one), *two),
            (Val::Double(one), Val::Uint(two)) => compare_int(i128::from(*two), *one).map(Ordering::reverse),
            (Val::Double(one), Val::Double(two)) => one.partial_cmp(two),
            (Val::Int(one), Val::Double(two)) => compare_int(i128::from(*one), *two),
            (Val::Double(one), Val::Int(two)) => compare_int(i128::from(*two), *one).map(Ordering::reverse),
            (Val::Text(one), Val::Text(two)) => Some(one.as_str().cmp(two.as_str())),
            (Val::Bytes(one), Val::Bytes(two)) => Some(one.cmp(two)),
            (Val::Timestamp(one), Val::Timestamp(two)) => Some(one.cmp(two)),
            (Val::Duration(one), Val::Duration(two)) => Some(one.cmp(two)),
            _ => None,
        }
    }

    /// The name of its type.
    pub fn type_name(&self) -> &str {
        match self {
            Val::Null => "null_type",
            Val::Bool(_) => "bool",
            Val::Int(_) => "int",
            Val::Uint(_) => "uint",
            Val::Double(_) => "double",
            Val::Text(_) => "string",
            Val::Bytes(_) => "bytes",
            Val::Timestamp(_) => "google.protobuf.Timestamp",
            Val::Duration(_) => "google.protobuf.Duration",
            Val::Array(..) | Val::List(_) => "list",
            Val::Object(..) | Val::Map(_) => "map",
            Val::Optional(_) => "optional_type",
            Val::Type(_) => "type",
            Val::Library(value) => value.get().type_name(),
            Val::Check(check) => check.get().type_name(),
            Val::Made(made) => made.name,
        }
    }

    /// As JSON; an error says why it is none.
    pub fn to_json(&self) -> Result<Value, String> {
        match self {
            Val::Null => Ok(Value::Null),
            Val::Bool(value) => Ok(Value::Bool(*value)),
            Val::Int(value) => Ok(Value::from(*value)),
            Val::Uint(value) => Ok(Value::from(*value)),
            Val::Double(value) => serde_json::Number::from_f64(*value)
                .map(Value::Number)
                .ok_or_else(|| format!("the number {value} cannot be written as JSON")),
            Val::Text(text) => Ok(Value::from(text.as_str())),
            Val::Bytes(bytes) => Ok(Value::from(moment::base64(bytes))),
            Val::Timestamp(time) => Ok(Value::from(moment::write_timestamp(*time))),
            Val::Duration(duration) => Ok(Value::from(moment::write_duration(*duration))),
            Val::Array(items, _) => Ok(Value::from(items.to_vec())),
            Val::List(items) => items.iter().map(Val::to_json).collect(),
            Val::Object(fields, _) => Ok(Value::Object((*fields).clone())),
            Val::Map(entries) => entries
                .iter()
                .map(|(key, value)| match key.as_text() {
                    Some(key) => Ok((key.to_owned(), value.to_json()?)),
                    None => Err(format!("a map with a key of type {} cannot be written as JSON", key.type_name())),
                })
                .collect(),
            Val::Optional(inner) => inner.as_ref().map_or(Ok(Value::Null), |inner| inner.to_json()),
            Val::Made(made) => {
                made.fields.iter().map(|(name, value)| Ok(((*name).to_owned(), value.to_json()?))).collect()
            }
            Val::Type(_) | Val::Library(_) | Val::Check(_) => {
                Err(format!("a value of type {} cannot be written as JSON", self.type_name()))
            }
        }
    }
}

// === impl Made ===

impl<'a> Made<'a> {
    fn equals(&self, other: &Made<'a>, budget: &mut Budget) -> Result<bool, Fault> {
        if self.name != other.name || self.fields.len() != other.fields.len() {
            return Ok(false);
        }
        for (name, one) in &self.fields {
            let Some((_, two)) = other.fields.iter().find(|(other, _)| other == name) else { return Ok(false) };
            if !one.equals(two, budget)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

// === impl OfLibrary ===

impl OfLibrary {
    pub(super) fn get(&self) -> &Library {
        &self.0
    }
}

impl From<Library> for OfLibrary {
    fn from(value: Library) -> Self {
        Self(Rc::new(value))
    }
}

// === impl Checked ===

impl Checked {
    pub(super) fn get(&self) -> &Check {
        &self.0
    }
}

impl From<Check> for Checked {
    fn from(check: Check) -> Self {
        Self(Rc::new(check))
    }
}

// === impl Shape ===

impl<'a> Shape<'a> {
    fn item(self) -> Option<&'a Node> {
        self.0.and_then(|node| node.items.as_deref())
    }
}

// === impl Text ===

impl Text<'_> {
    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Text::Lent(text) => text,
            Text::Made(text) => text,
        }
    }
}

/// Whether every one of `wanted` is in `list`.
pub(super) fn contains_all<'a>(list: &[Val<'a>], wanted: &[Val<'a>], budget: &mut Budget) -> Result<bool, Fault> {
    for one in wanted {
        if !contains(list, one, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether one is in a list.
pub(super) fn contains<'a>(list: &[Val<'a>], wanted: &Val<'a>, budget: &mut Budget) -> Result<bool, Fault> {
    for one in list {
        if one.equals(wanted, budget)? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[expect(clippy::cast_precision_loss, reason = "what is lost is compared as integers")]
fn compare_int(int: i128, double: f64) -> Option<Ordering> {
    match (int as f64).partial_cmp(&double)? {
        #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
        Ordering::Equal => Some(int.cmp(&(double as i128))),
        order => Some(order),
    }
}
