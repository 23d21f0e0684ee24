//! From rows to entries.

use bytes::Bytes;
use proto::store::{Change, Content, Error, Labels, Result, Revision, Value};
use sqlx::{Decode, Postgres as Database, Row, postgres::PgRow};

use crate::{error, names::Names};

/// How many columns [`content`] reads.
pub(crate) const CONTENT: usize = 7;

/// Where in them the schema's number is.
const SCHEMA: usize = 1;

/// The value in `column`.
pub(crate) fn column<'r, T: Decode<'r, Database>>(row: &'r PgRow, column: usize) -> Result<T> {
    row.try_get_unchecked(column).map_err(|error| error::store("reading a row", &error))
}

/// The revision in `column`.
pub(crate) fn revision(row: &PgRow, index: usize) -> Result<Revision> {
    Ok(column::<i64>(row, index)? as Revision)
}

/// The number of the schema of the content that begins at `first`; `None` where there is no content.
pub(crate) fn schema(row: &PgRow, first: usize) -> Result<Option<i32>> {
    column(row, first + SCHEMA)
}

/// The revision and content in the columns that begin at `first`, in the order of `sql::content!`.
pub(crate) fn content(row: &PgRow, first: usize, names: &Names) -> Result<(Revision, Content)> {
    let value = Value {
        json: Bytes::copy_from_slice(column(row, first + 6)?),
        splice: column::<i32>(row, first + 2)? as u32,
        schema: names.schema(column(row, first + SCHEMA)?)?,
    };
    let content = Content {
        uid: column(row, first + 3)?,
        labels: labels(column(row, first + 4)?)?,
        fields: labels(column(row, first + 5)?)?,
        value,
    };
    Ok((revision(row, first)?, content))
}

fn labels(json: Option<&str>) -> Result<Labels> {
    let labels = json.map(serde_json::from_str).transpose();
    let labels = labels.map_err(|error| Error::Internal { reason: format!("labels of a row: {error}") })?;
    Ok(labels.unwrap_or_default())
}

/// Labels as they are kept.
pub(crate) fn labels_column(labels: &Labels) -> Option<String> {
    (!labels.is_empty()).then(|| serde_json::to_string(labels).expect("strings can be JSON"))
}

/// The number that stands for a change.
pub(crate) fn change_number(change: Change) -> i16 {
    match change {
        Change::Created => 1,
        Change::Updated => 2,
        Change::Deleted => 3,
    }
}

/// The change that a number stands for.
pub(crate) fn change(number: i16) -> Result<Change> {
    match number {
        1 => Ok(Change::Created),
        2 => Ok(Change::Updated),
        3 => Ok(Change::Deleted),
        _ => Err(Error::Internal { reason: format!("no change has the number {number}") }),
    }
}
