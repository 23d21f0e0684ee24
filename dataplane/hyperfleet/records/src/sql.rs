//! The SQL: fixed statements, and those made from searches. Values are bound, always; text is put together from
//! constants.

mod builder;
mod dialect;
mod like;
mod list;
#[cfg(test)]
mod plan;
mod search;
mod statements;

pub(crate) use dialect::Dialect;
pub(crate) use list::list;
pub(crate) use statements::*;
