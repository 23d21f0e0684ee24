//! One file for each command.

pub(crate) mod apply;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod map;
pub(crate) mod pull;
