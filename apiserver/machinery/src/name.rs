//! Names: what they may look like, and how the server makes them.
//!
//! Each check answers with what is wrong, in Kubernetes' words; an empty answer is a valid name. Kubernetes counts the
//! length of names in "characters" and that of label keys and values in "bytes"; both are bytes.

const SUBDOMAIN_MAX: usize = 253;
const LABEL_MAX: usize = 63;
/// A generated name stays a DNS label.
const GENERATED_PREFIX_MAX: usize = LABEL_MAX - GENERATED_LEN;
const GENERATED_LEN: usize = 5;
/// No vowels, so that no words come out, and nothing that is easily misread.
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

const LABEL_REGEX: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_REGEX: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const KEY_REGEX: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

/// What is wrong with a lowercase DNS subdomain, which object names are.
pub fn dns1123_subdomain(name: &str) -> Vec<String> {
    subdomain(name, "characters")
}

/// What is wrong with a lowercase DNS label, which namespaces are.
pub fn dns1123_label(name: &str) -> Vec<String> {
    let mut problems = Vec::from_iter(too_long(name, LABEL_MAX, "characters"));
    if !is_label(name) {
        problems.push(match is_subdomain(name) {
            true => "must not contain dots".to_owned(),
            false => format!(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start \
                 and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
                 '{LABEL_REGEX}')"
            ),
        });
    }
    problems
}

/// What is wrong with the prefix of a name: as for the name, but a dash may end it.
pub fn prefix(prefix: &str, check: fn(&str) -> Vec<String>) -> Vec<String> {
    match prefix.strip_suffix('-') {
        // Go masks the dash and what is before it; what remains is judged.
        Some(rest) if !rest.is_empty() => {
            let mut masked: String = rest.to_owned();
            masked.pop();
            masked.push('a');
            check(&masked)
        }
        _ => check(prefix),
    }
}

/// What is wrong with a qualified name, which label keys, annotation keys and finalizers are: `[prefix/]name`.
pub fn qualified(key: &str) -> Vec<String> {
    let regex = format!(
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric \
         character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{KEY_REGEX}')"
    );
    let mut problems = Vec::new();
    let name = match key.split('/').collect::<Vec<_>>().as_slice() {
        [name] => *name,
        ["", name] => {
            problems.push("prefix part must be non-empty".to_owned());
            name
        }
        [prefix, name] => {
            problems.extend(subdomain(prefix, "bytes").iter().map(|problem| format!("prefix part {problem}")));
            name
        }
        _ => {
            let hint = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            return vec![format!("a valid label key {regex} {hint}")];
        }
    };
    if name.is_empty() {
        problems.push("name part must be non-empty".to_owned());
    }
    problems.extend(too_long(name, LABEL_MAX, "bytes").map(|problem| format!("name part {problem}")));
    if !is_key(name) {
        problems.push(format!("name part {regex}"));
    }
    problems
}

/// What is wrong with a label's value.
pub fn label_value(value: &str) -> Vec<String> {
    let mut problems = Vec::from_iter(too_long(value, LABEL_MAX, "bytes"));
    if !value.is_empty() && !is_key(value) {
        problems.push(format!(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must \
             start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for \
             validation is '({KEY_REGEX})?')"
        ));
    }
    problems
}

/// What is wrong with a name as a segment of a path, if anything.
pub fn path_segment(name: &str) -> Option<String> {
    if matches!(name, "." | "..") {
        return Some(format!("may not be '{name}'"));
    }
    let illegal = ["/", "%"].into_iter().filter(|illegal| name.contains(illegal));
    let problems: Vec<_> = illegal.map(|illegal| format!("may not contain '{illegal}'")).collect();
    (!problems.is_empty()).then(|| problems.join(";"))
}

/// A name that begins with `prefix`, cut so that the whole is at most 63 bytes, and ends with 5 random characters.
///
/// `random` fills its argument with random bytes.
pub fn generate_name(prefix: &str, random: &mut dyn FnMut(&mut [u8])) -> String {
    let mut name = prefix[..prefix.floor_char_boundary(GENERATED_PREFIX_MAX)].to_owned();
    let end = name.len() + GENERATED_LEN;
    while name.len() < end {
        let mut byte = [0];
        random(&mut byte);
        // 243 is the largest multiple of 27 in a byte: beyond it the first letters would come more often.
        if byte[0] < 243 {
            name.push(char::from(ALPHABET[usize::from(byte[0]) % ALPHABET.len()]));
        }
    }
    name
}

fn subdomain(name: &str, unit: &str) -> Vec<String> {
    let mut problems = Vec::from_iter(too_long(name, SUBDOMAIN_MAX, unit));
    if !is_subdomain(name) {
        problems.push(format!(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
             start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
             '{SUBDOMAIN_REGEX}')"
        ));
    }
    problems
}

fn too_long(text: &str, max: usize, unit: &str) -> Option<String> {
    (text.len() > max).then(|| format!("must be no more than {max} {unit}"))
}

fn is_subdomain(name: &str) -> bool {
    name.split('.').all(is_label)
}

