//! The JSONPath dialect of kubectl, as printer columns use it: parsed once, then followed in each object.
//!
//! `.spec.a`, `.a\.b`, `['a']`, `[0]`, `[-1]`, `[0:2:1]`, `[*]`, `.*`, `..a`, `['a','b']`, `[?(@.type=="Ready")]`,
//! `[?(@.x)]`.

mod compare;
mod follow;
mod parse;

use serde_json::Value;

use compare::Operator;

/// A path to values in an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct JsonPath(Vec<Step>);

/// One step from values to values.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// The field of that name of every object.
    Field(String),
    /// Everything directly in objects and lists.
    All,
    /// Every object and list that is not empty, at any depth.
    Descend,
    /// A range of the items of every list.
    Slice(Slice),
    /// What each of these paths leads to.
    Union(Vec<Vec<Step>>),
    /// The items of lists that pass.
    Filter(Filter),
}

/// A range of items; negative positions count from the end.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Slice {
    start: Option<i64>,
    end: End,
    step: Option<i64>,
}

/// Where a range ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// One after the start: a single item.
    Single,
    /// At the end of the list.
    Open,
    At(i64),
}

/// Which items of a list pass.
#[derive(Clone, Debug, PartialEq)]
enum Filter {
    /// Those in which the path leads anywhere.
    Has(Vec<Step>),
    /// Those of which the comparison holds.
    Holds(Operand, Operator, Operand),
}

/// A side of a comparison.
#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Path(Vec<Step>),
    Literal(Value),
}

// === impl JsonPath ===

impl JsonPath {
    /// Parses a path that begins at the object, with a dot; the error says what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if !text.starts_with('.') {
            return Err("must be a simple json path starting with .".to_owned());
        }
        parse::steps(text).map(Self)
    }

    /// The first value that the path leads to. It leads nowhere if there is none, or if a step cannot be made.
    pub(super) fn first<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        follow::steps(&self.0, vec![object]).ok()?.first().copied()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_where_kubectl_is_led() {
        let object = json!({
            "spec": {"size": 3, "null": null, "a.b": {"c/d": 1}, "list": [10, 20, 30, 40], "empty": []},
            "metadata": {"annotations": {"example.com/owner": "sre"}},
            "status": {"conditions": [
                {"type": "Installed", "status": "True", "n": 1},
                {"type": "Ready", "status": "False", "message": "not (yet) \"ready\"", "n": 2},
            ]},
        });
        for (path, value) in [
            (".spec.size", Some(json!(3))),
            (".spec.null", Some(json!(null))),
            (".spec.nope.deeper", None),
            (".spec.size.deeper", None),
            (r".spec.a\.b.c/d", Some(json!(1))),
            (r".spec['a\.b']['c/d']", Some(json!(1))),
            (r".metadata.annotations.example\.com/owner", Some(json!("sre"))),
            (r".metadata.annotations['example\.com/owner']", Some(json!("sre"))),
            (".spec.list[0]", Some(json!(10))),
            (".spec.list[-1]", Some(json!(40))),
            (".spec.list[1:3]", Some(json!(20))),
            (".spec.list[-2:]", Some(json!(30))),
            (".spec.list[:2]", Some(json!(10))),
            (".spec.list[1::2]", Some(json!(20))),
            (".spec.list[*]", Some(json!(10))),
            (".spec.list.*", Some(json!(10))),
            (".spec.list[2,0]", Some(json!(30))),
            (".spec.list[4]", None),
            (".spec.list[-5]", None),
            (".spec.list[3:1]", None),
            (".spec.list[2:2]", None),
            (".spec.empty[*]", None),
            (".spec.size[0]", None),
            (".spec['size','null']", Some(json!(3))),
            ("..n", Some(json!(1))),
            (".spec.*", Some(json!({"c/d": 1}))),
            (r#".status.conditions[?(@.type=="Ready")].message"#, Some(json!("not (yet) \"ready\""))),
            (".status.conditions[?(@.type=='Ready')].status", Some(json!("False"))),
            (".status.conditions[?(@.type == 'Ready')].status", Some(json!("False"))),
            (r#".status.conditions[?(@.type!="Installed")].type"#, Some(json!("Ready"))),
            (".status.conditions[?(@.n>1)].type", Some(json!("Ready"))),
            (".status.conditions[?(@.n<=1)].type", Some(json!("Installed"))),
            (".status.conditions[?(@.message)].type", Some(json!("Ready"))),
            (".status.conditions[?(@.n=='1')].type", None),
            (r#".status.conditions[?(@.type=="Gone")].message"#, None),
            (".status.conditions[?(@.message=='not (yet) \"ready\"')].n", Some(json!(2))),
            (".spec[?(@.a==1)].b", None),
            (".nope[?(@.a==1)].b", None),
            (".", None),
        ] {
            let parsed = JsonPath::parse(path).unwrap();
            assert_eq!(parsed.first(&object).cloned(), value, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for path in [
            "",
            "spec",
            "{.spec}",
            ".spec[",
            ".spec[a]",
            ".spec[\"a\"]",
            ".spec]",
            ".spec,",
            ".a[?(@.b==\"c\"]",
            ".a[?(@.b==c)]",
            ".a[?(@.b==\"c\" && @.d)]",
            ".a[?(@.b=<1)]",
            ".a....b",
            ".a[?(@.b==\"c)]",
            ".a[-]",
            ".a{b",
            ".a b",
        ] {
            assert!(JsonPath::parse(path).is_err(), "{path}");
        }
    }
}
