//! Random searches over random records, by the database and by an evaluation of our own: both must find the same.
//!
//! A search is made here as a tree, which is written as text for the database, and evaluated with SQL's three values.

use std::collections::BTreeMap;

use anyhow::Result;
use hyperfleet_records::{New, Patch, Resource};
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use serde_json::Value;

use crate::world::{World, cluster, json, key, status};

const RECORDS: usize = 60;
const SEARCHES: usize = 600;

#[derive(Debug, Clone)]
enum Tree {
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
    Compare(Operand, &'static str, Operand),
    Like { field: &'static str, pattern: String, any_case: bool, negated: bool },
    In { operand: Operand, list: Vec<Literal>, negated: bool },
    Between { operand: Operand, low: Literal, high: Literal, negated: bool },
    Null { operand: Operand, negated: bool },
    Is { operand: Operand, literal: Literal, negated: bool },
}

#[derive(Debug, Clone)]
enum Operand {
    Text(&'static str),
    Number(&'static str),
    Spec(&'static str),
    Sum(&'static str, char, i32),
    Literal(Literal),
}

#[derive(Debug, Clone)]
enum Literal {
    Text(String),
    Number(i32),
}

/// A record as the evaluation sees it: each field's text, and the spec.
struct Record {
    name: String,
    fields: BTreeMap<&'static str, Option<String>>,
    spec: Value,
}

const TEXTS: [&str; 6] =
    ["name", "labels.a", "labels.example.com/b-c", "status.phase", "status.conditions.DnsSuccessful", "kind"];
const NUMBERS: [&str; 2] = ["generation", "status.observed_generation"];
const SPECS: [&str; 4] = ["spec.s", "spec.n", "spec.o.p", "spec.o"];
const COMPARISONS: [&str; 7] = ["=", "!=", "<>", "<", "<=", ">", ">="];

// === how they are made ===

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[abAB%_äÄ']{0,3}",
        Just("Ready".to_owned()),
        Just("True".to_owned()),
        Just("5".to_owned()),
        Just("[1]".to_owned())
    ]
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![text().prop_map(Literal::Text), (-2..8).prop_map(Literal::Number)]
}

fn of(names: &'static [&'static str]) -> impl Strategy<Value = &'static str> + Clone {
    prop::sample::select(names)
}

fn operand() -> impl Strategy<Value = Operand> {
    let sign = prop::sample::select(vec!['+', '-', '*', '/', '%']);
    let number = prop::sample::select(vec!["generation", "status.observed_generation", "spec.n", "spec.s"]);
    prop_oneof![
        3 => of(&TEXTS).prop_map(Operand::Text),
        1 => of(&NUMBERS).prop_map(Operand::Number),
        2 => of(&SPECS).prop_map(Operand::Spec),
        1 => (number, sign, -2..4).prop_map(|(field, sign, by)| Operand::Sum(field, sign, by)),
    ]
}

/// A literal that can be compared with the operand.
fn fitting(operand: &Operand) -> BoxedStrategy<Literal> {
    match operand {
        Operand::Number(_) | Operand::Sum(..) => (-2..8).prop_map(Literal::Number).boxed(),
        _ => literal().boxed(),
    }
}

fn comparison() -> impl Strategy<Value = Tree> {
    let with = |left: BoxedStrategy<Operand>, right: BoxedStrategy<Operand>| {
        (left, of(&COMPARISONS), right).prop_map(|(left, sign, right)| Tree::Compare(left, sign, right))
    };
    let specs = || of(&SPECS).prop_map(Operand::Spec).boxed();
    let texts = || of(&TEXTS).prop_map(Operand::Text).boxed();
    let quoted = text().prop_map(|text| Operand::Literal(Literal::Text(text))).boxed();
    let with_literal = operand().prop_flat_map(move |left| {
        let right = fitting(&left).prop_map(Operand::Literal);
        (Just(left), of(&COMPARISONS), right)
    });
    let with_literal = with_literal.prop_map(|(left, sign, right)| Tree::Compare(left, sign, right));
    prop_oneof![
        4 => with_literal,
        1 => with(specs(), specs()),
        1 => with(texts(), texts()),
        1 => with(quoted, texts()),
    ]
}

fn leaf() -> impl Strategy<Value = Tree> {
    let not = proptest::bool::ANY;
    let like = (prop_oneof![of(&TEXTS), of(&SPECS)], text(), proptest::bool::ANY, not);
    let list = operand().prop_flat_map(move |operand| {
        let list = prop::collection::vec(fitting(&operand), 0..4);
        (Just(operand), list, not)
    });
    let between = operand().prop_flat_map(move |operand| {
        let (low, high) = (fitting(&operand), fitting(&operand));
        (Just(operand), low, high, not)
    });
    let is = operand().prop_flat_map(move |operand| {
        let literal = fitting(&operand);
        (Just(operand), literal, not)
    });
    prop_oneof![
        7 => comparison(),
        2 => like.prop_map(|(field, pattern, any_case, negated)| Tree::Like { field, pattern, any_case, negated }),
        2 => list.prop_map(|(operand, list, negated)| Tree::In { operand, list, negated }),
        1 => between.prop_map(|(operand, low, high, negated)| Tree::Between { operand, low, high, negated }),
        1 => (operand(), not).prop_map(|(operand, negated)| Tree::Null { operand, negated }),
        1 => is.prop_map(|(operand, literal, negated)| Tree::Is { operand, literal, negated }),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    leaf().prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Tree::Not(Box::new(inner))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Tree::And),
            prop::collection::vec(inner, 2..4).prop_map(Tree::Or),
        ]
    })
}

