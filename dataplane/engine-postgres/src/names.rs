//! Resources and schemas by number: what every row would repeat.
//!
//! They only ever become more, and a number is durable before it is used; so a copy in memory is never wrong, but others may
//! have added to them.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use proto::store::{Error, Result};
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row};

use crate::sql;

/// The names in one database.
#[derive(Debug, Default)]
pub(crate) struct Names {
    tables: RwLock<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    resources: HashMap<(String, String), i32>,
    resource_names: HashMap<i32, (String, String)>,
    schemas: HashMap<String, i32>,
    schema_names: HashMap<i32, Arc<str>>,
}

// === impl Names ===

impl Names {
    /// Reads what there is.
    pub(crate) async fn read(&self, pool: &PgPool) -> sqlx::Result<()> {
        let resources = sqlx::query(sql::RESOURCES).fetch_all(pool).await?;
        let schemas = sqlx::query(sql::SCHEMAS).fetch_all(pool).await?;
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        for row in resources {
            let (id, name): (i32, (String, String)) = (row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?));
            tables.resource_names.insert(id, name.clone());
            tables.resources.insert(name, id);
        }
        for row in schemas {
            let (id, name): (i32, &str) = (row.try_get(0)?, row.try_get(1)?);
            tables.schema_names.insert(id, name.into());
            tables.schemas.insert(name.to_owned(), id);
        }
        Ok(())
    }

    /// The number of a resource, as far as is known here.
    pub(crate) fn resource(&self, group: &str, resource: &str) -> Option<i32> {
        self.tables(|tables| tables.resources.get(&(group.to_owned(), resource.to_owned())).copied())
    }

    /// The group and name of the resource with a number, as far as is known here.
    pub(crate) fn resource_name(&self, id: i32) -> Option<(String, String)> {
        self.tables(|tables| tables.resource_names.get(&id).cloned())
    }

    /// The number of a schema, as far as is known here.
    pub(crate) fn schema_number(&self, name: &str) -> Option<i32> {
        self.tables(|tables| tables.schemas.get(name).copied())
    }

    /// The schema with a number.
    pub(crate) fn schema(&self, id: i32) -> Result<String> {
        self.tables(|tables| tables.schema_names.get(&id).map(|name| name.as_ref().to_owned()))
            .ok_or_else(|| Error::Internal { reason: format!("no schema has the number {id}") })
    }

    /// Whether the resource and the schema with these numbers are known here.
    pub(crate) fn know(&self, resource: Option<i32>, schema: Option<i32>) -> bool {
        self.tables(|tables| {
            resource.is_none_or(|id| tables.resource_names.contains_key(&id))
                && schema.is_none_or(|id| tables.schema_names.contains_key(&id))
        })
    }

    /// Gives a resource a number, and a view of its own.
    pub(crate) async fn make_resource(&self, pool: &PgPool, group: &str, resource: &str) -> sqlx::Result<()> {
        let mut transaction = pool.begin().await?;
        sqlx::query(sql::LOCK).execute(&mut *transaction).await?;
        let made: Option<i32> = sqlx::query_scalar(sql::INSERT_RESOURCE)
            .bind(group)
            .bind(resource)
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(id) = made {
            let view = free_name(&mut transaction, group, resource, id).await?;
            sqlx::raw_sql(AssertSqlSafe(sql::create_view(&view, id))).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        self.read(pool).await
    }

    /// Gives a schema a number.
    pub(crate) async fn make_schema(&self, pool: &PgPool, name: &str) -> sqlx::Result<()> {
        sqlx::query(sql::INSERT_SCHEMA).bind(name).execute(pool).await?;
        self.read(pool).await
    }

    fn tables<T>(&self, read: impl FnOnce(&Tables) -> T) -> T {
        read(&self.tables.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A name for the view of a resource: its plural, or with its group when another resource or a table is called so.
async fn free_name(connection: &mut PgConnection, group: &str, resource: &str, id: i32) -> sqlx::Result<String> {
    for name in [resource.to_owned(), format!("{resource}.{group}")] {
        let name = sql::qualified(&name);
        let taken: bool = sqlx::query_scalar(sql::NAME_TAKEN).bind(&name).fetch_one(&mut *connection).await?;
        if !taken {
            return Ok(name);
        }
    }
    Ok(sql::qualified(&format!("{id}.{resource}.{group}")))
}
