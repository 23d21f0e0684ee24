//! Resources and schemas by number: what every row would repeat.
//!
//! They only ever become more, and a number is durable before it is used; so a copy in memory is never wrong.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use proto::store::{Error, Result, Scope};
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use crate::sql;

/// The names in one database.
#[derive(Debug, Default)]
pub(crate) struct Names {
    tables: RwLock<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    resources: HashMap<String, HashMap<String, i64>>,
    schemas: HashMap<String, i64>,
    schema_names: HashMap<i64, Arc<str>>,
}

// === impl Names ===

impl Names {
    /// Reads what it does not know yet.
    pub(crate) async fn read(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        for row in sqlx::query(sql::RESOURCES).fetch_all(&mut *connection).await? {
            self.add_resource(row.try_get(1)?, row.try_get(2)?, row.try_get(0)?);
        }
        for row in sqlx::query(sql::SCHEMAS).fetch_all(&mut *connection).await? {
            self.add_schema(row.try_get(1)?, row.try_get(0)?);
        }
        Ok(())
    }

    /// The number of a resource; `None` when nothing of it was ever written.
    pub(crate) fn resource(&self, group: &str, resource: &str) -> Option<i64> {
        self.read_tables(|tables| tables.resources.get(group)?.get(resource).copied())
    }

    /// The number of the resource that `scope` is of.
    pub(crate) fn of(&self, scope: &Scope) -> Option<i64> {
        self.resource(&scope.group, &scope.resource)
    }

    /// The schema with a number.
    pub(crate) fn schema(&self, id: i64) -> Result<String> {
        self.read_tables(|tables| tables.schema_names.get(&id).map(|name| name.as_ref().to_owned()))
            .ok_or_else(|| Error::Internal { reason: format!("no schema has the number {id}") })
    }

    /// The number of a resource, which it gets here if it has none; with it comes its view.
    pub(crate) async fn make_resource(
        &self,
        connection: &mut SqliteConnection,
        group: &str,
        resource: &str,
    ) -> sqlx::Result<i64> {
        if let Some(id) = self.resource(group, resource) {
            return Ok(id);
        }
        let id = 1 + self.read_tables(|tables| tables.resources.values().map(|group| group.len() as i64).sum::<i64>());
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(sql::INSERT_RESOURCE).bind(id).bind(group).bind(resource).execute(&mut *transaction).await?;
        let view = free_name(&mut transaction, group, resource, id).await?;
        sqlx::raw_sql(AssertSqlSafe(sql::create_view(&view, id))).execute(&mut *transaction).await?;
        transaction.commit().await?;
        self.add_resource(group.to_owned(), resource.to_owned(), id);
        Ok(id)
    }

    /// The number of a schema, which it gets here if it has none.
    pub(crate) async fn make_schema(&self, connection: &mut SqliteConnection, name: &str) -> sqlx::Result<i64> {
        let (known, count) = self.read_tables(|tables| (tables.schemas.get(name).copied(), tables.schemas.len()));
        if let Some(id) = known {
            return Ok(id);
        }
        let id = count as i64 + 1;
        sqlx::query(sql::INSERT_SCHEMA).bind(id).bind(name).execute(connection).await?;
        self.add_schema(name.to_owned(), id);
        Ok(id)
    }

    fn read_tables<T>(&self, read: impl FnOnce(&Tables) -> T) -> T {
        read(&self.tables.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn add_resource(&self, group: String, resource: String, id: i64) {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables.resources.entry(group).or_default().insert(resource, id);
    }

    fn add_schema(&self, name: String, id: i64) {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables.schema_names.insert(id, name.as_str().into());
        tables.schemas.insert(name, id);
    }
}

/// A name for the view of a resource: its plural, or with its group when another resource or a table is called so.
async fn free_name(connection: &mut SqliteConnection, group: &str, resource: &str, id: i64) -> sqlx::Result<String> {
    for name in [resource.to_owned(), format!("{resource}.{group}")] {
        let taken: i64 = sqlx::query_scalar(sql::NAME_TAKEN).bind(&name).fetch_one(&mut *connection).await?;
        if taken == 0 && !name.to_lowercase().starts_with("sqlite_") {
            return Ok(name);
        }
    }
    Ok(format!("{resource}.{group}.{id}"))
}
