//! Parsing paths. The position moves through the text from step to step; each function takes what is left of it and
//! gives back what is left after it.

use serde_json::Value;

use super::{End, Filter, Operand, Slice, Step, compare::Operator};

/// Characters that end a name.
const ENDS: [char; 12] = [' ', '\t', '\r', '\n', '.', ',', '[', ']', '$', '@', '{', '}'];

/// Parses all of the text.
pub(super) fn steps(text: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        rest = step(rest, &mut steps)?;
    }
    Ok(steps)
}

fn step<'a>(rest: &'a str, steps: &mut Vec<Step>) -> Result<&'a str, String> {
    if let Some(filter) = rest.strip_prefix("[?(") {
        return self::filter(filter, steps);
    }
    if let Some(after) = rest.strip_prefix("..") {
        return descend(after, steps);
    }
    match rest.split_at(rest.chars().next().map_or(0, char::len_utf8)) {
        (" " | "@" | "$", after) => Ok(after),
        (".", after) => Ok(name(after, steps)),
        ("[", after) => brackets(after, steps),
        (other, _) => Err(format!("unrecognized character in action: {other:?}")),
    }
}

fn descend<'a>(after: &'a str, steps: &mut Vec<Step>) -> Result<&'a str, String> {
    if steps.last() == Some(&Step::Descend) {
        return Err("invalid multiple recursive descent".to_owned());
    }
    steps.push(Step::Descend);
    let named = after.starts_with(|char: char| char == '_' || char.is_alphanumeric());
    Ok(if named { name(after, steps) } else { after })
}

/// A name, in which a backslash takes away the meaning of the next character.
fn name<'a>(rest: &'a str, steps: &mut Vec<Step>) -> &'a str {
    let mut name = String::new();
    let mut chars = rest.char_indices();
    let end = loop {
        match chars.next() {
            None => break rest.len(),
            Some((_, '\\')) => name.extend(chars.next().map(|(_, escaped)| escaped)),
            Some((index, char)) if ENDS.contains(&char) => break index,
            Some((_, char)) => name.push(char),
        }
    };
    steps.push(if &rest[..end] == "*" { Step::All } else { Step::Field(name) });
    &rest[end..]
}

fn brackets<'a>(rest: &'a str, steps: &mut Vec<Step>) -> Result<&'a str, String> {
    let (inner, after) = rest.split_once(']').ok_or("unterminated array")?;
    let parts: Vec<&str> = inner.split(',').collect();
    if let [part] = parts.as_slice() {
        steps.extend(bracket(part)?);
    } else {
        let paths = parts.iter().map(|part| bracket(part.trim_matches(' '))).collect::<Result<_, _>>()?;
        steps.push(Step::Union(paths));
    }
    Ok(after)
}

/// A quoted name, which is read like one after a dot; or positions.
fn bracket(text: &str) -> Result<Vec<Step>, String> {
    let quoted = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    match quoted.filter(|name| !name.contains('\'')) {
        Some(name) => steps(&format!(".{name}")),
        None => slice(if text == "*" { ":" } else { text }).map(|slice| vec![Step::Slice(slice)]),
    }
}

fn slice(text: &str) -> Result<Slice, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let position = |index: usize| match parts.get(index) {
        None | Some(&"") => Ok(None),
        Some(part) => match part.parse().ok().filter(|_| !part.starts_with('+')) {
            Some(position) => Ok(Some(position)),
            None => Err(format!("invalid array index {text}")),
        },
    };
    let end = match position(1)? {
        _ if parts.len() == 1 => End::Single,
        Some(end) => End::At(end),
        None => End::Open,
    };
    if parts.len() > 3 {
        return Err(format!("invalid array index {text}"));
    }
    Ok(Slice { start: position(0)?, end, step: position(2)? })
}

fn filter<'a>(rest: &'a str, steps: &mut Vec<Step>) -> Result<&'a str, String> {
    let end = filter_end(rest).ok_or("unterminated filter")?;
    let after = rest[end + 1..].strip_prefix(']').ok_or("unclosed array expect ]")?;
    let inner = &rest[..end];
    let is_operator = |char: char| matches!(char, '!' | '<' | '>' | '=');
    let filter = match inner.find(is_operator).filter(|start| *start > 0) {
        None => Filter::Has(self::steps(inner)?),
        Some(start) => {
            let (left, rest) = inner.split_at(start);
            let (operator, right) = rest.split_at(rest.find(|char| !is_operator(char)).unwrap_or(rest.len()));
            let parsed = Operator::parse(operator).ok_or_else(|| format!("unrecognized filter operator {operator}"))?;
            Filter::Holds(operand(left)?, parsed, operand(right)?)
        }
    };
    steps.push(Step::Filter(filter));
    Ok(after)
}

/// Where the parenthesis is closed that is not in quotes.
fn filter_end(rest: &str) -> Option<usize> {
    let mut quote = None;
    let mut before = ' ';
    for (index, char) in rest.char_indices() {
        match (quote, char) {
            (None, ')') => return Some(index),
            (None, '"' | '\'') => quote = Some(char),
            (Some(open), char) if char == open && before != '\\' => quote = None,
            _ => {}
        }
        before = char;
    }
    None
}

fn operand(text: &str) -> Result<Operand, String> {
    let text = text.trim_matches(' ');
    let literal = match text {
        "true" | "false" => Value::from(text == "true"),
        _ if text.starts_with(['"', '\'']) => Value::from(quoted(text)?),
        _ if text.starts_with(['.', '@', '$', '[']) => return steps(text).map(Operand::Path),
        _ => number(text).ok_or_else(|| format!("unrecognized identifier {text}"))?,
    };
    Ok(Operand::Literal(literal))
}

fn number(text: &str) -> Option<Value> {
    let well_formed = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'+' | b'-'));
    let integer = || text.parse::<i64>().ok().map(Value::from);
    integer().or_else(|| text.parse::<f64>().ok().map(Value::from)).filter(|_| well_formed)
}

fn quoted(text: &str) -> Result<String, String> {
    let invalid = || format!("unquote string {text} error invalid syntax");
    let quote = &text[..1];
    let inner = text[1..].strip_suffix(quote).ok_or_else(invalid)?;
    let mut plain = String::new();
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        plain.push(match char {
            '\\' => match chars.next().ok_or_else(invalid)? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                escaped @ ('\\' | '"' | '\'') => escaped,
                _ => return Err(invalid()),
            },
            char if quote.contains(char) => return Err(invalid()),
            char => char,
        });
    }
    Ok(plain)
}
