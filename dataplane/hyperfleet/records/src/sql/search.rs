//! From a filter, and from an order, to SQL. The table that is searched is called `r`.

use super::{builder::Builder, dialect::Dialect, like};
use crate::{
    Kind,
    database::Value as Bound,
    filter::{Filter, Number, Test, Text, Time, Value},
    tsl::{Arithmetic, Comparison},
};

/// Makes conditions on the records of a kind.
pub(super) struct Search<'a> {
    builder: &'a mut Builder,
    kind: Kind,
}

// === impl Search ===

impl<'a> Search<'a> {
    pub(super) fn new(builder: &'a mut Builder, kind: Kind) -> Self {
        Self { builder, kind }
    }

    pub(super) fn filter(&mut self, filter: &Filter) {
        let (parts, between, of_none) = match filter {
            Filter::Test(test) => return self.test(test),
            Filter::All(parts) => (parts, " AND ", "TRUE"),
            Filter::Any(parts) => (parts, " OR ", "FALSE"),
        };
        if parts.is_empty() {
            self.push(of_none);
            return;
        }
        self.push("(");
        let mut found = false;
        for (place, part) in parts.iter().enumerate() {
            if place > 0 {
                self.push(between);
            }
            match part {
                // SQLite would gather every record with the second label, too: one finds records, the others look at them.
                Filter::Test(Test::Texts(label @ Text::Label(_), Comparison::Equal, text @ Text::Literal(_)))
                    if matches!(filter, Filter::All(_)) && self.builder.dialect == Dialect::Sqlite =>
                {
                    match std::mem::replace(&mut found, true) {
                        false => self.filter(part),
                        true => drop(self.text(label).push(symbol(Comparison::Equal)).text(text)),
                    }
                }
                part => self.filter(part),
            }
        }
        self.push(")");
    }

    fn push(&mut self, text: &str) -> &mut Self {
        self.builder.push(text);
        self
    }

    fn bind(&mut self, value: Bound) -> &mut Self {
        self.builder.bind(value);
        self
    }

    fn test(&mut self, test: &Test) {
        match test {
            Test::Null { value: Value::Text(Text::Label(key)), negated } => {
                self.push(if *negated { "r.id IN (" } else { "r.id NOT IN (" }).labelled(key).push(")");
            }
            Test::Null { value, negated } => {
                self.push("(").value(value).push(if *negated { ") IS NOT NULL" } else { ") IS NULL" });
            }
            Test::Texts(Text::Label(key), comparison, Text::Literal(text)) => self.label(key, *comparison, text),
            Test::Texts(Text::Literal(text), comparison, Text::Label(key)) => {
                self.label(key, comparison.mirrored(), text)
            }
            Test::Texts(left, comparison, right) => {
                self.text(left).push(symbol(*comparison)).text(right);
            }
            Test::Numbers(left, comparison, right) => {
                self.number(left).push(symbol(*comparison)).number(right);
            }
            Test::Times(left, comparison, right) => {
                self.time(left).push(symbol(*comparison)).time(right);
            }
            Test::OneOf { text: Text::Label(key), list, negated } => {
                self.push("r.id IN (").labelled(key).push(" AND l.value").list(list, *negated).push(")");
            }
            Test::OneOf { text, list, negated } => {
                self.text(text).list(list, *negated);
            }
            Test::Like { text: Text::Label(key), pattern, any_case, negated } => {
                self.push("r.id IN (").labelled(key).push(" AND ");
                self.like(|search| search.push("l.value"), pattern, *any_case, *negated).push(")");
            }
            Test::Like { text, pattern, any_case, negated } => {
                self.like(|search| search.text(text), pattern, *any_case, *negated);
            }
        }
    }

    /// The ids of the records with a label. More conditions on `l.value` may follow.
    fn labelled(&mut self, key: &str) -> &mut Self {
        let kind = quoted(self.kind);
        self.push("SELECT l.resource_id FROM labels l WHERE l.resource_type = ").push(kind);
        self.push(" AND l.key = ").bind(Bound::text(key))
    }

    fn label(&mut self, key: &str, comparison: Comparison, text: &str) {
        self.push("r.id IN (")
            .labelled(key)
            .push(" AND l.value")
            .push(symbol(comparison))
            .bind(Bound::text(text))
            .push(")");
    }

    fn list(&mut self, list: &[String], negated: bool) -> &mut Self {
        self.push(if negated { " NOT IN (" } else { " IN (" });
        self.builder.join(list, ", ", |builder, text| {
            builder.bind_text(text);
        });
        self.push(")")
    }

    fn like(
        &mut self,
        subject: impl Fn(&mut Self) -> &mut Self,
        pattern: &str,
        any_case: bool,
        negated: bool,
    ) -> &mut Self {
        match self.builder.dialect {
            Dialect::Sqlite => {
                let regex = Bound::text(like::regex(pattern, any_case));
                self.push(if negated { "NOT regexp(" } else { "regexp(" }).bind(regex).push(", ");
                subject(self).push(")")
            }
            Dialect::Postgres => {
                subject(self);
                self.push(match (any_case, negated) {
                    (false, false) => " LIKE ",
                    (false, true) => " NOT LIKE ",
                    (true, false) => " COLLATE \"default\" ILIKE ",
                    (true, true) => " COLLATE \"default\" NOT ILIKE ",
                });
                self.bind(Bound::text(pattern))
            }
        }
    }

    /// A value of any type, such as to order by.
    pub(super) fn value(&mut self, value: &Value) -> &mut Self {
        match value {
            Value::Text(text) => self.text(text),
            Value::Number(number) => self.number(number),
            Value::Time(time) => self.time(time),
        }
    }

