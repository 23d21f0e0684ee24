//! Two databases behind one connection: statements with `$1`, values, rows by column number.
//!
//! Both take the same SQL but for what [`sql`](crate::sql) says per dialect.

mod connection;
mod error;
mod pool;
mod row;
mod value;

pub(crate) use connection::{Connection, Connector, Statement};
pub(crate) use error::{error, survives};
pub(crate) use pool::{Lease, Pool};
pub(crate) use row::Row;
pub(crate) use value::Value;
