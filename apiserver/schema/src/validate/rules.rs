//! Evaluating the rules of a schema on an object, with the causes and messages of the kube-apiserver.
//!
//! A rule that speaks of the old value runs where there is one; it is never tolerated. What any other rule says of a
//! value that an update leaves as it was is tolerated.

use machinery::field::{BadValue, Error, ErrorKind};
use serde_json::Value;

use super::{outcome::LIMIT, ratchet::Pair};
use crate::{
    cel::{Budget, Fault, Val, Variables},
    path::Path,
    structural::node::{Additional, List, Node, Rule, Type, Types},
};

/// The longest message, in bytes, that an expression may make.
const MESSAGE_MAX: usize = 5 << 10;
/// Said when all rules together took too long.
const OUT_OF_BUDGET: &str =
    "validation failed due to running out of cost budget, no further validation rules will be run";
/// Said when the object has errors that rules may not be ready for.
const UNCHECKED: &str = "some validation rules were not checked because the object was invalid; correct the existing \
                         errors to complete validation";

/// What the rules say of an object of which `errors` are known already.
pub(super) fn check(root: &Node, object: &Value, old: Option<&Value>, errors: &[Error]) -> Vec<Error> {
    if !root.ruled {
        return Vec::new();
    }
    if errors.iter().any(|error| is_blocking(error.kind)) {
        return vec![Error::invalid("<nil>", Value::Null, UNCHECKED)];
    }
    let mut run = Run { budget: Budget::new(), errors: Vec::new() };
    let pair = old.map(|old| Pair { node: root, old, new: object });
    let here = Here { node: root, value: object, old, kept: Kept { here: pair, above: None } };
    // An end before all rules were checked has left its error.
    let _ = run.visit(here, &Path::Root);
    run.errors
}

fn is_blocking(kind: ErrorKind) -> bool {
    use ErrorKind::{NotSupported, Required, TooLong, TooMany, TypeInvalid};
    matches!(kind, NotSupported | Required | TooLong | TooMany | TypeInvalid)
}

/// No more rules are evaluated.
struct End;

struct Run {
    budget: Budget,
    errors: Vec<Error>,
}

/// A value under check.
#[derive(Clone, Copy)]
struct Here<'a> {
    node: &'a Node,
    value: &'a Value,
    /// What transition rules compare with.
    old: Option<&'a Value>,
    kept: Kept<'a>,
}

/// What an update may have left as it was.
#[derive(Clone, Copy, Default)]
struct Kept<'a> {
    here: Option<Pair<'a>>,
    /// The nearest value above that the update replaces.
    above: Option<Pair<'a>>,
}

// === impl Run ===

