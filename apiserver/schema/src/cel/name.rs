//! The names of fields in expressions: those that are no identifiers are written with escapes.

/// Words that CEL keeps for itself.
const RESERVED: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// How expressions write the field `name`; nothing if they cannot.
pub(super) fn escape(name: &str) -> Option<String> {
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if RESERVED.contains(&name) {
        return Some(format!("__{name}__"));
    }
    if !name.chars().all(|one| one.is_ascii_alphanumeric() || "_-./".contains(one)) {
        return None;
    }
    // The underscores first, as the others bring some.
    let escaped = name.replace("__", "\u{0}");
    let escaped = escaped.replace('.', "__dot__").replace('-', "__dash__").replace('/', "__slash__");
    Some(escaped.replace('\u{0}', "__underscores__"))
}

/// The field that expressions write as `escaped`.
pub(super) fn unescape(escaped: &str) -> String {
    let reserved = escaped.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"));
    if let Some(name) = reserved.filter(|name| RESERVED.contains(name)) {
        return name.to_owned();
    }
    let plain = escaped.replace("__underscores__", "\u{0}");
    let plain = plain.replace("__dot__", ".").replace("__dash__", "-").replace("__slash__", "/");
    plain.replace('\u{0}', "__")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_as_kubernetes_escapes_them() {
        for (name, escaped) in [
            ("size", Some("size")),
            ("namespace", Some("__namespace__")),
            ("a-b", Some("a__dash__b")),
            ("a.b/c", Some("a__dot__b__slash__c")),
            ("a__b", Some("a__underscores__b")),
            ("1a", None),
            ("", None),
            ("a b", None),
            ("ä", None),
        ] {
            assert_eq!(escape(name).as_deref(), escaped, "{name}");
        }
    }
}