fn spec() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        "[abABäÄ]{0,3}".prop_map(Value::from),
        (-2..8).prop_map(Value::from),
        Just(Value::from(1.5)),
        proptest::bool::ANY.prop_map(Value::from),
        Just(Value::Null),
        Just(serde_json::json!([1])),
        Just(serde_json::json!({"p": "ab"})),
    ];
    prop::collection::btree_map(prop::sample::select(vec!["s", "n", "o"]), value, 0..4)
        .prop_map(|members| serde_json::to_string(&members).expect("JSON"))
}

fn labels() -> impl Strategy<Value = BTreeMap<String, String>> {
    let keys = prop::sample::select(vec!["a".to_owned(), "example.com/b-c".to_owned()]);
    prop::collection::btree_map(keys, "[abAB%_äÄ]{0,2}", 0..3)
}

// === how they are written ===

fn written(tree: &Tree) -> String {
    let not = |negated: &bool| if *negated { "NOT " } else { "" };
    let all = |parts: &[Tree], between| {
        parts.iter().map(|part| format!("({})", written(part))).collect::<Vec<_>>().join(between)
    };
    match tree {
        Tree::Not(inner) => format!("not ({})", written(inner)),
        Tree::And(parts) => all(parts, " and "),
        Tree::Or(parts) => all(parts, " OR "),
        Tree::Compare(left, sign, right) => format!("{} {sign} {}", operand_text(left), operand_text(right)),
        Tree::Like { field, pattern, any_case, negated } => {
            format!("{field} {}{} {}", not(negated), if *any_case { "ILIKE" } else { "like" }, quoted(pattern))
        }
        Tree::In { operand, list, negated } => {
            let list: Vec<_> = list.iter().map(literal_text).collect();
            format!("{} {}in ({})", operand_text(operand), not(negated), list.join(", "))
        }
        Tree::Between { operand, low, high, negated } => {
            format!(
                "{} {}BETWEEN {} AND {}",
                operand_text(operand),
                not(negated),
                literal_text(low),
                literal_text(high)
            )
        }
        Tree::Null { operand, negated } => format!("{} is {}null", operand_text(operand), not(negated)),
        Tree::Is { operand, literal, negated } => {
            format!("{} is {}{}", operand_text(operand), not(negated), literal_text(literal))
        }
    }
}

fn operand_text(operand: &Operand) -> String {
    match operand {
        Operand::Text(field) | Operand::Number(field) | Operand::Spec(field) => (*field).to_owned(),
        Operand::Sum(field, sign, by) => format!("({field} {sign} {by})"),
        Operand::Literal(literal) => literal_text(literal),
    }
}

