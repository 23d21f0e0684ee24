//! The types of expressions, as the schema declares them.

use std::{fmt, sync::LazyLock};

use super::{access, name};
use crate::structural::{
    Schema,
    node::{self, Additional, List, Node, Types},
};

/// The type of an expression.
#[derive(Clone, Debug)]
pub enum Type<'a> {
    /// Known only when it is evaluated.
    Any,
    /// Null.
    Null,
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A whole number that is not negative.
    Uint,
    /// A number.
    Double,
    /// A text.
    String,
    /// Bytes.
    Bytes,
    /// A time.
    Timestamp,
    /// A time between times.
    Duration,
    /// A type.
    Type,
    /// A list; `merged` if its items are told apart, so that `+` merges.
    List {
        /// Of what.
        item: Box<Type<'a>>,
        /// Whether its items are told apart.
        merged: bool,
    },
    /// A map from texts.
    Map(Box<Type<'a>>),
    /// An object with declared fields; `resource` if it has the fields of every resource as well.
    Object {
        /// The fields.
        node: Fields<'a>,
        /// Whether it is a whole object.
        resource: bool,
    },
    /// A value that may be absent.
    Optional(Box<Type<'a>>),
    /// A type of a library, by its name.
    Library(&'static str),
    /// A type that expressions make values of, by its name.
    Made(String),
}

/// Fields that a schema declares.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    node: &'a Node,
    /// Whether expressions call them by their names, rather than with escapes.
    plain: bool,
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
            Types::Any if root || node.embedded => Type::Object { node: Fields::of(node), resource: true },
            Types::Any => return None,
            Types::One(node::Type::Boolean) => Type::Bool,
            Types::One(node::Type::Integer) => Type::Int,
            Types::One(node::Type::Number) => Type::Double,
            Types::One(node::Type::String) => match &node.checks.format {
                Some(format) => match format.name.as_str() {
                    "byte" => Type::Bytes,
                    "date" | "date-time" | "datetime" => Type::Timestamp,
                    "duration" => Type::Duration,
                    _ => Type::String,
                },
                None => Type::String,
            },
            Types::One(node::Type::Array) => {
                let item = Box::new(Type::of(node.items.as_deref()?, false)?);
                Type::List { item, merged: node.list != List::Atomic }
            }
            Types::One(node::Type::Object) => match &node.additional {
                Some(Additional::Like(entry)) => Type::Map(Box::new(Type::of(entry, false)?)),
                _ => Type::Object { node: Fields::of(node), resource: root || node.embedded },
            },
        })
    }

    /// A property of a schema, as it is declared there; one that it does not have is known only when it is evaluated.
    pub fn declared(schema: &'a Schema, property: &str) -> Self {
        let found = schema.root.properties.get(property).and_then(|node| Type::of(node, false));
        found.map_or(Type::Any, Type::plain)
    }

    /// The type of `authorizer`.
    pub fn authorizer() -> Self {
        Type::Library(access::AUTHORIZER)
    }

    /// The type of `authorizer.requestResource`.
    pub fn resource_check() -> Self {
        Type::Library(access::RESOURCE_CHECK)
    }

    /// The same with fields that are called by their names.
    fn plain(self) -> Self {
        match self {
            Type::Object { node, resource } => Type::Object { node: Fields { plain: true, ..node }, resource },
            Type::List { item, merged } => Type::List { item: Box::new(item.plain()), merged },
            other => other,
        }
    }

    /// A list that is made in an expression.
    pub(super) fn list(item: Type<'a>) -> Self {
        Type::List { item: Box::new(item), merged: false }
    }

    /// The field that an expression calls `escaped`: its true name, and its type.
    pub(super) fn field(&self, escaped: &str) -> Result<(String, Type<'a>), String> {
        match self {
            Type::Any | Type::Made(_) => Ok((escaped.to_owned(), Type::Any)),
            Type::Map(value) => Ok((escaped.to_owned(), value.as_ref().clone())),
            Type::Optional(inner) => {
                let (name, found) = inner.field(escaped)?;
                Ok((name, Type::Optional(Box::new(found))))
            }
            Type::Object { node: Fields { node, plain }, resource } => {
                let of_resource = match escaped {
                    _ if !resource => None,
                    "apiVersion" | "kind" => Some(Type::String),
                    "metadata" => Some(Type::Object { node: Fields::of(&METADATA), resource: false }),
                    _ => None,
                };
                if let Some(found) = of_resource {
                    return Ok((escaped.to_owned(), found));
                }
                let declared = |name: &&String| match plain {
                    true => *name == escaped,
                    false => name::escape(name).as_deref() == Some(escaped),
                };
                let name = node.properties.keys().find(declared);
                let found = name.and_then(|name| Some((name.clone(), Type::of(&node.properties[name], false)?)));
                let found = found.map(|(name, found)| (name, if *plain { found.plain() } else { found }));
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
            (Type::Library(one), Type::Library(other)) => one == other,
            (Type::Made(one), Type::Made(other)) => one == other,
            (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
        }
    }

    /// The type of what is either of two.
    pub(super) fn either(self, other: Type<'a>) -> Type<'a> {
        match (self, other) {
            (Type::List { item: one, merged }, Type::List { item: two, merged: too }) => {
                Type::List { item: Box::new(one.either(*two)), merged: merged || too }
            }
            (Type::Object { node, resource }, Type::Object { node: other, .. })
                if std::ptr::eq(node.node, other.node) =>
            {
                Type::Object { node, resource }
            }
            (Type::Map(one), Type::Map(two)) => Type::Map(Box::new(one.either(*two))),
            (Type::Optional(one), Type::Optional(two)) => Type::Optional(Box::new(one.either(*two))),
            (one, other) => {
                let nested = matches!(one, Type::Object { .. });
                if !nested && one.fits(&other) && std::mem::discriminant(&one) == std::mem::discriminant(&other) {
                    one
                } else {
                    Type::Any
                }
            }
        }
    }
}

// === impl Fields ===

impl<'a> Fields<'a> {
    fn of(node: &'a Node) -> Self {
        Self { node, plain: false }
    }
}

impl fmt::Display for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Any => f.write_str("dyn"),
            Type::Null => f.write_str("null"),
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Uint => f.write_str("uint"),
            Type::Double => f.write_str("double"),
            Type::String => f.write_str("string"),
            Type::Bytes => f.write_str("bytes"),
            Type::Timestamp => f.write_str("timestamp"),
            Type::Duration => f.write_str("duration"),
            Type::Type => f.write_str("type"),
            Type::List { item, .. } => write!(f, "list({item})"),
            Type::Map(value) => write!(f, "map(string, {value})"),
            Type::Object { .. } => f.write_str("object"),
            Type::Optional(inner) => write!(f, "optional({inner})"),
            Type::Library(name) => f.write_str(name),
            Type::Made(name) => f.write_str(name),
        }
    }
}
