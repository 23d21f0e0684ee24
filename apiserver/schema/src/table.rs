//! The columns of a kind's tables: what `kubectl get` prints.

mod cell;
mod jsonpath;

use machinery::{field::Error, time::Timestamp};
use serde_json::{Value, json};

use crate::{path::Path, read::Reader};
use jsonpath::JsonPath;

/// What every API documents of `metadata.name`; the kube-apiserver sends it with the first column.
const NAME: &str = "Name must be unique within a namespace. Is required when creating resources, although some resources \
    may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for \
    creation idempotence and configuration definition. Cannot be updated. More info: \
    https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";

/// The same of `metadata.creationTimestamp`, for the column of a kind that declares none.
const CREATED: &str = "CreationTimestamp is a timestamp representing the server time when this object was created. It is \
    not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is \
    represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: \
    https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

const FORMATS: [&str; 8] = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

/// The columns of a kind in one version; the name comes first.
#[derive(Clone, Debug)]
pub struct Columns(Vec<Column>);

/// A declared column.
#[derive(Clone, Debug)]
struct Column {
    name: String,
    kind: Kind,
    format: String,
    description: String,
    priority: i64,
    path: JsonPath,
}

/// The type of a column's cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Boolean,
    Date,
    Integer,
    Number,
    String,
}

// === impl Columns ===

impl Columns {
    /// Parses `additionalPrinterColumns`; without any there is one, for the age.
    pub(crate) fn parse(declared: &[Value], path: &Path<'_>, problems: &mut Vec<Error>) -> Self {
        if declared.is_empty() {
            return Self(vec![Column::age()]);
        }
        let mut columns: Vec<Column> = Vec::new();
        for (index, value) in declared.iter().enumerate() {
            let at = path.index(index);
            let Some(column) = Column::parse(value, &at, problems) else { continue };
            if columns.iter().any(|other| other.name == column.name) {
                problems.push(Error::duplicate(at.field("name"), column.name.as_str()));
            }
            columns.push(column);
        }
        Self(columns)
    }

    /// The columns of every kind's scale.
    pub fn of_scale() -> Self {
        let count = |name: &str, description: &str, path: &str| Column {
            name: name.to_owned(),
            kind: Kind::Integer,
            format: String::new(),
            description: description.to_owned(),
            priority: 0,
            path: JsonPath::parse(path).expect("the path is a constant"),
        };
        Self(vec![
            count("Desired", "Number of desired replicas", ".spec.replicas"),
            count("Available", "Number of actual replicas", ".status.replicas"),
            Column::age(),
        ])
    }

    /// The `columnDefinitions` of a Table: a list.
    pub fn definitions(&self) -> Value {
        let name = json!({"name": "Name", "type": "string", "format": "name", "description": NAME, "priority": 0});
        std::iter::once(name).chain(self.0.iter().map(Column::definition)).collect()
    }

    /// The `cells` of an object's row, as many as there are definitions.
    pub fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let cell = |column: &Column| cell::print(column.kind, column.path.first(object), now);
        std::iter::once(Value::from(name)).chain(self.0.iter().map(cell)).collect()
    }
}

// === impl Column ===

impl Column {
    fn age() -> Self {
        Self {
            name: "Age".to_owned(),
            kind: Kind::Date,
            format: String::new(),
            description: CREATED.to_owned(),
            priority: 0,
            path: JsonPath::parse(".metadata.creationTimestamp").expect("the path is a constant"),
        }
    }

    fn parse(value: &Value, path: &Path<'_>, problems: &mut Vec<Error>) -> Option<Self> {
        let mut read = Reader::new(value, path, problems)?;
        let (name, kind, format) = (read.text("name"), read.text("type"), read.text("format"));
        let (json_path, description) = (read.text("jsonPath"), read.text("description"));
        let priority = read.count("priority").unwrap_or_default();
        if name.is_empty() {
            problems.push(Error::required(path.field("name"), ""));
        }
        if !format.is_empty() && !FORMATS.contains(&format.as_str()) {
            let detail = format!("must be one of {}", FORMATS.join(","));
            problems.push(Error::invalid(path.field("format"), format.as_str(), &detail));
        }
        let kind = Kind::parse(&kind, &path.field("type"), problems);
        let parsed = parse_path(&json_path, &path.field("jsonPath"), problems);
        let description = match description.is_empty() {
            true => format!("Custom resource definition column (in JSONPath format): {json_path}"),
            false => description,
        };
        Some(Self { name, kind: kind?, format, description, priority, path: parsed? })
    }

    fn definition(&self) -> Value {
        json!({
            "name": self.name,
            "type": self.kind.text(),
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        })
    }
}

