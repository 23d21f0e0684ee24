//! A part of a list, with the count of the whole in the same statement, so in the same snapshot.

use super::{Dialect, builder::Builder, search::Search, statements};
use crate::{
    Kind, Query, Result,
    database::{Statement, Value as Bound},
    filter::{Field, Text, Time, Value, field},
};

/// From which offset on the ids are found first, and only the records behind them read: those before are passed in the
/// index.
const FAR: u64 = 50;

/// How a list is read.
pub(crate) struct List {
    /// Rows of records; behind a record's columns, how many there are in all.
    pub(crate) rows: Statement,
    /// How many there are in all, for when there is no row.
    pub(crate) total: Statement,
}

/// The statements for the records of a kind, of a cluster if `owner` is given.
pub(crate) fn list(dialect: Dialect, kind: Kind, owner: Option<&str>, query: &Query) -> Result<List> {
    let mut builder = Builder::new(dialect);
    condition(&mut builder, kind, owner, query);
    let condition = builder.take();
    let total = match condition.is_empty() {
        true => format!("SELECT {} FROM counter", table(kind)),
        false => format!("SELECT count(*) FROM {} r{condition}", table(kind)),
    };
    let count = builder.beside(total.clone());
    order(&mut builder, kind, query)?;
    let order = builder.take();
    builder.push(" LIMIT ").bind(integer(query.limit)).push(" OFFSET ").bind(integer(query.offset));
    let part = builder.take();
    builder
        .push("SELECT ")
        .push(statements::columns(kind))
        .push(", (")
        .push(&total)
        .push(") FROM ")
        .push(statements::from(kind));
    match query.offset < FAR {
        true => builder.push(&condition).push(&order).push(&part),
        false => {
            let ids = format!(" WHERE r.id IN (SELECT r.id FROM {} r{condition}{order}{part})", table(kind));
            builder.push(&ids).push(&order)
        }
    };
    Ok(List { rows: builder.build(), total: count })
}

fn integer(number: u64) -> Bound {
    Bound::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn table(kind: Kind) -> &'static str {
    match kind {
        Kind::Cluster => "clusters",
        Kind::NodePool => "node_pools",
    }
}

fn condition(builder: &mut Builder, kind: Kind, owner: Option<&str>, query: &Query) {
    if let Some(owner) = owner {
        builder.push(" WHERE r.owner_id = ").bind_text(owner);
    }
    if let Some(search) = &query.search {
        builder.push(if owner.is_some() { " AND " } else { " WHERE " });
        Search::new(builder, kind).filter(&search.filter);
    }
}

fn order(builder: &mut Builder, kind: Kind, query: &Query) -> Result<()> {
    builder.push(" ORDER BY ");
    for order in &query.order {
        let value = match field(&order.field, kind)? {
            Field::Typed(value) => value,
            Field::Spec(path) => Value::Text(Text::Spec(path)),
        };
        // A constant, and no expression in PostgreSQL.
        if matches!(value, Value::Text(Text::Literal(_))) {
            continue;
        }
        Search::new(builder, kind).value(&value);
        // Nothing is greatest, as in PostgreSQL. Not said where it cannot be: SQLite would not see its index.
        builder.push(match (order.descending, may_be_nothing(&value)) {
            (false, false) => " ASC, ",
            (false, true) => " ASC NULLS LAST, ",
            (true, false) => " DESC, ",
            (true, true) => " DESC NULLS FIRST, ",
        });
    }
    if query.order.is_empty() {
        builder.push("r.created_time DESC, ");
    }
    builder.push("r.id");
    Ok(())
}

fn may_be_nothing(value: &Value) -> bool {
    match value {
        Value::Text(Text::Column(column)) | Value::Time(Time::Column(column)) => column.starts_with("deleted"),
        _ => true,
    }
}