impl Run {
    fn visit(&mut self, here: Here<'_>, path: &Path<'_>) -> Result<(), End> {
        if !here.node.ruled || here.value.is_null() {
            return Ok(());
        }
        for rule in &here.node.rules {
            self.rule(rule, here, path)?;
        }
        match here.value {
            Value::Array(items) => self.items(items, here, path),
            Value::Object(fields) => {
                for (name, value) in fields {
                    let Some(node) = here.node.entry(name) else { continue };
                    let old = here.old.and_then(|old| old.get(name)).filter(|old| !old.is_null());
                    let kept = here.kept.field(name, path.is_root());
                    let entry = matches!(here.node.additional, Some(Additional::Like(_)));
                    let path = if entry { path.key(name) } else { path.field(name) };
                    self.visit(Here { node, value, old, kept }, &path)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn items(&mut self, items: &[Value], here: Here<'_>, path: &Path<'_>) -> Result<(), End> {
        let Some(node) = &here.node.items else { return Ok(()) };
        let whole = here.old.map(|old| Pair { node: here.node, old, new: here.value });
        let corresponding = whole.filter(|_| matches!(here.node.list, List::Map(_))).and_then(Pair::items);
        for (index, value) in items.iter().enumerate() {
            let pair = corresponding.as_ref().and_then(|items| items.pair(value));
            let kept = match here.kept.here {
                Some(list) => Kept { here: pair, above: Some(list) },
                None => here.kept,
            };
            self.visit(Here { node, value, old: pair.map(|pair| pair.old), kept }, &path.index(index))?;
        }
        Ok(())
    }

    fn rule(&mut self, rule: &Rule, here: Here<'_>, path: &Path<'_>) -> Result<(), End> {
        let Some(program) = &rule.program else { return Ok(()) };
        let optional = rule.optional_old_self == Some(true);
        if program.uses_old_self() && here.old.is_none() && !optional {
            return Ok(());
        }
        let old = here.old.map(|old| Val::of(old, Some(here.node)));
        let given = if optional { Some(Val::optional(old.clone())) } else { old };
        let variables = Variables { own: Val::of(here.value, Some(here.node)), old: given };
        let result = match program.evaluate(&mut variables.clone(), &mut self.budget) {
            Ok(Val::Bool(true)) => return Ok(()),
            Ok(Val::Bool(false)) => Ok(()),
            Ok(_) => Err(Fault::Error("no such overload".to_owned())),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = result {
            return self.fault(&fault, rule, here, path);
        }
        if !program.uses_old_self() && here.kept.is_unchanged() {
            return Ok(());
        }
        let at = match (rule.field_path.as_str(), path.is_root()) {
            ("", _) => written(path),
            (field, true) => field.to_owned(),
            (field, false) => format!("{path}.{field}"),
        };
        let message = match self.message(rule, variables) {
            Ok(message) => message.unwrap_or_else(|| default_message(rule)),
            Err(why) => {
                self.errors.push(Error::invalid(at, type_of(here.node), &why));
                return Err(End);
            }
        };
        self.add(failure(rule, at, here, &message))
    }

    fn add(&mut self, error: Error) -> Result<(), End> {
        self.errors.push(error);
        if self.errors.len() < LIMIT { Ok(()) } else { Err(End) }
    }

    /// A rule that could not be evaluated holds of nothing.
    fn fault(&mut self, fault: &Fault, rule: &Rule, here: Here<'_>, path: &Path<'_>) -> Result<(), End> {
        let said = said(rule);
        let (detail, end) = match fault {
            Fault::Error(why) if why.starts_with("no such overload") => (
                format!(
                    "'{why}': call arguments did not match a supported operator, function or macro signature for rule: {said}"
                ),
                false,
            ),
            Fault::Error(why) => (format!("{why} evaluating rule: {said}"), false),
            Fault::CallLimit => (
                format!(
                    "'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to \
                     call cost exceeds limit for rule: {said}"
                ),
                true,
            ),
            Fault::ObjectLimit => (OUT_OF_BUDGET.to_owned(), true),
            Fault::Pending(_) => ("there is no authorizer to ask".to_owned(), false),
        };
        let added = self.add(Error::invalid(written(path), type_of(here.node), &detail));
        if end { Err(End) } else { added }
    }

    /// What the rule's expression says; nothing if there is none or it says nothing of use. An error ends the check.
    fn message<'a>(&mut self, rule: &'a Rule, mut variables: Variables<'a>) -> Result<Option<String>, String> {
        let Some(program) = &rule.message_program else { return Ok(None) };
        match program.evaluate(&mut variables, &mut self.budget) {
            Ok(value) => {
                let text = value.as_text().unwrap_or_default().trim();
                let usable = !text.is_empty() && text.len() <= MESSAGE_MAX && !text.contains('\n');
                Ok(usable.then(|| text.to_owned()))
            }
            Err(Fault::Error(_) | Fault::Pending(_)) => Ok(None),
            Err(Fault::CallLimit) => Err(format!(
                "no further validation rules will be run due to call cost exceeds limit for messageExpression: {:?}",
                rule.message_expression
            )),
            Err(Fault::ObjectLimit) => {
                Err("messageExpression evaluation failed due to running out of cost budget, no \
                                            further validation rules will be run"
                    .to_owned())
            }
        }
    }
}

// === impl Kept ===

impl<'a> Kept<'a> {
    fn field(self, name: &str, at_root: bool) -> Kept<'a> {
        match self.here {
            // The version of the type does not show a change.
            Some(_) if at_root && matches!(name, "apiVersion" | "kind") => Kept::default(),
            Some(pair) => Kept { here: pair.field(name), above: Some(pair) },
            None => self,
        }
    }

    fn is_unchanged(self) -> bool {
        self.here.or(self.above).is_some_and(Pair::unchanged)
    }
}

fn failure(rule: &Rule, at: String, here: Here<'_>, message: &str) -> Error {
    let value = match here.node.types {
        Types::One(Type::Object | Type::Array) => BadValue::Omitted,
        _ => BadValue::from(here.value),
    };
    match rule.reason.as_str() {
        "FieldValueForbidden" => Error::forbidden(at, message),
        "FieldValueRequired" => Error::required(at, message),
        "FieldValueDuplicate" => Error::duplicate(at, value),
        _ => Error::invalid(at, value, message),
    }
}

fn default_message(rule: &Rule) -> String {
    if rule.message.is_empty() { format!("failed rule: {}", rule.rule.trim()) } else { rule.message.trim().to_owned() }
}

/// The rule as errors of evaluation name it.
fn said(rule: &Rule) -> &str {
    if rule.message.is_empty() { rule.rule.trim() } else { rule.message.trim() }
}

fn type_of(node: &Node) -> &'static str {
    match node.types {
        Types::One(one) => one.text(),
        _ => "",
    }
}

fn written(path: &Path<'_>) -> String {
    if path.is_root() { "<nil>".to_owned() } else { path.to_string() }
}
