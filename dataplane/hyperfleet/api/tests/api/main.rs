//! The API over real connections, on SQLite.

mod bad_input;
mod errors;
mod keys;
mod lists;
mod meta;
mod ports;
mod schema;
mod server;
mod statuses;
mod tokens;
mod writes;
