//! From the JSON of a schema to [`Node`]s. What is said in a place where it must not be said is refused here; how the
//! parts of a schema fit together is the business of [`super::check`].

use machinery::field::Error;
use serde_json::{Value, json};

use super::node::{Additional, Bound, Checks, List, Node, Pattern, Rule, Type, Types};
use crate::{format::Format, path::Path, read::Reader};

/// Keywords of JSON Schema that no kube-apiserver supports in definitions.
const UNSUPPORTED: [&str; 7] =
    ["$ref", "$schema", "additionalItems", "definitions", "dependencies", "id", "patternProperties"];

/// What only the structure may say, with what a nested validation has to do instead.
const STRUCTURE: [(&str, &str); 12] = [
    ("type", "must be empty to be structural"),
    ("additionalProperties", "must be undefined to be structural"),
    ("default", "must be undefined to be structural"),
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("nullable", "must be false to be structural"),
    ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
    ("x-kubernetes-embedded-resource", "must be false to be structural"),
    ("x-kubernetes-int-or-string", "must be false to be structural"),
    ("x-kubernetes-list-type", "must be undefined to be structural"),
    ("x-kubernetes-list-map-keys", "must be empty to be structural"),
    ("x-kubernetes-map-type", "must be undefined to be structural"),
];

/// What stands for a type that is refused already, so that it is not refused again for being absent.
const UNKNOWN: Types = Types::One(Type::String);

/// Whether a node is part of the structure or of a validation nested in it.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Structure,
    Nested,
    /// In the `anyOf` that spells out int-or-string: the one validation that may name types.
    IntOrString,
}

/// Parses a whole schema.
pub(super) fn root(document: &Value, path: &Path<'_>, problems: &mut Vec<Error>) -> Node {
    node(document, path, Place::Structure, problems)
}

fn node(value: &Value, path: &Path<'_>, place: Place, problems: &mut Vec<Error>) -> Node {
    unsupported(value, path, problems);
    if place != Place::Structure {
        structure_in_validation(value, path, place, problems);
    }
    let Some(mut read) = Reader::new(value, path, problems) else { return Node::default() };
    let (int_or_string, name) = (read.flag("x-kubernetes-int-or-string"), read.text("type"));
    let mut node = Node {
        nullable: read.flag("nullable"),
        default: read.value("default").cloned(),
        preserve_unknown: read.flag("x-kubernetes-preserve-unknown-fields"),
        embedded: read.flag("x-kubernetes-embedded-resource"),
        ..Node::default()
    };
    let (list, keys) = (read.text("x-kubernetes-list-type"), read.texts("x-kubernetes-list-map-keys"));
    let map = read.text("x-kubernetes-map-type");
    let properties = read.entries("properties");
    let (items, additional) = (read.value("items"), read.value("additionalProperties"));
    node.atomic_map = one_of(&map, &["atomic", "granular"], &path.field("x-kubernetes-map-type"), problems) == "atomic";
    node.list = match one_of(&list, &["atomic", "set", "map"], &path.field("x-kubernetes-list-type"), problems) {
        "set" => List::Set,
        "map" => List::Map(keys),
        _ => List::Atomic,
    };
    node.types = if int_or_string { Types::IntOrString } else { types(&name, &path.field("type"), problems) };
    // The entries of a nested validation are nested as well; that of int-or-string holds types and nothing else.
    let below = if place == Place::Structure { Place::Structure } else { Place::Nested };
    for (name, property) in properties {
        let at = path.field("properties");
        node.properties.insert(name.clone(), self::node(property, &at.key(name), below, problems));
    }
    node.items = items.map(|items| Box::new(item(items, &path.field("items"), below, problems)));
    node.additional = additional.map(|value| entries(value, &path.field("additionalProperties"), below, problems));
    node.rules = rules(value, path, problems);
    node.checks = checks(value, path, node.types, problems);
    node
}

fn types(name: &str, path: &Path<'_>, problems: &mut Vec<Error>) -> Types {
    match (name, Type::named(name)) {
        ("", _) => Types::Any,
        (_, Some(one)) => Types::One(one),
        ("null", None) => {
            let detail = "type cannot be set to null, use nullable as an alternative";
            problems.push(Error::forbidden(path, detail));
            UNKNOWN
        }
        (_, None) => {
            one_of(name, &Type::ALL.map(Type::text), path, problems);
            UNKNOWN
        }
    }
}

/// Gives the value back if it is empty or one of those supported.
fn one_of<'a>(value: &'a str, supported: &[&str], path: &Path<'_>, problems: &mut Vec<Error>) -> &'a str {
    if value.is_empty() || supported.contains(&value) {
        return value;
    }
    problems.push(Error::not_supported(path, Value::from(value), supported));
    ""
}

fn item(value: &Value, path: &Path<'_>, place: Place, problems: &mut Vec<Error>) -> Node {
    if value.is_array() {
        problems.push(Error::forbidden(path, "items must be a schema object and not an array"));
        return Node { preserve_unknown: true, ..Node::default() };
    }
    node(value, path, place, problems)
}

fn entries(value: &Value, path: &Path<'_>, place: Place, problems: &mut Vec<Error>) -> Additional {
    match value {
        Value::Bool(true) => Additional::Allowed,
        Value::Bool(false) => Additional::Forbidden,
        value => Additional::Like(Box::new(node(value, path, place, problems))),
    }
}

