//! Compiling the rules of a schema, and what must hold of their other parts.

use std::sync::Arc;

use machinery::field::Error;

use super::node::{Additional, List, Node, Rule};
use crate::{
    cel::{OldSelf, Program},
    path::Path,
};

/// The reasons that rules may give.
const REASONS: [&str; 4] = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/// Compiles all rules of a schema.
pub(super) fn compile(root: &mut Node, path: &Path<'_>, problems: &mut Vec<Error>) {
    Place { path, root: true, loose: None }.compile(root, problems);
}

/// Where a part of the schema stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a Path<'a>,
    root: bool,
    /// The part above whose values have no old ones to correspond to.
    loose: Option<&'a Path<'a>>,
}

// === impl Place ===

impl Place<'_> {
    fn compile(self, node: &mut Node, problems: &mut Vec<Error>) {
        let list = self.path.field("x-kubernetes-validations");
        let mut rules = std::mem::take(&mut node.rules);
        for (index, rule) in rules.iter_mut().enumerate() {
            let path = list.index(index);
            declared(rule, node, &path, problems);
            self.expressions(rule, node, &path, problems);
        }
        node.rules = rules;
        node.ruled = self.below(node, problems) || !node.rules.is_empty();
    }

    fn below(self, node: &mut Node, problems: &mut Vec<Error>) -> bool {
        let properties = self.path.field("properties");
        let mut ruled = false;
        for (name, property) in &mut node.properties {
            let path = properties.key(name);
            Place { path: &path, root: false, ..self }.compile(property, problems);
            ruled |= property.ruled;
        }
        if let Some(item) = &mut node.items {
            let path = self.path.field("items");
            let corresponds = matches!(node.list, List::Map(_));
            let loose = self.loose.or((!corresponds).then_some(self.path));
            Place { path: &path, root: false, loose }.compile(item, problems);
            ruled |= item.ruled;
        }
        if let Some(Additional::Like(entry)) = &mut node.additional {
            let path = self.path.field("additionalProperties");
            Place { path: &path, root: false, ..self }.compile(entry, problems);
            ruled |= entry.ruled;
        }
        ruled
    }

    fn expressions(self, rule: &mut Rule, node: &Node, path: &Path<'_>, problems: &mut Vec<Error>) {
        if rule.rule.trim().is_empty() {
            return;
        }
        let old = if rule.optional_old_self == Some(true) { OldSelf::Optional } else { OldSelf::Value };
        match Program::rule(&rule.rule, node, self.root, old) {
            Ok(program) => rule.program = Some(Arc::new(program)),
            Err(why) => problems.push(refusal(path.field("rule"), &rule.rule, &why)),
        }
        if !rule.message_expression.trim().is_empty() {
            match Program::message(&rule.message_expression, node, self.root, old) {
                Ok(program) => rule.message_program = Some(Arc::new(program)),
                Err(why) => problems.push(refusal(path.field("messageExpression"), &rule.message_expression, &why)),
            }
        }
        self.transition(rule, path, problems);
    }

    fn transition(self, rule: &Rule, path: &Path<'_>, problems: &mut Vec<Error>) {
        let Some(program) = &rule.program else { return };
        if let Some(loose) = self.loose.filter(|_| program.uses_old_self()) {
            let detail = format!("oldSelf cannot be used on the uncorrelatable portion of the schema within {loose}");
            problems.push(Error::invalid(path.field("rule"), rule.rule.as_str(), &detail));
        }
        if let Some(optional) = rule.optional_old_self.filter(|_| !program.uses_old_self()) {
            let detail = "may not be set if oldSelf is not used in rule";
            problems.push(Error::invalid(path.field("optionalOldSelf"), optional, detail));
        }
    }
}

fn refusal(at: Path<'_>, text: &str, why: &str) -> Error {
    Error::invalid(at, text, &format!("compilation failed: {why}"))
}

/// Checks all of a rule but its expressions.
fn declared(rule: &mut Rule, node: &Node, path: &Path<'_>, problems: &mut Vec<Error>) {
    let (text, message) = (rule.rule.trim(), rule.message.trim());
    if text.is_empty() {
        problems.push(Error::required(path.field("rule"), "rule is not specified"));
    } else if !rule.message.is_empty() && message.is_empty() {
        let detail = "must be non-empty if specified";
        problems.push(Error::invalid(path.field("message"), rule.message.as_str(), detail));
    } else if message.contains('\n') {
        problems.push(Error::invalid(path.field("message"), rule.message.as_str(), "must not contain line breaks"));
    } else if text.contains('\n') && message.is_empty() {
        let detail = "message must be specified if rule contains line breaks";
        problems.push(Error::required(path.field("message"), detail));
    }
    if !rule.message_expression.is_empty() && rule.message_expression.trim().is_empty() {
        let detail = "messageExpression must be non-empty if specified";
        problems.push(Error::required(path.field("messageExpression"), detail));
    }
    if !rule.reason.is_empty() && !REASONS.contains(&rule.reason.as_str()) {
        problems.push(Error::not_supported(path.field("reason"), rule.reason.as_str(), REASONS));
    }
    if !rule.field_path.is_empty() {
        match field_path(&rule.field_path, node) {
            Some(written) => rule.field_path = written,
            None => {
                let at = path.field("fieldPath");
                problems.push(Error::invalid(at, rule.field_path.as_str(), "must be a valid path"));
            }
        }
    }
}

/// The field below `node` that a JSON path of names and quoted keys names, as errors write it.
fn field_path(text: &str, node: &Node) -> Option<String> {
    let (mut rest, mut node, mut written) = (text, node, String::new());
    while !rest.is_empty() {
        let name;
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[', ']']).unwrap_or(after.len());
            (name, rest) = (after[..end].to_owned(), &after[end..]);
        } else {
            (name, rest) = quoted(rest.strip_prefix("['")?)?;
        }
        let named = !node.properties.is_empty();
        match (named, written.is_empty()) {
            (true, true) => written.push_str(&name),
            (true, false) => written.extend([".", &name]),
            (false, _) => written.extend(["[", &name, "]"]),
        }
        node = node.entry(&name)?;
    }
    Some(written)
}

/// The text up to `']`, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let (mut out, mut chars) = (String::new(), text.char_indices());
    while let Some((at, one)) = chars.next() {
        match one {
            '\'' => return Some((out, text[at + 1..].strip_prefix(']')?)),
            '\\' => out.push(match chars.next()?.1 {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                same @ ('\'' | '\\') => same,
                _ => return None,
            }),
            one => out.push(one),
        }
    }
    None
}
