//! `format`: a template with values.

use super::{
    Call, Function,
    Kind::{List, Text},
    method,
};
use crate::cel::{budget::Fault, value::Val};

pub(super) const FUNCTIONS: &[Function] = &[method("format", &[Text, List], Text, format)];

/// Whether a template holds verbs that are supported alone: `%s`, `%d` and `%%`.
pub(in crate::cel) fn check_template(template: &str) -> Result<(), String> {
    let mut rest = template.split('%').skip(1);
    while let Some(after) = rest.next() {
        match after.chars().next() {
            Some('s' | 'd') => {}
            None => drop(rest.next().ok_or("the template of format() ends with %")?),
            Some(verb) => return Err(format!("the verb '%{verb}' of format() is not supported")),
        }
    }
    Ok(())
}

fn format<'a>(mut call: Call<'a, '_>) -> Result<Val<'a>, Fault> {
    let (template, values) = (call.text(0)?, call.items(1)?);
    let mut values = values.into_iter();
    let (mut out, mut chars) = (String::new(), template.chars());
    while let Some(one) = chars.next() {
        if one != '%' {
            out.push(one);
            continue;
        }
        let verb = chars.next();
        if verb == Some('%') {
            out.push('%');
            continue;
        }
        let value = values.next().ok_or_else(|| Fault::error("index out of range"))?;
        match (verb, &value) {
            (Some('s'), Val::Text(text)) => out.push_str(text.as_str()),
            (Some('s'), Val::Bool(value)) => out.push_str(&value.to_string()),
            (Some('s'), Val::Null) => out.push_str("null"),
            (Some('s' | 'd'), Val::Int(value)) => out.push_str(&value.to_string()),
            _ => return Err(Fault::error("could not format the value")),
        }
        call.budget.take_text(out.len())?;
    }
    call.made(out)
}
