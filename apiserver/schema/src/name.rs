//! Names of kinds, resources and versions: labels of RFC 1035, which begin with a letter.

/// What is wrong with a label, in Kubernetes' words; nothing if it is one.
pub(crate) fn dns1035_label(name: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if name.len() > 63 {
        problems.push("must be no more than 63 characters".to_owned());
    }
    if !is_label(name) {
        problems.push(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
             character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation \
             is '[a-z]([-a-z0-9]*[a-z0-9])?')"
                .to_owned(),
        );
    }
    problems
}

fn is_label(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.starts_with(|char: char| char.is_ascii_lowercase()) && name.bytes().all(inner) && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_begins_with_a_letter() {
        for (name, problems) in
            [("a", 0), ("v1beta1", 0), ("a-b", 0), ("", 1), ("1a", 1), ("a-", 1), ("A", 1), ("a.b", 1), ("é", 1)]
        {
            assert_eq!(dns1035_label(name).len(), problems, "{name:?}");
        }
        assert_eq!(dns1035_label(&"a".repeat(64)), ["must be no more than 63 characters"]);
    }
}
