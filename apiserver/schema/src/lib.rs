//! What a CustomResourceDefinition document says, as data and pure functions.
//!
//! ```text
//! document ──▶ Definition ──▶ Version ──▶ Schema   prune → default → validate
//!                                    └──▶ Columns  definitions, cells
//! ```
//!
//! The rule to know: a [`Definition`] that exists can be served truthfully. Whatever would make the server lie about
//! its objects (a schema that is not structural, a default that is invalid, a column that cannot be read) is refused
//! when the document is parsed, so nothing here fails later.

pub mod cel;
pub mod definition;
mod format;
pub mod structural;
pub mod table;

mod default;
mod managed;
mod name;
mod path;
mod prune;
mod read;
mod validate;

pub use definition::{Conversion, Definition, Names, Scale, Scope, Version};
pub use structural::Schema;
pub use table::Columns;
