//! Values of expressions. Those of the object are read where they stand, with the schema as guide; only what an
//! expression makes is owned.

use std::{cmp::Ordering, rc::Rc};

use serde_json::{Map, Value};

use super::budget::{Budget, Fault};
use crate::structural::node::{List, Node, Type, Types};

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Val<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Text<'a>),
    /// A list of the object.
    Array(&'a [Value], Option<&'a Node>),
    List(Rc<Vec<Val<'a>>>),
    /// An object or map of the object.
    Object(&'a Map<String, Value>, Option<&'a Node>),
    Map(Rc<Vec<(Val<'a>, Val<'a>)>>),
    Optional(Option<Rc<Val<'a>>>),
}

/// Text of the object or the rule, or made.
#[derive(Clone, Debug)]
pub(crate) enum Text<'a> {
    Lent(&'a str),
    Made(Rc<str>),
}

// === impl Val ===

impl<'a> Val<'a> {
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
            Value::String(text) => Val::Text(Text::Lent(text)),
            Value::Array(items) => Val::Array(items, node),
            Value::Object(fields) => Val::Object(fields, node),
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
    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Val::Text(text) = self { Some(text.as_str()) } else { None }
    }

    /// How many characters, items or entries there are.
    pub(super) fn size(&self) -> Option<usize> {
        Some(match self {
            Val::Text(text) => text.as_str().chars().count(),
            Val::Array(items, _) => items.len(),
            Val::List(items) => items.len(),
            Val::Object(fields, _) => fields.len(),
            Val::Map(entries) => entries.len(),
            _ => return None,
        })
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Option<Vec<Val<'a>>> {
        match self {
            Val::Array(items, node) => Some(items.iter().map(|item| Val::of(item, item_node(*node))).collect()),
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

    /// The field or entry of this name; a fault if this can have none.
    pub(super) fn field(&self, name: &str, budget: &mut Budget) -> Result<Option<Val<'a>>, Fault> {
        match self {
            Val::Object(fields, node) => {
                let entry = node.and_then(|node| node.entry(name));
                Ok(fields.get(name).map(|value| Val::of(value, entry)))
            }
            Val::Map(entries) => {
                budget.take(entries.len())?;
                Ok(entries.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value.clone()))
            }
            _ => Err(Fault::overload()),
        }
    }

    /// The item at an index.
    pub(super) fn item(&self, index: i64) -> Result<Option<Val<'a>>, Fault> {
        let index = usize::try_from(index).ok();
        match self {
            Val::Array(items, node) => {
                Ok(index.and_then(|index| items.get(index)).map(|item| Val::of(item, item_node(*node))))
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
            (Val::Int(_) | Val::Double(_), Val::Int(_) | Val::Double(_)) => {
                Ok(self.compare(other) == Some(Ordering::Equal))
            }
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
        matches!(self, Val::Array(_, Some(node)) if node.list != List::Atomic)
    }

    fn equal_maps(&self, other: &Val<'a>, budget: &mut Budget) -> Result<bool, Fault> {
        if self.size() != other.size() {
            return Ok(false);
        }
        for key in self.iterated().unwrap_or_default() {
            let Some(name) = key.as_text() else { return Ok(false) };
            let (Some(one), Some(two)) = (self.field(name, budget)?, other.field(name, budget)?) else {
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
            (Val::Double(one), Val::Double(two)) => one.partial_cmp(two),
            (Val::Int(one), Val::Double(two)) => compare_int(*one, *two),
            (Val::Double(one), Val::Int(two)) => compare_int(*two, *one).map(Ordering::reverse),
            (Val::Text(one), Val::Text(two)) => Some(one.as_str().cmp(two.as_str())),
            _ => None,
        }
    }
}

// === impl Text ===

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
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
fn compare_int(int: i64, double: f64) -> Option<Ordering> {
    match (int as f64).partial_cmp(&double)? {
        #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
        Ordering::Equal => Some(int.cmp(&(double as i64))),
        order => Some(order),
    }
}

fn item_node(node: Option<&Node>) -> Option<&Node> {
    node.and_then(|node| node.items.as_deref())
}
