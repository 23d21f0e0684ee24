//! Queries whose conditions depend on what is asked: every value is bound, and only constants are text.
//!
//! What selectors become may let more objects pass than match, never fewer: the log looks again. So whatever SQL cannot
//! say exactly is left out here.

use machinery::selector::{FieldRequirement, FieldSelector, LabelSelector, Operator, Requirement};
use proto::store::Scope;
use sqlx::{Arguments, AssertSqlSafe, Encode, Sqlite as Database, Type, query::Query, sqlite::SqliteArguments};

/// A query on `objects o`, as of the revision that is `?1`.
pub(crate) struct Builder {
    sql: String,
    arguments: SqliteArguments,
}

// === impl Builder ===

impl Builder {
    /// A query that begins with `head`, whose `?1` is `at`.
    pub(crate) fn new(head: &str, at: i64) -> Self {
        let mut arguments = SqliteArguments::default();
        arguments.add(at).expect("an integer can be bound");
        Self { sql: head.to_owned(), arguments }
    }

    pub(crate) fn push(mut self, sql: &str) -> Self {
        self.sql.push_str(sql);
        self
    }

    pub(crate) fn bind<'q, T: Encode<'q, Database> + Type<Database>>(mut self, value: T) -> Self {
        self.arguments.add(value).expect("strings and integers can be bound");
        let number = self.arguments.len().to_string();
        self.push("?").push(&number)
    }

    /// Objects of `scope` behind a namespace and name.
    pub(crate) fn range(self, resource: i64, scope: &Scope, after: Option<(&str, &str)>) -> Self {
        let query = self.push(" AND o.resource = ").bind(resource);
        match (&scope.namespace, after) {
            (None, None) => query,
            (None, Some((namespace, name))) => {
                query.push(" AND (o.namespace, o.name) > (").bind(namespace).push(", ").bind(name).push(")")
            }
            (Some(scope), after) => {
                let query = query.push(" AND o.namespace = ").bind(scope.as_str());
                match after {
                    Some((namespace, name)) if namespace == scope => query.push(" AND o.name > ").bind(name),
                    Some((namespace, _)) if namespace > scope.as_str() => query.push(" AND FALSE"),
                    _ => query,
                }
            }
        }
    }

    /// Objects up to a namespace and name.
    pub(crate) fn upto(self, last: Option<&(String, String)>) -> Self {
        match last {
            Some((namespace, name)) => self
                .push(" AND (o.namespace, o.name) <= (")
                .bind(namespace.as_str())
                .push(", ")
                .bind(name.as_str())
                .push(")"),
            None => self,
        }
    }

    /// Objects whose labels match, and those that have changed since.
    pub(crate) fn labels(self, labels: &LabelSelector) -> Self {
        labels.requirements.iter().fold(self, Self::label)
    }

    fn label(self, Requirement { key, operator, values }: &Requirement) -> Self {
        let Some(path) = path(key) else { return self };
        let query = self.push(" AND (o.revision > ?1 OR ");
        match operator {
            Operator::In => query.push("o.labels ->> ").bind(path).push(" IN (").list(values).push("))"),
            Operator::NotIn => {
                query.push("coalesce(o.labels ->> ").bind(path).push(" NOT IN (").list(values).push("), TRUE))")
            }
            Operator::Exists | Operator::GreaterThan | Operator::LessThan => {
                query.push("o.labels ->> ").bind(path).push(" IS NOT NULL)")
            }
            Operator::DoesNotExist => query.push("o.labels ->> ").bind(path).push(" IS NULL)"),
        }
    }

    fn list(self, values: &[String]) -> Self {
        values.iter().enumerate().fold(self, |query, (place, value)| {
            let query = if place == 0 { query } else { query.push(", ") };
            query.bind(value.as_str())
        })
    }

    /// Objects whose fields match, and those whose fields have changed since.
    pub(crate) fn fields(self, fields: &FieldSelector) -> Self {
        fields.requirements.iter().fold(self, Self::field)
    }

    fn field(self, FieldRequirement { field, equal, value }: &FieldRequirement) -> Self {
        let comparison = if *equal { " = " } else { " IS NOT " };
        let column = match field.as_str() {
            "metadata.name" => " AND o.name",
            "metadata.namespace" => " AND o.namespace",
            _ => return self.selectable(field, comparison, value),
        };
        self.push(column).push(comparison).bind(value.as_str())
    }

    /// A missing field is an empty one, so only others can be told from what is kept.
    fn selectable(self, field: &str, comparison: &str, value: &str) -> Self {
        match path(field).filter(|_| !value.is_empty()) {
            Some(path) => {
                self.push(" AND (o.revision > ?1 OR o.fields ->> ").bind(path).push(comparison).bind(value).push(")")
            }
            None => self,
        }
    }

    /// The query; `keep` it prepared if it will come again.
    pub(crate) fn build<'q>(self, keep: bool) -> Query<'q, Database, SqliteArguments> {
        sqlx::query_with(AssertSqlSafe(self.sql), self.arguments).persistent(keep)
    }
}

/// The JSON path of a member; `None` when quoting could not hold its name.
fn path(member: &str) -> Option<String> {
    let plain = !member.contains(['"', '\\']) && !member.chars().any(char::is_control);
    plain.then(|| format!("$.\"{member}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(key: &str, operator: Operator, values: &[&str]) -> Requirement {
        Requirement { key: key.into(), operator, values: values.iter().map(|value| (*value).to_owned()).collect() }
    }

    #[test]
    fn values_are_bound_and_never_text() {
        let labels = LabelSelector { requirements: vec![label("a.b/c", Operator::In, &["x'; DROP", "y"])] };
        let query = Builder::new("SELECT", 7).labels(&labels);
        assert_eq!(query.sql, "SELECT AND (o.revision > ?1 OR o.labels ->> ?2 IN (?3, ?4))");
        assert_eq!(query.arguments.len(), 4);
    }

    #[test]
    fn what_sql_cannot_say_is_left_out() {
        let labels = LabelSelector { requirements: vec![label("quo\"te", Operator::Exists, &[])] };
        let empty = FieldRequirement { field: "spec.x".into(), equal: true, value: String::new() };
        let fields = FieldSelector { requirements: vec![empty] };
        assert_eq!(Builder::new("SELECT", 7).labels(&labels).fields(&fields).sql, "SELECT");
    }

    #[test]
    fn a_range_begins_behind_a_key() {
        let scope = |namespace: Option<&str>| Scope {
            group: "g".into(),
            resource: "r".into(),
            namespace: namespace.map(Into::into),
        };
        for (namespace, after, expected) in [
            (None, None, ""),
            (None, Some(("m", "x")), " AND (o.namespace, o.name) > (?3, ?4)"),
            (Some("n"), None, " AND o.namespace = ?3"),
            (Some("n"), Some(("n", "x")), " AND o.namespace = ?3 AND o.name > ?4"),
            (Some("n"), Some(("m", "x")), " AND o.namespace = ?3"),
            (Some("n"), Some(("o", "x")), " AND o.namespace = ?3 AND FALSE"),
        ] {
            let query = Builder::new("", 0).range(1, &scope(namespace), after);
            assert_eq!(query.sql, format!(" AND o.resource = ?2{expected}"), "{namespace:?} after {after:?}");
        }
    }
}
