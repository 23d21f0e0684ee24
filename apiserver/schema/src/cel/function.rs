//! The functions and operators that rules may call. A function that is not in a table here does not exist, and a rule
//! that calls it is refused.

mod addresses;
mod authorizer;
mod convert;
mod format;
mod lists;
mod moments;
mod named;
mod numbers;
mod operators;
mod optional;
mod sets;
mod strings;

pub(super) use format::display;

use super::{
    budget::{Budget, Fault},
    environment::Names,
    types::Type,
    value::Val,
};
use crate::structural::node::Pattern;

/// A function for arguments of some types.
#[derive(Debug)]
pub(super) struct Function {
    name: &'static str,
    /// Whether it is called on its first argument.
    receiver: bool,
    params: &'static [Kind],
    result: Kind,
    /// Whether its second argument is a regular expression.
    pub(super) takes_pattern: bool,
    pub(super) run: Run,
}

/// What a function does.
pub(super) type Run = for<'a, 'b> fn(Call<'a, 'b>) -> Result<Val<'a>, Fault>;

/// A call under way.
pub(super) struct Call<'a, 'b> {
    pub(super) args: Vec<Val<'a>>,
    pub(super) pattern: Option<&'a Pattern>,
    pub(super) budget: &'b mut Budget,
    pub(super) names: &'b mut dyn Names<'a>,
}

/// The types that an argument or result may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Any,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    Number,
    Text,
    Bytes,
    Timestamp,
    Duration,
    Type,
    Library(&'static str),
    List,
    Texts,
    Map,
    Sized,
    Optional,
    /// As the first argument.
    Same,
    /// As the items, or the value, of the first argument.
    Inner,
    /// An optional of the first argument.
    OptionalOfFirst,
    /// An optional item of the first argument.
    OptionalOfInner,
    OptionalLibrary(&'static str),
    OptionalTexts,
    Ints,
}

const TABLES: [&[Function]; 12] = [
    addresses::FUNCTIONS,
    authorizer::FUNCTIONS,
    convert::FUNCTIONS,
    format::FUNCTIONS,
    lists::FUNCTIONS,
    moments::FUNCTIONS,
    named::FUNCTIONS,
    numbers::FUNCTIONS,
    operators::FUNCTIONS,
    optional::FUNCTIONS,
    sets::FUNCTIONS,
    strings::FUNCTIONS,
];

/// The names before the dot of functions that are called on nothing.
pub(super) fn is_space(name: &str) -> bool {
    matches!(name, "sets" | "optional" | "ip" | "format" | "lists" | "strings" | "jsonpatch")
}

/// Whether there is a function of this name at all.
pub(super) fn is_known(name: &str) -> bool {
    all().any(|function| function.name == name)
}

fn all() -> impl Iterator<Item = &'static Function> {
    TABLES.into_iter().flatten()
}

// === impl Function ===

impl Function {
    /// The function of this name for arguments of these types.
    pub(super) fn find(name: &str, receiver: bool, types: &[Type<'_>]) -> Option<&'static Function> {
        let fits = |function: &&Function| {
            function.name == name
                && function.receiver == receiver
                && function.params.len() == types.len()
                && function.params.iter().zip(types).all(|(kind, one)| kind.takes(one, &types[0]))
        };
        // One that knows its result is better than one that does not.
        all().filter(fits).min_by_key(|function| function.params.iter().filter(|kind| **kind == Kind::Any).count())
    }

    /// The type of the result for arguments of these types.
    pub(super) fn result<'a>(&self, types: &[Type<'a>]) -> Type<'a> {
        match self.result {
            Kind::Bool => Type::Bool,
            Kind::Int if types.iter().any(|one| matches!(one, Type::Any)) && self.is_overloaded() => Type::Any,
            Kind::Double | Kind::Text | Kind::Int | Kind::Uint | Kind::Bytes | Kind::Timestamp | Kind::Duration
                if self.is_overloaded() && types.iter().all(|one| matches!(one, Type::Any)) =>
            {
                Type::Any
            }
            Kind::Int => Type::Int,
            Kind::Uint => Type::Uint,
            Kind::Double => Type::Double,
            Kind::Text => Type::String,
            Kind::Bytes => Type::Bytes,
            Kind::Timestamp => Type::Timestamp,
            Kind::Duration => Type::Duration,
            Kind::Type => Type::Type,
            Kind::Library(name) => Type::Library(name),
            Kind::Texts => Type::list(Type::String),
            Kind::Same => types.iter().cloned().reduce(Type::either).unwrap_or(Type::Any),
            Kind::Inner => match &types[0] {
                Type::List { item, .. } => item.as_ref().clone(),
                Type::Optional(inner) => inner.as_ref().clone(),
                _ => Type::Any,
            },
            Kind::OptionalOfFirst => Type::Optional(Box::new(types.first().cloned().unwrap_or(Type::Any))),
            Kind::OptionalOfInner => match &types[0] {
                Type::List { item, .. } => Type::Optional(item.clone()),
                _ => Type::Optional(Box::new(Type::Any)),
            },
            Kind::OptionalLibrary(name) => Type::Optional(Box::new(Type::Library(name))),
            Kind::OptionalTexts => Type::Optional(Box::new(Type::list(Type::String))),
            Kind::Ints => Type::list(Type::Int),
            Kind::Any | Kind::Null | Kind::Number | Kind::List | Kind::Map | Kind::Sized | Kind::Optional => Type::Any,
        }
    }

    /// Whether another function has its name and number of arguments, and another result.
    fn is_overloaded(&self) -> bool {
        let like = |other: &Function| {
            other.name == self.name && other.receiver == self.receiver && other.params.len() == self.params.len()
        };
        all().any(|other| like(other) && other.result != self.result)
    }
}

