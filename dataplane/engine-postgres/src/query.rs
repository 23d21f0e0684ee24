//! Reads: one statement each, its values bound and only constants text, so that it can be asked again on another connection.

use std::borrow::Cow;

use machinery::selector::{FieldRequirement, FieldSelector, LabelSelector, Operator, Requirement};
use proto::store::{Result, Scope};
use sqlx::{AssertSqlSafe, PgPool, postgres::PgRow};

use crate::error;

/// A statement that reads.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    sql: Cow<'static, str>,
    values: Vec<Bound>,
    /// A text of PostgreSQL has no zero byte, so nothing is like one that has.
    impossible: bool,
}

#[derive(Debug, Clone)]
enum Bound {
    Long(i64),
    Int(i32),
    Text(String),
    MaybeText(Option<String>),
}

// === impl Query ===

impl Query {
    pub(crate) fn new(sql: &'static str) -> Self {
        Self { sql: sql.into(), values: Vec::new(), impossible: false }
    }

    /// The next value of a statement that is written out.
    pub(crate) fn long(mut self, value: u64) -> Self {
        self.values.push(Bound::Long(i64::try_from(value).unwrap_or(i64::MAX)));
        self
    }

    pub(crate) fn int(mut self, value: i32) -> Self {
        self.values.push(Bound::Int(value));
        self
    }

    pub(crate) fn text(mut self, value: &str) -> Self {
        self.impossible |= value.contains('\0');
        self.values.push(Bound::Text(value.to_owned()));
        self
    }

    pub(crate) fn maybe_text(mut self, value: Option<&str>) -> Self {
        self.impossible |= value.is_some_and(|value| value.contains('\0'));
        self.values.push(Bound::MaybeText(value.map(str::to_owned)));
        self
    }

    pub(crate) fn push(mut self, sql: &str) -> Self {
        self.sql.to_mut().push_str(sql);
        self
    }

    /// Pushes the place of the value that was added last.
    fn place(self) -> Self {
        let place = format!("${}", self.values.len());
        self.push(&place)
    }

    fn push_text(self, value: &str) -> Self {
        self.text(value).place()
    }

    /// Objects `o` of `scope` behind a namespace and name.
    pub(crate) fn range(self, resource: i32, scope: &Scope, after: Option<(&str, &str)>) -> Self {
        let query = self.push(" AND o.resource = ").int(resource).place();
        match (&scope.namespace, after) {
            (None, None) => query,
            (None, Some((namespace, name))) => {
                query.push(" AND (o.namespace, o.name) > (").push_text(namespace).push(", ").push_text(name).push(")")
            }
            (Some(scope), after) => {
                let query = query.push(" AND o.namespace = ").push_text(scope);
                match after {
                    Some((namespace, name)) if namespace == scope => query.push(" AND o.name > ").push_text(name),
                    Some((namespace, _)) if namespace > scope.as_str() => query.push(" AND FALSE"),
                    _ => query,
                }
            }
        }
    }

    /// The one object with this name, in a range of one namespace.
    pub(crate) fn named(self, namespace: &str, name: &str) -> Self {
        self.push(" AND o.namespace = ").push_text(namespace).push(" AND o.name = ").push_text(name)
    }

    /// Objects whose labels match, or may: the log looks again.
    pub(crate) fn labels(self, labels: &LabelSelector) -> Self {
        labels.requirements.iter().fold(self, Self::label)
    }

    fn label(self, Requirement { key, operator, values }: &Requirement) -> Self {
        match operator {
            Operator::In => {
                let query = self.push(" AND (FALSE");
                let contains = |query: Self, value: &String| query.push(" OR o.labels @> ").contains(key, value);
                values.iter().filter(|value| !value.contains('\0')).fold(query, contains).push(")")
            }
            Operator::Exists | Operator::GreaterThan | Operator::LessThan => {
                self.push(" AND coalesce(o.labels, '{}') ? ").push_text(key)
            }
            Operator::DoesNotExist => self.push(" AND NOT coalesce(o.labels, '{}') ? ").push_text(key),
            Operator::NotIn => {
                let differs = |query: Self, value: &String| {
                    query.push(" AND NOT coalesce(o.labels, '{}') @> ").contains(key, value)
                };
                values.iter().filter(|value| !value.contains('\0')).fold(self, differs)
            }
        }
    }

