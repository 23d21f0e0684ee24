//! What statements are given.

use jiff::Timestamp;
use sqlx::{
    Encode, Postgres, Sqlite, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgArguments, PgTypeInfo, types::Oid},
    query::Query,
    sqlite::SqliteArguments,
};

/// A bound value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(Option<String>),
    Integer(i64),
    Real(f64),
    /// `TIMESTAMPTZ` in PostgreSQL, microseconds in SQLite.
    Time(Option<Timestamp>),
    /// `JSON` in PostgreSQL, text in SQLite.
    Json(Option<String>),
    /// `JSONB` in PostgreSQL, text in SQLite.
    Jsonb(String),
}

/// Microseconds from 1970 to 2000, from where PostgreSQL counts.
pub(super) const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

/// PostgreSQL's numbers of types.
const JSON: Oid = Oid(114);
const TIMESTAMPTZ: Oid = Oid(1184);
const JSONB: Oid = Oid(3802);

// === impl Value ===

impl Value {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(Some(text.into()))
    }

    pub(crate) fn time(time: Timestamp) -> Self {
        Self::Time(Some(time))
    }

    pub(super) fn bind_sqlite<'q>(
        &self,
        query: Query<'q, Sqlite, SqliteArguments>,
    ) -> Query<'q, Sqlite, SqliteArguments> {
        match self {
            Self::Text(text) | Self::Json(text) => query.bind(text.clone()),
            Self::Integer(integer) => query.bind(*integer),
            Self::Real(real) => query.bind(*real),
            Self::Time(time) => query.bind(time.map(Timestamp::as_microsecond)),
            Self::Jsonb(json) => query.bind(json.clone()),
        }
    }

    pub(super) fn bind_postgres<'q>(
        &self,
        query: Query<'q, Postgres, PgArguments>,
    ) -> Query<'q, Postgres, PgArguments> {
        match self {
            Self::Text(text) => query.bind(text.as_deref()),
            Self::Integer(integer) => query.bind(*integer),
            Self::Real(real) => query.bind(*real),
            Self::Time(time) => query.bind(time.map(PostgresTime)),
            Self::Json(json) => query.bind(json.as_deref().map(PostgresJson)),
            Self::Jsonb(json) => query.bind(PostgresJsonb(json)),
        }
    }
}

/// A time in PostgreSQL's binary form.
struct PostgresTime(Timestamp);

impl Type<Postgres> for PostgresTime {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TIMESTAMPTZ)
    }
}

impl Encode<'_, Postgres> for PostgresTime {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&(self.0.as_microsecond() - POSTGRES_EPOCH).to_be_bytes());
        Ok(IsNull::No)
    }
}

/// JSON text as it is.
struct PostgresJson<'a>(&'a str);

impl Type<Postgres> for PostgresJson<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(JSON)
    }
}

impl Encode<'_, Postgres> for PostgresJson<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}

/// JSON text behind the version of its binary form.
struct PostgresJsonb<'a>(&'a str);

impl Type<Postgres> for PostgresJsonb<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(JSONB)
    }
}

impl Encode<'_, Postgres> for PostgresJsonb<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&[1]);
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}