fn literal_text(literal: &Literal) -> String {
    match literal {
        Literal::Text(text) => quoted(text),
        Literal::Number(number) => number.to_string(),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

// === what they mean ===

fn evaluate(tree: &Tree, record: &Record) -> Option<bool> {
    match tree {
        Tree::Not(inner) => evaluate(inner, record).map(|holds| !holds),
        Tree::And(parts) => all(parts.iter().map(|part| evaluate(part, record))),
        Tree::Or(parts) => one(parts.iter().map(|part| evaluate(part, record))),
        Tree::Compare(left, sign, right) => compare(left, sign, right, record),
        Tree::Like { field, pattern, any_case, negated } => {
            let text = record.text(field)?;
            let fold = |text: &str| if *any_case { text.to_lowercase() } else { text.to_owned() };
            let (text, pattern): (Vec<char>, Vec<char>) =
                (fold(&text).chars().collect(), fold(pattern).chars().collect());
            Some(like(&text, &pattern) != *negated)
        }
        Tree::In { operand, list, negated } => {
            let one_of =
                one(list.iter().map(|literal| compare(operand, "=", &Operand::Literal(literal.clone()), record)));
            one_of.map(|found| found != *negated)
        }
        Tree::Between { operand, low, high, negated } => {
            let within = |sign, bound: &Literal| compare(operand, sign, &Operand::Literal(bound.clone()), record);
            all([within(">=", low), within("<=", high)].into_iter()).map(|found| found != *negated)
        }
        Tree::Null { operand, negated } => Some(record.is_null(operand) != *negated),
        Tree::Is { operand, literal, negated } => {
            let same = compare(operand, "=", &Operand::Literal(literal.clone()), record);
            // It is or it is not: nothing is no literal.
            Some((same == Some(true)) != *negated)
        }
    }
}

fn all(mut parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    parts
        .try_fold(Some(true), |sum, part| match (sum, part) {
            (_, Some(false)) => Err(()),
            (Some(true), Some(true)) => Ok(Some(true)),
            _ => Ok(None),
        })
        .unwrap_or(Some(false))
}

fn one(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(parts.map(|part| part.map(|holds| !holds))).map(|holds| !holds)
}

fn compare(left: &Operand, sign: &str, right: &Operand, record: &Record) -> Option<bool> {
    let numbers = [left, right].iter().any(|side| matches!(side, Operand::Number(_) | Operand::Sum(..)))
        || matches!((left, right), (Operand::Spec(_), Operand::Literal(Literal::Number(_))));
    let order = match numbers {
        true => record.number(left)?.partial_cmp(&record.number(right)?)?,
        false => record.value(left)?.cmp(&record.value(right)?),
    };
    Some(match sign {
        "=" => order.is_eq(),
        "!=" | "<>" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        other => panic!("no comparison: {other}"),
    })
}

fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|skipped| like(&text[skipped..], rest)),
        ['_', rest @ ..] => !text.is_empty() && like(&text[1..], rest),
        [first, rest @ ..] => text.first() == Some(first) && like(&text[1..], rest),
    }
}

// === impl Record ===