    /// Objects whose fields match, or may.
    pub(crate) fn fields(self, fields: &FieldSelector) -> Self {
        fields.requirements.iter().fold(self, Self::field)
    }

    fn field(self, FieldRequirement { field, equal, value }: &FieldRequirement) -> Self {
        if !equal && value.contains('\0') {
            return self;
        }
        let comparison = if *equal { " = " } else { " <> " };
        match (field.as_str(), equal) {
            ("metadata.name", _) => self.push(" AND o.name").push(comparison).push_text(value),
            ("metadata.namespace", _) => self.push(" AND o.namespace").push(comparison).push_text(value),
            // A field that is not there is empty.
            (_, true) if value.is_empty() => self,
            (_, true) => self.push(" AND o.fields @> ").contains(field, value),
            (_, false) => self.push(" AND NOT coalesce(o.fields, '{}') @> ").contains(field, value),
        }
    }

    /// A JSON object of one member.
    fn contains(self, key: &str, value: &str) -> Self {
        let json = serde_json::json!({ key: value }).to_string();
        let mut query = self.push_text(&json).push("::jsonb");
        query.impossible |= value.contains('\0');
        query
    }

    /// The rows; asked once more when the connection turns out to be gone.
    pub(crate) async fn rows(&self, pool: &PgPool, doing: &str) -> Result<Vec<PgRow>> {
        if self.impossible {
            return Ok(Vec::new());
        }
        match self.ask(pool).await {
            Err(error) if matches!(error, sqlx::Error::Io(_)) || gone(&error) => self.ask(pool).await,
            asked => asked,
        }
        .map_err(|error| error::store(doing, &error))
    }

    async fn ask(&self, pool: &PgPool) -> sqlx::Result<Vec<PgRow>> {
        let (query, keep) = match &self.sql {
            Cow::Borrowed(sql) => (sqlx::query(*sql), true),
            Cow::Owned(sql) => (sqlx::query(AssertSqlSafe(sql.clone())), self.values.len() <= 8),
        };
        let bound = self.values.iter().fold(query, |query, value| match value {
            Bound::Long(value) => query.bind(*value),
            Bound::Int(value) => query.bind(*value),
            Bound::Text(value) => query.bind(value.as_str()),
            Bound::MaybeText(value) => query.bind(value.as_deref()),
        });
        bound.persistent(keep).fetch_all(pool).await
    }
}

/// Whether the server has ended the connection: admin_shutdown, crash_shutdown, cannot_connect_now.
fn gone(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default();
    code.starts_with("57P")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(key: &str, operator: Operator, values: &[&str]) -> LabelSelector {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        LabelSelector { requirements: vec![Requirement { key: key.into(), operator, values }] }
    }

    #[test]
    fn values_are_bound_and_never_text() {
        let query = Query::new("SELECT").labels(&label("a.b/c", Operator::In, &["x'; DROP", "y"]));
        assert_eq!(query.sql, "SELECT AND (FALSE OR o.labels @> $1::jsonb OR o.labels @> $2::jsonb)");
        assert_eq!(query.values.len(), 2);
    }

    #[test]
    fn what_has_a_zero_byte_is_not_there() {
        assert!(Query::new("").text("a\0").impossible);
        let either = Query::new("").labels(&label("a", Operator::In, &["\0", "b"]));
        assert!(!either.impossible);
        assert_eq!(either.values.len(), 1);
        assert!(!Query::new("").labels(&label("a", Operator::NotIn, &["\0"])).impossible);
    }

    #[test]
    fn a_selector_of_nothing_selects_nothing() {
        assert_eq!(Query::new("").labels(&label("a", Operator::In, &[])).sql, " AND (FALSE)");
    }
}
