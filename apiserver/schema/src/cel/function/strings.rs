//! Text, which is counted in characters, and regular expressions.

use super::{
    Call, Function,
    Kind::{Bool, Int, Text, Texts},
    global, matching, method,
};
use crate::{
    cel::{budget::Fault, value::Val},
    structural::node::Pattern,
};

type Found<'a> = Result<Val<'a>, Fault>;

pub(super) const FUNCTIONS: &[Function] = &[
    method("startsWith", &[Text, Text], Bool, |call| test(call, |text, part| text.starts_with(part))),
    method("endsWith", &[Text, Text], Bool, |call| test(call, |text, part| text.ends_with(part))),
    method("contains", &[Text, Text], Bool, |call| test(call, |text, part| text.contains(part))),
    matching(true, "matches", &[Text, Text], Bool, matches),
    matching(false, "matches", &[Text, Text], Bool, matches),
    matching(true, "find", &[Text, Text], Text, find),
    matching(true, "findAll", &[Text, Text], Texts, find_all),
    matching(true, "findAll", &[Text, Text, Int], Texts, find_all),
    method("charAt", &[Text, Int], Text, char_at),
    method("indexOf", &[Text, Text], Int, |call| position(call, false)),
    method("indexOf", &[Text, Text, Int], Int, |call| position(call, false)),
    method("lastIndexOf", &[Text, Text], Int, |call| position(call, true)),
    method("lastIndexOf", &[Text, Text, Int], Int, |call| position(call, true)),
    method("join", &[Texts], Text, join),
    method("join", &[Texts, Text], Text, join),
    method("lowerAscii", &[Text], Text, |call| change(call, str::to_ascii_lowercase)),
    method("upperAscii", &[Text], Text, |call| change(call, str::to_ascii_uppercase)),
    method("trim", &[Text], Text, |call| change(call, |text| text.trim().to_owned())),
    method("replace", &[Text, Text, Text], Text, replace),
    method("replace", &[Text, Text, Text, Int], Text, replace),
    method("split", &[Text, Text], Texts, split),
    method("split", &[Text, Text, Int], Texts, split),
    method("substring", &[Text, Int], Text, substring),
    method("substring", &[Text, Int, Int], Text, substring),
    global("strings.quote", &[Text], Text, |call| change(call, quote)),
    global("jsonpatch.escapeKey", &[Text], Text, |call| {
        change(call, |text| text.replace('~', "~0").replace('/', "~1"))
    }),
];

/// A text as a literal of an expression.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for one in text.chars() {
        match one {
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            one => quoted.push(one),
        }
    }
    quoted.push('"');
    quoted
}

fn test<'a>(mut call: Call<'a, '_>, holds: fn(&str, &str) -> bool) -> Found<'a> {
    let (text, part) = (call.text(0)?, call.text(1)?);
    Ok(Val::Bool(holds(&text, &part)))
}

fn change<'a>(mut call: Call<'a, '_>, change: fn(&str) -> String) -> Found<'a> {
    let text = call.text(0)?;
    call.made(change(&text))
}

/// Calls `search` with the text and the regular expression, paid for by the size of both.
fn search<'a, T>(call: &mut Call<'a, '_>, search: impl FnOnce(&str, &Pattern) -> T) -> Result<T, Fault> {
    let (text, source) = (call.text(0)?, call.text(1)?);
    call.budget.take((text.len() / 10 + 1).saturating_mul(source.len() / 4 + 1))?;
    match call.pattern {
        Some(pattern) => Ok(search(&text, pattern)),
        // To compile one costs far more than to match.
        None => {
            call.budget.take(source.len().saturating_mul(10) + 1000)?;
            let invalid = |why| Fault::error(format!("error parsing regexp: {why}"));
            Ok(search(&text, &Pattern::new(&source).map_err(invalid)?))
        }
    }
}

fn matches<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    search(&mut call, |text, pattern| pattern.occurs_in(text)).map(Val::Bool)
}

fn find<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let first = |text: &str, pattern: &Pattern| pattern.regex.find(text).map_or("", |found| found.as_str()).to_owned();
    let found = search(&mut call, first)?;
    call.made(found)
}

fn find_all<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let limit = if call.args.len() == 3 { usize::try_from(call.int(2)?).unwrap_or(usize::MAX) } else { usize::MAX };
    let all = |text: &str, pattern: &Pattern| -> Vec<String> {
        pattern.regex.find_iter(text).take(limit).map(|found| found.as_str().to_owned()).collect()
    };
    let found = search(&mut call, all)?;
    call.budget.take(found.len())?;
    Ok(Val::list(found.into_iter().map(Val::text).collect()))
}

