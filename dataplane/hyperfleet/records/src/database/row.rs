//! What statements answer.

use jiff::Timestamp;
use sqlx::{Row as _, postgres::PgRow, sqlite::SqliteRow};

use super::{error, value::POSTGRES_EPOCH};
use crate::{Error, Result};

/// A row. Columns are read unchecked: the statement that made them is beside who reads them.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! column {
    ($row:expr, $index:expr) => {
        match $row {
            Row::Sqlite(row) => row.try_get_unchecked($index),
            Row::Postgres(row) => row.try_get_unchecked($index),
        }
        .map_err(error)
    };
}

// === impl Row ===

impl Row {
    pub(crate) fn text(&self, column: usize) -> Result<&str> {
        column!(self, column)
    }

    pub(crate) fn some_text(&self, column: usize) -> Result<Option<&str>> {
        column!(self, column)
    }

    pub(crate) fn integer(&self, column: usize) -> Result<i64> {
        column!(self, column)
    }

    pub(crate) fn some_integer(&self, column: usize) -> Result<Option<i64>> {
        column!(self, column)
    }

    pub(crate) fn time(&self, column: usize) -> Result<Timestamp> {
        self.timestamp(self.integer(column)?)
    }

    pub(crate) fn some_time(&self, column: usize) -> Result<Option<Timestamp>> {
        self.some_integer(column)?.map(|micros| self.timestamp(micros)).transpose()
    }

    fn timestamp(&self, micros: i64) -> Result<Timestamp> {
        let epoch = match self {
            Self::Sqlite(_) => 0,
            Self::Postgres(_) => POSTGRES_EPOCH,
        };
        let out_of_range = |error| Error::Internal(format!("a time in the database: {error}"));
        Timestamp::from_microsecond(micros.saturating_add(epoch)).map_err(out_of_range)
    }
}