// === impl Kind ===

impl Kind {
    fn takes(self, one: &Type<'_>, first: &Type<'_>) -> bool {
        match (self, one) {
            (_, Type::Any) | (Kind::Any, _) => true,
            (Kind::Null, one) => matches!(one, Type::Null),
            (Kind::Bool, one) => matches!(one, Type::Bool),
            (Kind::Int, one) => matches!(one, Type::Int),
            (Kind::Uint, one) => matches!(one, Type::Uint),
            (Kind::Double, one) => matches!(one, Type::Double),
            (Kind::Number, one) => matches!(one, Type::Int | Type::Uint | Type::Double),
            (Kind::Text, one) => matches!(one, Type::String),
            (Kind::Bytes, one) => matches!(one, Type::Bytes),
            (Kind::Timestamp, one) => matches!(one, Type::Timestamp),
            (Kind::Duration, one) => matches!(one, Type::Duration),
            (Kind::Type, one) => matches!(one, Type::Type),
            (Kind::Library(name), one) => matches!(one, Type::Library(found) if *found == name),
            (Kind::List, one) => matches!(one, Type::List { .. }),
            (Kind::Texts, Type::List { item, .. }) => item.fits(&Type::String),
            (Kind::Map, one) => matches!(one, Type::Map(_) | Type::Object { .. }),
            (Kind::Sized, one) => matches!(one, Type::String | Type::Bytes | Type::List { .. } | Type::Map(_)),
            (Kind::Optional, one) => matches!(one, Type::Optional(_)),
            (Kind::Same, one) => one.fits(first),
            (Kind::Inner, one) => match first {
                Type::List { item, .. } => one.fits(item),
                Type::Optional(inner) => one.fits(inner),
                _ => true,
            },
            (
                Kind::Texts
                | Kind::OptionalOfFirst
                | Kind::OptionalOfInner
                | Kind::OptionalLibrary(_)
                | Kind::OptionalTexts
                | Kind::Ints,
                _,
            ) => false,
        }
    }
}

// === impl Call ===

impl<'a> Call<'a, '_> {
    fn arg(&self, index: usize) -> Result<&Val<'a>, Fault> {
        self.args.get(index).ok_or_else(Fault::overload)
    }

    /// A text, paid for.
    fn text(&mut self, index: usize) -> Result<String, Fault> {
        let text = self.arg(index)?.as_text().ok_or_else(Fault::overload)?.to_owned();
        self.budget.take_text(text.len())?;
        Ok(text)
    }

    fn int(&self, index: usize) -> Result<i64, Fault> {
        if let Val::Int(value) = self.arg(index)? { Ok(*value) } else { Err(Fault::overload()) }
    }

    /// The items of a list, paid for.
    fn items(&mut self, index: usize) -> Result<Vec<Val<'a>>, Fault> {
        match self.arg(index)? {
            list @ (Val::Array(..) | Val::List(_)) => {
                self.budget.take(list.size().unwrap_or_default())?;
                self.args[index].items().ok_or_else(Fault::overload)
            }
            _ => Err(Fault::overload()),
        }
    }

    /// Text that was made, paid for.
    fn made(self, text: String) -> Result<Val<'a>, Fault> {
        self.budget.take_text(text.len())?;
        Ok(Val::text(text))
    }
}

/// A function that is called on nothing.
const fn global(name: &'static str, params: &'static [Kind], result: Kind, run: Run) -> Function {
    Function { name, receiver: false, params, result, takes_pattern: false, run }
}

/// A function that is called on its first argument.
const fn method(name: &'static str, params: &'static [Kind], result: Kind, run: Run) -> Function {
    Function { name, receiver: true, params, result, takes_pattern: false, run }
}

/// A function whose second argument is a regular expression.
const fn matching(receiver: bool, name: &'static str, params: &'static [Kind], result: Kind, run: Run) -> Function {
    Function { name, receiver, params, result, takes_pattern: true, run }
}
