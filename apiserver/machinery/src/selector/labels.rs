//! Label selectors: their grammar, what they match and how they print.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    LabelSelector, Operator, Requirement,
    lexer::{Kind, Token, tokens},
};
use crate::{field, name};

// === impl LabelSelector ===

impl LabelSelector {
    /// Parses a selector. The requirements come out sorted by key, their values sorted and each once.
    pub fn parse(selector: &str) -> Result<Self, String> {
        let mut parser = Parser { tokens: tokens(selector), at: 0 };
        let mut requirements = parser.selector()?;
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Self { requirements })
    }

    /// Whether an object with these labels is selected.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.requirements.iter().all(|requirement| requirement.matches(labels))
    }

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{requirement}")?;
        }
        Ok(())
    }
}

// === impl Requirement ===

impl Requirement {
    /// Whether the requirement holds for these labels.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        match self.operator {
            Operator::In => value.is_some_and(|value| self.values.contains(value)),
            Operator::NotIn => value.is_none_or(|value| !self.values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::GreaterThan => self.compares(value, |value, bound| value > bound),
            Operator::LessThan => self.compares(value, |value, bound| value < bound),
        }
    }

    fn compares(&self, value: Option<&String>, holds: fn(i64, i64) -> bool) -> bool {
        let number = |text: &String| text.parse::<i64>().ok();
        match (value.and_then(number), self.values.as_slice()) {
            (Some(value), [bound]) => number(bound).is_some_and(|bound| holds(value, bound)),
            _ => false,
        }
    }

    fn validate(&self) -> Result<(), String> {
        let mut errors = field::ErrorList::new();
        let path = field::Path::new("values");
        for (index, value) in self.values.iter().enumerate() {
            let numeric = matches!(self.operator, Operator::GreaterThan | Operator::LessThan);
            if numeric && value.parse::<i64>().is_err() {
                let detail = "for 'Gt', 'Lt' operators, the value must be an integer";
                errors.push(field::Error::invalid(path.index(index), value.as_str(), detail));
            }
        }
        for (index, value) in self.values.iter().enumerate() {
            let problems = name::label_value(value);
            if !problems.is_empty() {
                let path = path.index(index).key(&self.key);
                errors.push(field::Error::invalid(path, value.as_str(), &problems.join("; ")));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(field::aggregate(&errors)) }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, values) = (&self.key, self.values.join(","));
        match (self.operator, self.values.len()) {
            (Operator::In, 1) => write!(f, "{key}={values}"),
            (Operator::NotIn, 1) => write!(f, "{key}!={values}"),
            (Operator::In, _) => write!(f, "{key} in ({values})"),
            (Operator::NotIn, _) => write!(f, "{key} notin ({values})"),
            (Operator::Exists, _) => f.write_str(key),
            (Operator::DoesNotExist, _) => write!(f, "!{key}"),
            (Operator::GreaterThan, _) => write!(f, "{key}>{values}"),
            (Operator::LessThan, _) => write!(f, "{key}<{values}"),
        }
    }
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
}

// === impl Parser ===

impl<'a> Parser<'a> {
    fn selector(&mut self) -> Result<Vec<Requirement>, String> {
        let mut requirements = Vec::new();
        if self.peek().kind == Kind::End {
            return Ok(requirements);
        }
        if !self.begins_requirement() {
            return Err(format!("found '{}', expected: !, identifier, or 'end of string'", self.peek().text));
        }
        loop {
            let requirement = self.requirement();
            requirements.push(requirement.map_err(|error| format!("unable to parse requirement: {error}"))?);
            let token = self.next();
            match token.kind {
                Kind::End => return Ok(requirements),
                Kind::Comma if self.begins_requirement() => {}
                Kind::Comma => return Err(format!("found '{}', expected: identifier after ','", self.peek().text)),
                _ => return Err(format!("found '{}', expected: ',' or 'end of string'", token.text)),
            }
        }
    }