    fn text(&mut self, text: &Text) -> &mut Self {
        match text {
            Text::Literal(text) => self.bind(Bound::text(text)),
            Text::Column(column) => self.push("r.").push(column),
            Text::Label(key) => {
                let kind = quoted(self.kind);
                self.push("(SELECT l.value FROM labels l WHERE l.resource_type = ").push(kind);
                self.push(" AND l.resource_id = r.id AND l.key = ").bind(Bound::text(key)).push(")")
            }
            Text::Condition(condition) => self.condition(condition, "status").collated(),
            Text::Spec(path) => self.spec(path),
        }
    }

    fn collated(&mut self) -> &mut Self {
        match self.builder.dialect {
            Dialect::Sqlite => self,
            Dialect::Postgres => self.push(" COLLATE \"C\""),
        }
    }

    /// A member of a condition: a text in PostgreSQL, what it is in SQLite.
    fn condition(&mut self, condition: &str, member: &str) -> &mut Self {
        let path = Bound::text(self.builder.dialect.path(&[condition, member]));
        match self.builder.dialect {
            Dialect::Sqlite => self.push("json_extract(r.conditions, ").bind(path).push(")"),
            Dialect::Postgres => self.push("(r.conditions #>> ").bind(path).push("::text[])"),
        }
    }

    fn path(&self, path: &[String]) -> Bound {
        Bound::text(self.builder.dialect.path(&path.iter().map(String::as_str).collect::<Vec<_>>()))
    }

    fn spec(&mut self, path: &[String]) -> &mut Self {
        let path = self.path(path);
        match self.builder.dialect {
            Dialect::Sqlite => {
                let place = self.place(path);
                self.push(&format!(
                    "CASE json_type(r.spec, {place}) WHEN 'text' THEN json_extract(r.spec, {place}) \
                     WHEN 'null' THEN NULL ELSE r.spec -> {place} END"
                ))
            }
            Dialect::Postgres => self.push("(r.spec #>> ").bind(path).push("::text[]) COLLATE \"C\""),
        }
    }

    /// Binds a value that is used more than once: where it is.
    fn place(&mut self, value: Bound) -> String {
        let before = self.builder.take();
        self.bind(value);
        let place = self.builder.take();
        self.push(&before);
        place
    }

    fn number(&mut self, number: &Number) -> &mut Self {
        match number {
            Number::Literal(number) => self.bind(Bound::Real(*number)),
            Number::Column(column) => self.push("CAST(r.").push(column).push(" AS DOUBLE PRECISION)"),
            Number::Condition(condition, member) => {
                self.push("CAST(").condition(condition, member).push(" AS DOUBLE PRECISION)")
            }
            Number::Spec(path) => {
                let place = self.path(path);
                let place = self.place(place);
                self.push(&match self.builder.dialect {
                    Dialect::Sqlite => format!(
                        "CASE WHEN json_type(r.spec, {place}) IN ('integer', 'real') \
                         THEN CAST(json_extract(r.spec, {place}) AS DOUBLE PRECISION) END"
                    ),
                    Dialect::Postgres => format!(
                        "CASE json_typeof(r.spec #> {place}::text[]) WHEN 'number' \
                         THEN CAST(r.spec #>> {place}::text[] AS DOUBLE PRECISION) END"
                    ),
                })
            }
            Number::Arithmetic(left, operator, right) => self.arithmetic(left, *operator, right),
        }
    }

    /// By zero is nothing, in either database.
    fn arithmetic(&mut self, left: &Number, operator: Arithmetic, right: &Number) -> &mut Self {
        let sign = match operator {
            Arithmetic::Add => " + ",
            Arithmetic::Subtract => " - ",
            Arithmetic::Multiply => " * ",
            Arithmetic::Divide => return self.push("(").number(left).push(" / NULLIF(").number(right).push(", 0))"),
            Arithmetic::Remainder => return self.remainder(left, right),
        };
        self.push("(").number(left).push(sign).number(right).push(")")
    }

    /// Of whole numbers: what is behind the point is cut off.
    fn remainder(&mut self, left: &Number, right: &Number) -> &mut Self {
        let [before, between, after] = match self.builder.dialect {
            Dialect::Sqlite => ["CAST(CAST(", " AS INTEGER) % CAST(", " AS INTEGER) AS DOUBLE PRECISION)"],
            Dialect::Postgres => {
                ["CAST(mod(trunc(CAST(", " AS NUMERIC)), NULLIF(trunc(CAST(", " AS NUMERIC)), 0)) AS DOUBLE PRECISION)"]
            }
        };
        self.push(before).number(left).push(between).number(right).push(after)
    }

    fn time(&mut self, time: &Time) -> &mut Self {
        match time {
            Time::Literal(time) => self.bind(Bound::time(*time)),
            Time::Column(column) => self.push("r.").push(column),
            Time::Condition(condition, member) => match self.builder.dialect {
                Dialect::Sqlite => self.condition(condition, member),
                Dialect::Postgres => {
                    self.push("(TIMESTAMPTZ 'epoch' + CAST(").condition(condition, member);
                    self.push(" AS BIGINT) * INTERVAL '1 microsecond')")
                }
            },
        }
    }
}

fn symbol(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => " = ",
        Comparison::NotEqual => " <> ",
        Comparison::Less => " < ",
        Comparison::LessOrEqual => " <= ",
        Comparison::Greater => " > ",
        Comparison::GreaterOrEqual => " >= ",
    }
}

/// The resource type as a literal.
fn quoted(kind: Kind) -> &'static str {
    match kind {
        Kind::Cluster => "'Cluster'",
        Kind::NodePool => "'NodePool'",
    }
}