fn char_at<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let (text, index) = (call.text(0)?, call.int(1)?);
    let size = text.chars().count();
    match usize::try_from(index) {
        Ok(at) if at < size => Ok(Val::text(text.chars().skip(at).take(1).collect::<String>())),
        Ok(at) if at == size => Ok(Val::text("")),
        _ => Err(Fault::error(format!("index out of range: {index}"))),
    }
}

/// The place of a text in another, in characters; -1 if it is not there.
pub(super) fn position<'a>(mut call: Call<'a, '_>, last: bool) -> Found<'a> {
    let (text, part) = (call.text(0)?, call.text(1)?);
    let size = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let offset = match call.args.get(2) {
        None => None,
        Some(_) => Some(call.int(2)?),
    };
    if let Some(offset) = offset.filter(|offset| !part.is_empty() && !(0..=size).contains(offset)) {
        return Err(Fault::error(format!("index out of range: {offset}")));
    }
    let at = offset.and_then(|offset| text.char_indices().nth(usize::try_from(offset).ok()?)).map(|(at, _)| at);
    let found = match (last, at) {
        (false, None) if offset.is_some() => part.is_empty().then_some(text.len()),
        (false, at) => text[at.unwrap_or_default()..].find(&part).map(|found| found + at.unwrap_or_default()),
        (true, None) => text.rfind(&part),
        // The last one that begins no later than there.
        (true, Some(at)) => {
            (0..=at).rev().find(|start| text.is_char_boundary(*start) && text[*start..].starts_with(&part))
        }
    };
    let index = found.map(|at| i64::try_from(text[..at].chars().count()).unwrap_or(i64::MAX));
    Ok(Val::Int(index.unwrap_or(-1)))
}

fn join<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let items = call.items(0)?;
    let between = if call.args.len() == 2 { call.text(1)? } else { String::new() };
    let mut out = String::new();
    for (index, item) in items.iter().enumerate() {
        let item = item.as_text().ok_or_else(Fault::overload)?;
        let between = if index == 0 { "" } else { &between };
        // Paid for before it is made, as it may become far larger than its parts.
        call.budget.take_text(between.len() + item.len())?;
        out.push_str(between);
        out.push_str(item);
    }
    Ok(Val::text(out))
}

fn replace<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let (text, from, to) = (call.text(0)?, call.text(1)?, call.text(2)?);
    let limit = if call.args.len() == 4 { usize::try_from(call.int(3)?).unwrap_or(usize::MAX) } else { usize::MAX };
    let times = text.matches(from.as_str()).count().min(limit);
    call.budget.take_text(times.saturating_mul(to.len()))?;
    call.made(text.replacen(&from, &to, times))
}

fn split<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let (text, by) = (call.text(0)?, call.text(1)?);
    let limit = if call.args.len() == 3 { usize::try_from(call.int(2)?).unwrap_or(usize::MAX) } else { usize::MAX };
    let parts: Vec<Val<'a>> = match (by.as_str(), limit) {
        (_, 0) => Vec::new(),
        ("", limit) => {
            let ends = text.char_indices().skip(1).map(|(at, _)| at).take(limit - 1).chain([text.len()]);
            let starts = std::iter::once(0).chain(ends.clone());
            starts
                .zip(ends)
                .filter(|(start, end)| start < end)
                .map(|(start, end)| Val::text(&text[start..end]))
                .collect()
        }
        (by, limit) => text.splitn(limit, by).map(Val::text).collect(),
    };
    call.budget.take(parts.len())?;
    Ok(Val::list(parts))
}

fn substring<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let (text, start) = (call.text(0)?, call.int(1)?);
    let size = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let end = if call.args.len() == 3 { call.int(2)? } else { size };
    if start < 0 || start > size {
        return Err(Fault::error(format!("index out of range: {start}")));
    }
    if end < 0 || end > size {
        return Err(Fault::error(format!("index out of range: {end}")));
    }
    if start > end {
        return Err(Fault::error(format!("invalid substring range. start: {start}, end: {end}")));
    }
    let count = |number: i64| usize::try_from(number).unwrap_or_default();
    let part: String = text.chars().skip(count(start)).take(count(end - start)).collect();
    call.made(part)
}