    fn begins_requirement(&self) -> bool {
        matches!(self.peek().kind, Kind::Identifier | Kind::In | Kind::NotIn | Kind::Not)
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let not = self.peek().kind == Kind::Not;
        self.at += usize::from(not);
        let key = self.identifier()?.to_owned();
        let problems = name::qualified(&key);
        if !problems.is_empty() {
            // Go prints the path that it has none of.
            return Err(field::Error::invalid("<nil>", key, &problems.join("; ")).to_string());
        }
        if not {
            return Ok(Requirement { key, operator: Operator::DoesNotExist, values: Vec::new() });
        }
        if matches!(self.peek().kind, Kind::End | Kind::Comma) {
            return Ok(Requirement { key, operator: Operator::Exists, values: Vec::new() });
        }
        let (operator, set) = self.operator()?;
        let values = if set { self.set()? } else { BTreeSet::from([self.exact_value()?]) };
        let values = values.into_iter().map(str::to_owned).collect();
        let requirement = Requirement { key, operator, values };
        requirement.validate()?;
        Ok(requirement)
    }

    /// The operator, and whether it takes a set.
    fn operator(&mut self) -> Result<(Operator, bool), String> {
        let token = self.next();
        match token.kind {
            Kind::In => Ok((Operator::In, true)),
            Kind::NotIn => Ok((Operator::NotIn, true)),
            Kind::Equals | Kind::DoubleEquals => Ok((Operator::In, false)),
            Kind::NotEquals => Ok((Operator::NotIn, false)),
            Kind::Greater => Ok((Operator::GreaterThan, false)),
            Kind::Less => Ok((Operator::LessThan, false)),
            _ => Err(format!("found '{}', expected: in, notin, =, ==, !=, gt, lt", token.text)),
        }
    }