fn parse_path(text: &str, path: &Path<'_>, problems: &mut Vec<Error>) -> Option<JsonPath> {
    let error = match JsonPath::parse(text) {
        Ok(parsed) => return Some(parsed),
        Err(_) if text.is_empty() => Error::required(path, ""),
        Err(why) => Error::invalid(path, text, &why),
    };
    problems.push(error);
    None
}

// === impl Kind ===

impl Kind {
    const ALL: [Kind; 5] = [Kind::Boolean, Kind::Date, Kind::Integer, Kind::Number, Kind::String];

    fn parse(text: &str, path: &Path<'_>, problems: &mut Vec<Error>) -> Option<Self> {
        let found = Self::ALL.into_iter().find(|kind| kind.text() == text);
        if found.is_none() {
            let detail = format!("must be one of {}", Self::ALL.map(Self::text).join(","));
            problems.push(match text {
                "" => Error::required(path, &detail),
                text => Error::invalid(path, text, &detail),
            });
        }
        found
    }

    fn text(self) -> &'static str {
        match self {
            Kind::Boolean => "boolean",
            Kind::Date => "date",
            Kind::Integer => "integer",
            Kind::Number => "number",
            Kind::String => "string",
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn parse(declared: Value) -> (Columns, Vec<String>) {
        let mut problems = Vec::new();
        let columns = Columns::parse(declared.as_array().unwrap(), &Path::At("columns"), &mut problems);
        (columns, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_name_comes_first_and_undescribed_columns_are_described_by_their_path() {
        let (columns, problems) = parse(json!([
            {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
            {"name": "Color", "type": "string", "jsonPath": ".spec.color", "priority": 1, "description": "Its color.", "format": "byte"},
        ]));
        assert_eq!(problems, [""; 0]);
        let definitions = columns.definitions();
        let path = "Custom resource definition column (in JSONPath format):";
        assert_eq!(definitions[0]["name"], "Name");
        assert_eq!(definitions[0]["format"], "name");
        assert!(definitions[0]["description"].as_str().unwrap().ends_with("working-with-objects/names#names"));
        let size = json!({"name": "Size", "type": "integer", "format": "", "description": format!("{path} .spec.size"), "priority": 0});
        assert_eq!(definitions[1], size);
        let color =
            json!({"name": "Color", "type": "string", "format": "byte", "description": "Its color.", "priority": 1});
        assert_eq!(definitions[3], color);

        let object = json!({"metadata": {"name": "a", "creationTimestamp": "2026-11-20T23:27:40Z"}, "spec": {"size": 1, "color": "red"}});
        let now = Timestamp::parse("2026-11-20T23:27:44Z").unwrap();
        assert_eq!(columns.cells(&object, now), [json!("a"), json!(1), json!("4s"), json!("red")]);
        assert_eq!(columns.cells(&json!({}), now), [json!(""), json!(null), json!(null), json!(null)]);
    }

    #[test]
    fn a_kind_without_columns_shows_its_age() {
        let (columns, _) = parse(json!([]));
        let definitions = columns.definitions();
        assert_eq!(definitions.as_array().unwrap().len(), 2);
        assert_eq!((&definitions[1]["name"], &definitions[1]["type"]), (&json!("Age"), &json!("date")));
        assert!(definitions[1]["description"].as_str().unwrap().starts_with("CreationTimestamp is a timestamp"));
    }

    #[test]
    fn columns_that_cannot_be_read_are_refused() {
        let (_, problems) = parse(json!([
            {"name": "A", "type": "text", "jsonPath": ".a"},
            {"name": "", "type": "string", "jsonPath": "a"},
            {"name": "B", "jsonPath": ".b[", "format": "loud"},
            {"name": "C", "type": "date", "jsonPath": ".c"},
            {"name": "C", "type": "date", "jsonPath": ".d"},
            {"name": "D", "type": "date"},
        ]));
        assert_eq!(
            problems,
            [
                "columns[0].type: Invalid value: \"text\": must be one of boolean,date,integer,number,string",
                "columns[1].name: Required value",
                "columns[1].jsonPath: Invalid value: \"a\": must be a simple json path starting with .",
                "columns[2].format: Invalid value: \"loud\": must be one of byte,date,date-time,double,float,int32,int64,password",
                "columns[2].type: Required value: must be one of boolean,date,integer,number,string",
                "columns[2].jsonPath: Invalid value: \".b[\": unterminated array",
                "columns[4].name: Duplicate value: \"C\"",
                "columns[5].jsonPath: Required value",
            ]
        );
    }
}