fn is_label(name: &str) -> bool {
    let edge = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    spans(name, edge, |byte| edge(byte) || byte == b'-')
}

fn is_key(name: &str) -> bool {
    spans(name, |byte| byte.is_ascii_alphanumeric(), |byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Whether `name` begins and ends with an `edge` and is of `inner` throughout.
fn spans(name: &str, edge: impl Fn(u8) -> bool, inner: impl Fn(u8) -> bool) -> bool {
    let bytes = name.as_bytes();
    bytes.first().is_some_and(|byte| edge(*byte))
        && bytes.last().is_some_and(|byte| edge(*byte))
        && bytes.iter().all(|byte| inner(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBDOMAIN: &str = r"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
    const KEY: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

    fn texts(problems: &[&str]) -> Vec<String> {
        problems.iter().map(|problem| (*problem).to_owned()).collect()
    }

    #[test]
    fn object_names_are_subdomains() {
        for name in ["a", "0", "a-b.c9", "a.b.c", &"a".repeat(253)] {
            assert!(dns1123_subdomain(name).is_empty(), "{name}");
        }
        for name in ["", "Bad_Name", "-a", "a-", "a..b", ".a", "a.", "é", "a b"] {
            assert_eq!(dns1123_subdomain(name), texts(&[SUBDOMAIN]), "{name}");
        }
        assert_eq!(dns1123_subdomain(&"a".repeat(254)), texts(&["must be no more than 253 characters"]));
    }

    #[test]
    fn namespaces_are_labels() {
        assert!(dns1123_label("kube-system").is_empty());
        assert_eq!(dns1123_label("a.b"), texts(&["must not contain dots"]));
        assert_eq!(dns1123_label("A"), texts(&[LABEL]));
        assert_eq!(dns1123_label(&"a".repeat(64)), texts(&["must be no more than 63 characters"]));
    }

    #[test]
    fn prefixes_may_end_with_a_dash() {
        for valid in ["gen-", "a", "ab-", "a-"] {
            assert!(prefix(valid, dns1123_subdomain).is_empty(), "{valid}");
        }
        for invalid in ["-", "A-b-", "_"] {
            assert_eq!(prefix(invalid, dns1123_subdomain), texts(&[SUBDOMAIN]), "{invalid}");
        }
    }

    #[test]
    fn keys_have_a_name_and_may_have_a_prefix() {
        for key in ["a", "A_b.c-9", "example.com/MyName", &format!("{}/{}", "p".repeat(253), "n".repeat(63))] {
            assert!(qualified(key).is_empty(), "{key}");
        }
        let (name, prefix) = (format!("name part {KEY}"), format!("prefix part {SUBDOMAIN}"));
        let slashes = format!(
            "a valid label key {KEY} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        );
        let cases = [
            ("$$".to_owned(), texts(&[&name])),
            (String::new(), texts(&["name part must be non-empty", &name])),
            ("a/".to_owned(), texts(&["name part must be non-empty", &name])),
            ("/a".to_owned(), texts(&["prefix part must be non-empty"])),
            ("A/a".to_owned(), texts(&[&prefix])),
            ("a/b/c".to_owned(), texts(&[&slashes])),
            ("n".repeat(64), texts(&["name part must be no more than 63 bytes"])),
            (format!("{}/a", "p".repeat(254)), texts(&["prefix part must be no more than 253 bytes"])),
        ];
        for (key, problems) in cases {
            assert_eq!(qualified(&key), problems, "{key}");
        }
    }

    #[test]
    fn label_values_may_be_empty() {
        for value in ["", "a", "1.2_3-X"] {
            assert!(label_value(value).is_empty(), "{value}");
        }
        assert_eq!(label_value("$$"), texts(&[VALUE]));
        assert_eq!(label_value(&"v".repeat(64)), texts(&["must be no more than 63 bytes"]));
    }

    #[test]
    fn path_segments_lead_nowhere_else() {
        assert_eq!(path_segment("a.b"), None);
        assert_eq!(path_segment("..").as_deref(), Some("may not be '..'"));
        assert_eq!(path_segment(".").as_deref(), Some("may not be '.'"));
        assert_eq!(path_segment("a/b%").as_deref(), Some("may not contain '/';may not contain '%'"));
    }

    #[test]
    fn generated_names_are_labels_of_fair_letters() {
        let mut next = 0_u8;
        let mut count = |bytes: &mut [u8]| {
            for byte in bytes {
                next = next.wrapping_add(1);
                *byte = next;
            }
        };
        assert_eq!(generate_name("gen-", &mut count), "gen-cdfgh");
        let long = generate_name(&"x".repeat(100), &mut count);
        assert_eq!((long.len(), long.starts_with(&"x".repeat(58))), (63, true));
        assert!(generate_name(&format!("{}é", "x".repeat(57)), &mut count).starts_with(&"x".repeat(57)));
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..243 / 5 * 5 {
            *seen.entry(generate_name("", &mut count)).or_insert(0) += 1;
        }
        assert!(seen.keys().all(|name| name.bytes().all(|byte| ALPHABET.contains(&byte))));
    }
}
