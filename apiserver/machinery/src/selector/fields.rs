//! Field selectors: `metadata.name=a,metadata.namespace!=b`, with `\` before a `,`, `=` or `\` that belongs to a value.

use std::fmt;

use super::{FieldRequirement, FieldSelector};

// === impl FieldSelector ===

impl FieldSelector {
    /// Parses a selector. The requirements come out sorted. Whether their fields can be selected by is not asked here
    /// but by [`FieldSelector::check`].
    pub fn parse(selector: &str) -> Result<Self, String> {
        let mut terms = split_terms(selector);
        terms.sort_unstable();
        let terms = terms.into_iter().filter(|term| !term.is_empty());
        let requirements = terms.map(|term| requirement(selector, term)).collect::<Result<_, _>>()?;
        Ok(Self { requirements })
    }

    /// Whether an object is selected. `value` gives the values of its fields; a field it does not know is empty.
    pub fn matches<'a>(&self, value: &dyn Fn(&str) -> Option<&'a str>) -> bool {
        let holds =
            |wanted: &FieldRequirement| (value(&wanted.field).unwrap_or_default() == wanted.value) == wanted.equal;
        self.requirements.iter().all(holds)
    }

    /// Fails when a field cannot be selected by.
    pub fn check(&self, supported: impl Fn(&str) -> bool) -> Result<(), String> {
        match self.requirements.iter().find(|requirement| !supported(&requirement.field)) {
            Some(requirement) => Err(format!("field label not supported: {}", requirement.field)),
            None => Ok(()),
        }
    }

    /// The one value that a field must have, when the selector says so: `metadata.name` makes a list a lookup.
    pub fn exact(&self, field: &str) -> Option<&str> {
        let found = self.requirements.iter().find(|requirement| requirement.equal && requirement.field == field);
        found.map(|requirement| requirement.value.as_str())
    }

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }
}

impl fmt::Display for FieldSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{requirement}")?;
        }
        Ok(())
    }
}

// === impl FieldRequirement ===

impl fmt::Display for FieldRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = if self.equal { "=" } else { "!=" };
        let value = self.value.replace('\\', r"\\").replace(',', r"\,").replace('=', r"\=");
        write!(f, "{}{operator}{value}", self.field)
    }
}

/// The parts between commas that no backslash precedes.
fn split_terms(selector: &str) -> Vec<&str> {
    let (mut terms, mut start, mut escaped) = (Vec::new(), 0, false);
    for (at, char) in selector.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                terms.push(&selector[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    terms.push(&selector[start..]);
    terms
}

fn requirement(selector: &str, term: &str) -> Result<FieldRequirement, String> {
    let at = term.char_indices().map(|(at, _)| at);
    let split = at.into_iter().find_map(|at| {
        let operator = ["!=", "==", "="].into_iter().find(|operator| term[at..].starts_with(operator))?;
        Some((&term[..at], operator, &term[at + operator.len()..]))
    });
    let (field, operator, value) =
        split.ok_or_else(|| format!("invalid selector: '{selector}'; can't understand '{term}'"))?;
    Ok(FieldRequirement { field: field.to_owned(), equal: operator != "!=", value: unescape(value)? })
}

fn unescape(value: &str) -> Result<String, String> {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some(char @ ('\\' | ',' | '=')) => text.push(char),
                other => {
                    let other = other.map(String::from).unwrap_or_default();
                    return Err(format!("invalid field selector: invalid escape sequence: \\{other}"));
                }
            },
            // Go prints the character's number.
            ',' | '=' => {
                return Err(format!("invalid field selector: unescaped character in value: {}", u32::from(char)));
            }
            char => text.push(char),
        }
    }
    Ok(text)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn selectors_print_in_one_form_that_parses_to_the_same() {
        let cases = [
            ("", ""),
            (",", ""),
            ("metadata.name=a", "metadata.name=a"),
            ("metadata.namespace!=b,metadata.name==a", "metadata.name=a,metadata.namespace!=b"),
            ("a=", "a="),
            (r"a=x\,y\=z\\", r"a=x\,y\=z\\"),
            ("=x", "=x"),
        ];
        for (text, canonical) in cases {
            let selector = FieldSelector::parse(text).unwrap();
            assert_eq!(selector.to_string(), canonical, "{text}");
            assert_eq!(FieldSelector::parse(canonical).unwrap(), selector, "{text}");
        }
    }

    #[test]
    fn errors_are_kubernetes_own() {
        let cases = [
            ("abc", "invalid selector: 'abc'; can't understand 'abc'"),
            ("a=b,c", "invalid selector: 'a=b,c'; can't understand 'c'"),
            (r"a=\x", r"invalid field selector: invalid escape sequence: \x"),
            (r"a=\", r"invalid field selector: invalid escape sequence: \"),
            ("a=b=c", "invalid field selector: unescaped character in value: 61"),
        ];
        for (text, message) in cases {
            assert_eq!(FieldSelector::parse(text).unwrap_err(), message, "{text}");
        }
        let selector = FieldSelector::parse("metadata.name=a,spec.size=1").unwrap();
        let error = selector.check(|field| field == "metadata.name").unwrap_err();
        assert_eq!(error, "field label not supported: spec.size");
        assert_eq!(selector.check(|_| true), Ok(()));
    }

    #[test]
    fn requirements_compare_values() {
        let object = |field: &str| match field {
            "metadata.name" => Some("a"),
            "metadata.namespace" => Some("default"),
            _ => None,
        };
        let cases = [
            ("", true),
            ("metadata.name=a", true),
            ("metadata.name=b", false),
            ("metadata.name!=b", true),
            ("metadata.name=a,metadata.namespace!=default", false),
            ("spec.missing=", true),
            ("spec.missing!=x", true),
        ];
        for (selector, matches) in cases {
            assert_eq!(FieldSelector::parse(selector).unwrap().matches(&object), matches, "{selector}");
        }
    }

    #[test]
    fn an_exact_value_is_found() {
        let selector = FieldSelector::parse("metadata.name=a,metadata.namespace!=b").unwrap();
        assert_eq!(selector.exact("metadata.name"), Some("a"));
        assert_eq!(selector.exact("metadata.namespace"), None);
    }
}