    /// `key=` compares with the empty value.
    fn exact_value(&mut self) -> Result<&'a str, String> {
        if matches!(self.peek().kind, Kind::End | Kind::Comma) { Ok("") } else { self.identifier() }
    }

    fn set(&mut self) -> Result<BTreeSet<&'a str>, String> {
        let token = self.next();
        if token.kind != Kind::Open {
            return Err(format!("found '{}' expected: '('", token.text));
        }
        match self.peek().kind {
            Kind::Identifier | Kind::In | Kind::NotIn | Kind::Comma => self.set_values(),
            Kind::Close => {
                self.at += 1;
                Ok(BTreeSet::from([""]))
            }
            _ => Err(format!("found '{}', expected: ',', ')' or identifier", self.peek().text)),
        }
    }

    /// Values separated by commas; where there is none before, between or after commas, the empty value is meant.
    fn set_values(&mut self) -> Result<BTreeSet<&'a str>, String> {
        let mut values = BTreeSet::new();
        loop {
            let token = self.next();
            let following = self.peek();
            match (token.kind, following.kind) {
                (Kind::Identifier | Kind::In | Kind::NotIn, Kind::Comma | Kind::Close) => {
                    values.insert(token.text);
                }
                (Kind::Identifier | Kind::In | Kind::NotIn, _) => {
                    return Err(format!("found '{}', expected: ',' or ')'", following.text));
                }
                (Kind::Comma, following) => {
                    if values.is_empty() || matches!(following, Kind::Close | Kind::Comma) {
                        values.insert("");
                    }
                }
                _ => return Err(format!("found '{}', expected: ',', or identifier", token.text)),
            }
            if following.kind == Kind::Close {
                self.at += 1;
                return Ok(values);
            }
        }
    }

    /// `in` and `notin` are keys and values too.
    fn identifier(&mut self) -> Result<&'a str, String> {
        let token = self.next();
        match token.kind {
            Kind::Identifier | Kind::In | Kind::NotIn => Ok(token.text),
            _ => Err(format!("found '{}', expected: identifier", token.text)),
        }
    }

    fn peek(&self) -> Token<'a> {
        self.tokens.get(self.at).copied().unwrap_or(Token { kind: Kind::End, text: "" })
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.at += 1;
        token
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn selectors_print_in_one_form_that_parses_to_the_same() {
        let cases = [
            ("", ""),
            (" ", ""),
            ("a", "a"),
            ("!a", "!a"),
            ("! a", "!a"),
            ("b=1,a==2", "a=2,b=1"),
            ("a != x", "a!=x"),
            ("a=", "a="),
            ("a=,b", "a=,b"),
            ("a in (c,b,c)", "a in (b,c)"),
            ("a notin (x)", "a!=x"),
            ("a in ()", "a="),
            ("a in (,)", "a="),
            ("a in (x,,y)", "a in (,x,y)"),
            ("a in (,x)", "a in (,x)"),
            ("a in (x,)", "a in (,x)"),
            ("in in (in,notin)", "in in (in,notin)"),
            ("notin", "notin"),
            ("n>5,m<10", "m<10,n>5"),
            ("example.com/a=b", "example.com/a=b"),
            ("a\t=\nb\0garbage", "a=b"),
        ];
        for (text, canonical) in cases {
            let selector = LabelSelector::parse(text).unwrap();
            assert_eq!(selector.to_string(), canonical, "{text}");
            assert_eq!(LabelSelector::parse(canonical).unwrap(), selector, "{text}");
        }
    }

    #[test]
    fn errors_say_what_was_found_and_what_was_expected() {
        let value = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
        let key = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
        let cases = [
            ("a b c", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt".to_owned()),
            ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt".to_owned()),
            ("a=$$", format!("unable to parse requirement: values[0][a]: Invalid value: \"$$\": {value}")),
            ("n>abc", "unable to parse requirement: values[0]: Invalid value: \"abc\": for 'Gt', 'Lt' operators, the value must be an integer".to_owned()),
            ("n>-5", format!("unable to parse requirement: values[0][n]: Invalid value: \"-5\": {value}")),
            ("$$=1", format!("unable to parse requirement: <nil>: Invalid value: \"$$\": {key}")),
            ("=a", "found '=', expected: !, identifier, or 'end of string'".to_owned()),
            ("a,", "found '', expected: identifier after ','".to_owned()),
            ("a,=", "found '=', expected: identifier after ','".to_owned()),
            ("a=b c", "found 'c', expected: ',' or 'end of string'".to_owned()),
            ("!a=b", "found '=', expected: ',' or 'end of string'".to_owned()),
            ("!!a", "unable to parse requirement: found '!', expected: identifier".to_owned()),
            ("a==!b", "unable to parse requirement: found '!', expected: identifier".to_owned()),
            ("a in b", "unable to parse requirement: found 'b' expected: '('".to_owned()),
            ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'".to_owned()),
            ("a in (=)", "unable to parse requirement: found '=', expected: ',', ')' or identifier".to_owned()),
            ("a in (b,=)", "unable to parse requirement: found '=', expected: ',', or identifier".to_owned()),
            ("a in (,", "unable to parse requirement: found '', expected: ',', or identifier".to_owned()),
        ];
        for (text, message) in cases {
            assert_eq!(LabelSelector::parse(text).unwrap_err(), message, "{text}");
        }
    }

    #[test]
    fn requirements_hold_as_in_kubernetes() {
        let object = labels(&[("a", "1"), ("b", ""), ("n", "7"), ("x", "word")]);
        let cases = [
            ("", true),
            ("a=1", true),
            ("a=2", false),
            ("a!=2", true),
            ("missing!=2", true),
            ("missing=2", false),
            ("a in (1,2)", true),
            ("missing in (1)", false),
            ("a notin (1,2)", false),
            ("missing notin (1)", true),
            ("a", true),
            ("missing", false),
            ("!missing", true),
            ("!a", false),
            ("b=", true),
            ("b in ()", true),
            ("n>6", true),
            ("n>7", false),
            ("n<8", true),
            ("missing<8", false),
            ("x>1", false),
            ("a=1,n>6,!missing", true),
            ("a=1,n>7", false),
        ];
        for (selector, matches) in cases {
            assert_eq!(LabelSelector::parse(selector).unwrap().matches(&object), matches, "{selector}");
        }
    }

    #[test]
    fn long_selectors_are_parsed_without_recursion() {
        let long = vec!["a=b"; 100_000].join(",");
        assert_eq!(LabelSelector::parse(&long).unwrap().requirements.len(), 100_000);
        assert!(LabelSelector::parse(&"(".repeat(1_000_000)).is_err());
    }
}