impl Record {
    fn of(resource: &Resource) -> Result<Self> {
        let status = status(resource)?;
        let dns = status.conditions.iter().find(|condition| condition.r#type == "DnsSuccessful");
        let fields = BTreeMap::from([
            ("name", Some(resource.name.clone())),
            ("labels.a", resource.labels.get("a").cloned()),
            ("labels.example.com/b-c", resource.labels.get("example.com/b-c").cloned()),
            ("status.phase", Some(format!("{:?}", status.phase))),
            ("status.conditions.DnsSuccessful", dns.map(|condition| condition.status.clone())),
            ("kind", Some("Cluster".to_owned())),
            ("generation", Some(resource.generation.to_string())),
            ("status.observed_generation", Some(status.observed_generation.to_string())),
        ]);
        Ok(Self { name: resource.name.clone(), fields, spec: serde_json::from_str(resource.spec.get())? })
    }

    fn member(&self, field: &str) -> &Value {
        field.split('.').skip(1).fold(&self.spec, |value, part| &value[part])
    }

    fn text(&self, field: &str) -> Option<String> {
        if !field.starts_with("spec.") {
            return self.fields[field].clone();
        }
        match self.member(field) {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    fn value(&self, operand: &Operand) -> Option<String> {
        match operand {
            Operand::Text(field) | Operand::Number(field) | Operand::Spec(field) => self.text(field),
            Operand::Sum(..) => panic!("no text"),
            Operand::Literal(Literal::Text(text)) => Some(text.clone()),
            Operand::Literal(Literal::Number(number)) => Some(number.to_string()),
        }
    }

    fn field_number(&self, field: &str) -> Option<f64> {
        match field.starts_with("spec.") {
            true => self.member(field).as_f64(),
            false => self.fields[field].as_ref()?.parse().ok(),
        }
    }

    fn number(&self, operand: &Operand) -> Option<f64> {
        match operand {
            Operand::Number(field) | Operand::Spec(field) => self.field_number(field),
            Operand::Literal(Literal::Number(number)) => Some(f64::from(*number)),
            Operand::Sum(field, sign, by) => {
                let (left, right) = (self.field_number(field)?, f64::from(*by));
                match sign {
                    '+' => Some(left + right),
                    '-' => Some(left - right),
                    '*' => Some(left * right),
                    '/' => (right != 0.0).then_some(left / right),
                    _ => (right != 0.0).then(|| left.trunc() % right),
                }
            }
            other => panic!("no number: {other:?}"),
        }
    }

    fn is_null(&self, operand: &Operand) -> bool {
        match operand {
            Operand::Sum(..) => self.number(operand).is_none(),
            operand => self.value(operand).is_none(),
        }
    }
}

// === the comparison ===

/// A spec, labels, the begin of a name, what an adapter says, and whether the spec is changed later.
type Draft = (String, BTreeMap<String, String>, String, &'static str, bool);

fn drafts(runner: &mut TestRunner) -> Vec<Draft> {
    let verdicts = prop::sample::select(vec!["True", "False", ""]);
    let draft = (spec(), labels(), "[abäÄ_%]{0,2}", verdicts, proptest::bool::ANY);
    (0..RECORDS).map(|_| draft.new_tree(runner).expect("a record").current()).collect()
}

async fn fill(world: &World, drafts: Vec<Draft>) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    for (number, (spec, labels, name, verdict, changed)) in drafts.into_iter().enumerate() {
        let new = New { spec: json(&spec), labels, ..cluster(&format!("{name}{number}"), &[]) };
        let mut made = world.records.create(new).await?;
        if changed {
            let spec = format!("{{\"x\":1,{}", spec.replacen('{', "", 1)).replace(",}", "}");
            let patch = Patch { spec: Some(json(&spec)), ..Patch::default() };
            made = world.records.patch(&key(&made), patch, "x").await?;
        }
        if !verdict.is_empty() {
            world.reports(&made, "dns", 1, &[("Available", verdict)]).await?;
        }
        records.push(Record::of(&world.read(&made).await?)?);
    }
    Ok(records)
}

fn searches(runner: &mut TestRunner) -> Vec<Tree> {
    let tree = tree();
    (0..SEARCHES).map(|_| tree.new_tree(runner).expect("a search").current()).collect()
}

/// Compares what random searches find.
pub(super) async fn run(world: &World) -> Result<()> {
    let (drafts, searches) = {
        let mut runner = TestRunner::deterministic();
        (drafts(&mut runner), searches(&mut runner))
    };
    let records = fill(world, drafts).await?;
    let mut hits = 0;
    for tree in searches {
        let text = written(&tree);
        let matching = records.iter().filter(|record| evaluate(&tree, record) == Some(true));
        let mut expected: Vec<_> = matching.map(|record| record.name.clone()).collect();
        expected.sort();
        hits += expected.len();
        assert_eq!(world.found(&text).await?, expected, "{text}");
    }
    // That searches find some and not all is what makes this a test.
    assert!(hits > SEARCHES && hits < SEARCHES * RECORDS * 9 / 10, "{hits}");
    Ok(())
}