fn rules(value: &Value, path: &Path<'_>, problems: &mut Vec<Error>) -> Vec<Rule> {
    let Some(mut read) = Reader::new(value, path, problems) else { return Vec::new() };
    let items = read.items("x-kubernetes-validations");
    let list = path.field("x-kubernetes-validations");
    items.iter().enumerate().filter_map(|(index, item)| rule(item, &list.index(index), problems)).collect()
}

fn rule(value: &Value, path: &Path<'_>, problems: &mut Vec<Error>) -> Option<Rule> {
    let mut read = Reader::new(value, path, problems)?;
    let rule = Rule {
        rule: read.text("rule"),
        message: read.text("message"),
        message_expression: read.text("messageExpression"),
        reason: read.text("reason"),
        field_path: read.text("fieldPath"),
        optional_old_self: read.value("optionalOldSelf").is_some().then(|| read.flag("optionalOldSelf")),
        ..Rule::default()
    };
    Some(rule)
}

fn checks(value: &Value, path: &Path<'_>, types: Types, problems: &mut Vec<Error>) -> Checks {
    let Some(mut read) = Reader::new(value, path, problems) else { return Checks::default() };
    let (pattern, format) = (read.text("pattern"), read.text("format"));
    let (least, over) = (read.number("minimum"), read.flag("exclusiveMinimum"));
    let (most, under) = (read.number("maximum"), read.flag("exclusiveMaximum"));
    let unique = read.flag("uniqueItems");
    let mut checks = Checks {
        format: Format::named(&format, types),
        min_length: read.count("minLength"),
        max_length: read.count("maxLength"),
        minimum: least.map(|value| Bound { value, exclusive: over }),
        maximum: most.map(|value| Bound { value, exclusive: under }),
        multiple_of: read.number("multipleOf"),
        min_items: read.count("minItems"),
        max_items: read.count("maxItems"),
        min_properties: read.count("minProperties"),
        max_properties: read.count("maxProperties"),
        required: read.texts("required"),
        one_of_values: read.items("enum").to_vec(),
        ..Checks::default()
    };
    let (all_of, any_of, one_of) = (read.items("allOf"), read.items("anyOf"), read.items("oneOf"));
    let not = read.value("not");
    if unique {
        let detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        problems.push(Error::forbidden(path.field("uniqueItems"), detail));
    }
    checks.pattern = self::pattern(&pattern, &path.field("pattern"), problems);
    checks.all_of = nested(all_of, &path.field("allOf"), problems);
    checks.any_of = alternatives(any_of, &path.field("anyOf"), problems);
    checks.one_of = nested(one_of, &path.field("oneOf"), problems);
    checks.not = not.map(|not| Box::new(node(not, &path.field("not"), Place::Nested, problems)));
    checks
}

fn pattern(source: &str, path: &Path<'_>, problems: &mut Vec<Error>) -> Option<Pattern> {
    if source.is_empty() {
        return None;
    }
    let compiled = Pattern::new(source);
    if let Err(why) = &compiled {
        let detail = format!("must be a valid regular expression, but isn't: {why}");
        problems.push(Error::invalid(path, Value::from(source), &detail));
    }
    compiled.ok()
}

fn nested(items: &[Value], path: &Path<'_>, problems: &mut Vec<Error>) -> Vec<Node> {
    let parse = |(index, item)| node(item, &path.index(index), Place::Nested, problems);
    items.iter().enumerate().map(parse).collect()
}

/// The items of an `anyOf`. One that lists exactly integer and string may name these types.
fn alternatives(items: &[Value], path: &Path<'_>, problems: &mut Vec<Error>) -> Vec<Node> {
    let int_or_string = [json!({"type": "integer"}), json!({"type": "string"})];
    if items != int_or_string {
        return nested(items, path, problems);
    }
    let parse = |(index, item)| node(item, &path.index(index), Place::IntOrString, problems);
    items.iter().enumerate().map(parse).collect()
}

fn unsupported(value: &Value, path: &Path<'_>, problems: &mut Vec<Error>) {
    for key in UNSUPPORTED.into_iter().filter(|key| said(value, key)) {
        problems.push(Error::forbidden(path.field(key), &format!("{key} is not supported")));
    }
    let preserve = "x-kubernetes-preserve-unknown-fields";
    if value.get(preserve) == Some(&Value::Bool(false)) {
        let at = path.field(preserve).to_string();
        problems.push(Error::invalid(&at, Value::Bool(false), "must be true or undefined"));
    }
}

fn structure_in_validation(value: &Value, path: &Path<'_>, place: Place, problems: &mut Vec<Error>) {
    for (key, detail) in STRUCTURE.into_iter().filter(|(key, _)| said(value, key)) {
        if key != "type" || place != Place::IntOrString {
            problems.push(Error::forbidden(path.field(key), detail));
        }
    }
    if said(value, "x-kubernetes-validations") {
        let at = path.field("x-kubernetes-validations").to_string();
        problems.push(Error::forbidden(&at, "must be empty to be structural"));
    }
    if value.get("properties").and_then(|properties| properties.get("metadata")).is_some() {
        let properties = path.field("properties");
        let at = properties.key("metadata").to_string();
        problems.push(Error::forbidden(&at, "must not be specified in a nested context"));
    }
}

/// Whether a keyword is there and says something: not null, not false, not empty. A default always says something.
fn said(value: &Value, key: &str) -> bool {
    match value.get(key) {
        None | Some(Value::Null) => false,
        Some(_) if key == "default" => true,
        Some(Value::Bool(said)) => *said,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(_) => true,
    }
}
