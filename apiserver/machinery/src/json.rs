//! JSON as Go reads and writes it.
//!
//! Reading keeps the last of fields that come twice and says which they were; writing sorts the keys, escapes `<`, `>`
//! and `&`, and prints floats as Go does, so that a client gets the bytes that a kube-apiserver would send.
//!
//! The one rule: nothing deeper than [`MAX_DEPTH`] gets in. Everything that walks a value afterwards may recurse.

mod decode;
mod encode;
mod stored;
mod trail;

use serde_json::Value;

pub(crate) use self::{decode::float, encode::to_vec};
pub use self::{
    decode::{Decoded, SyntaxError, decode},
    encode::{encode, pretty},
    stored::{encode_stored, with_revision},
};

/// How deep objects and lists may be nested.
///
/// Go stops at 10,000, which a thread's stack in Rust does not hold. 120 is below the 127 levels that `serde_json` reads
/// without being told otherwise, so whatever gets in can be read again by anybody.
pub const MAX_DEPTH: usize = 120;

/// How deep a value is nested: 0 for a scalar, 1 for an object or list of scalars.
pub fn depth(value: &Value) -> usize {
    match value {
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
