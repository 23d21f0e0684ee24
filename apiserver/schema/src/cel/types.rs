//! The types of expressions, as the schema declares them.

use std::{fmt, sync::LazyLock};

use super::name;
use crate::structural::node::{self, Additional, List, Node, Types};

/// The type of an expression.
#[derive(Clone, Debug)]
pub(super) enum Type<'a> {
    /// Known only when it is evaluated.
    Any,
    Null,
    Bool,
    Int,
    Double,
    String,
    /// A list; `merged` if its items are told apart, so that `+` merges.
    List {
        item: Box<Type<'a>>,
        merged: bool,
    },
    /// A map from texts.
    Map(Box<Type<'a>>),
    /// An object with declared fields; `resource` if it has the fields of every resource as well.
    Object {
        node: &'a Node,
        resource: bool,
    },
    Optional(Box<Type<'a>>),
    /// Text in a format whose values rules cannot use.
    Format(&'a str),
}

/// What rules may read of a resource's metadata.
static METADATA: LazyLock<Node> = LazyLock::new(|| {
    let text = || Node { types: Types::One(node::Type::String), ..Node::default() };
    let fields = ["name", "generateName"].map(|name| (name.to_owned(), text()));
    Node { types: Types::One(node::Type::Object), properties: fields.into(), ..Node::default() }
});

// === impl Type ===

impl<'a> Type<'a> {
    /// The type of values of a schema; nothing if rules cannot see them. `root` is the schema of the whole object.
    pub(super) fn of(node: &'a Node, root: bool) -> Option<Self> {
        Some(match node.types {
            Types::IntOrString => Type::Any,
            Types::Any if root || node.embedded => Type::Object { node, resource: true },
            Types::Any => return None,
            Types::One(node::Type::Boolean) => Type::Bool,
            Types::One(node::Type::Integer) => Type::Int,
            Types::One(node::Type::Number) => Type::Double,
            Types::One(node::Type::String) => match &node.checks.format {
                Some(format)
                    if matches!(format.name.as_str(), "byte" | "date" | "date-time" | "datetime" | "duration") =>
                {
                    Type::Format(&format.name)
                }
                _ => Type::String,
            },
            Types::One(node::Type::Array) => {
                let item = Box::new(Type::of(node.items.as_deref()?, false)?);
                Type::List { item, merged: node.list != List::Atomic }
            }
            Types::One(node::Type::Object) => match &node.additional {
                Some(Additional::Like(entry)) => Type::Map(Box::new(Type::of(entry, false)?)),
                _ => Type::Object { node, resource: root || node.embedded },
            },
        })
    }

    /// A list that is made in an expression.
    pub(super) fn list(item: Type<'a>) -> Self {
        Type::List { item: Box::new(item), merged: false }
    }

    /// The field that an expression calls `escaped`: its true name, and its type.
    pub(super) fn field(&self, escaped: &str) -> Result<(String, Type<'a>), String> {
        match self {
            Type::Any => Ok((escaped.to_owned(), Type::Any)),
            Type::Map(value) => Ok((escaped.to_owned(), value.as_ref().clone())),
            Type::Optional(inner) => {
                let (name, found) = inner.field(escaped)?;
                Ok((name, Type::Optional(Box::new(found))))
            }
            Type::Object { node, resource } => {
                let of_resource = match escaped {
                    _ if !resource => None,
                    "apiVersion" | "kind" => Some(Type::String),
                    "metadata" => Some(Type::Object { node: &METADATA, resource: false }),
                    _ => None,
                };
                if let Some(found) = of_resource {
                    return Ok((escaped.to_owned(), found));
                }
                let declared = |name: &&String| name::escape(name).as_deref() == Some(escaped);
                let name = node.properties.keys().find(declared);
                let found = name.and_then(|name| Some((name.clone(), Type::of(&node.properties[name], false)?)));
                found.ok_or_else(|| format!("undefined field '{escaped}'"))
            }
            other => Err(format!("{other} has no field '{escaped}'")),
        }
    }

    /// Whether a value of this type may be one of `wanted`.
    pub(super) fn fits(&self, wanted: &Type<'_>) -> bool {
        match (self, wanted) {
            (Type::Any, _) | (_, Type::Any) => true,
            (Type::List { item, .. }, Type::List { item: wanted, .. }) => item.fits(wanted),
            (Type::Map(value), Type::Map(wanted)) | (Type::Optional(value), Type::Optional(wanted)) => {
                value.fits(wanted)
            }
            (Type::Object { .. }, Type::Object { .. }) => true,
            (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
        }
    }

    /// The type of what is either of two.
    pub(super) fn either(self, other: Type<'a>) -> Type<'a> {
        match (self, other) {
            (Type::List { item: one, merged }, Type::List { item: two, merged: too }) => {
                Type::List { item: Box::new(one.either(*two)), merged: merged || too }
            }
            (Type::Object { node, resource }, Type::Object { node: other, .. }) if std::ptr::eq(node, other) => {
                Type::Object { node, resource }
            }
            (Type::Map(one), Type::Map(two)) => Type::Map(Box::new(one.either(*two))),
            (Type::Optional(one), Type::Optional(two)) => Type::Optional(Box::new(one.either(*two))),
            (one, other) => {
                let nested = matches!(one, Type::Object { .. });
                if !nested && std::mem::discriminant(&one) == std::mem::discriminant(&other) { one } else { Type::Any }
            }
        }
    }
}

impl fmt::Display for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Any => f.write_str("dyn"),
            Type::Null => f.write_str("null"),
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Double => f.write_str("double"),
            Type::String => f.write_str("string"),
            Type::List { item, .. } => write!(f, "list({item})"),
            Type::Map(value) => write!(f, "map(string, {value})"),
            Type::Object { .. } => f.write_str("object"),
            Type::Optional(inner) => write!(f, "optional({inner})"),
            Type::Format(name) => write!(f, "string of format {name}"),
        }
    }
}
