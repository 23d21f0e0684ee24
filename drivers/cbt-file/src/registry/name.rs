//! Names as Kubernetes allows them: nothing else is a snapshot, so nothing leads out of the folder.

/// The namespace and the name of a handle, if it can be one.
pub(crate) fn parse(handle: &str) -> Option<(&str, &str)> {
    handle.split_once('/').filter(|(namespace, name)| is_namespace(namespace) && is_name(name))
}

/// Whether it is a DNS label.
pub(crate) fn is_namespace(text: &str) -> bool {
    text.len() <= 63 && is_part(text)
}

/// Whether it is a DNS subdomain; Kubernetes limits the whole, and not its parts.
pub(crate) fn is_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_part)
}

fn is_part(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(allowed) && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_a_namespace_and_a_name() {
        for handle in ["default/monday", "shop/2026-11-21.daily", "a/b", "0/0.1.2"] {
            assert!(parse(handle).is_some(), "{handle}");
        }
        let long = format!("default/{}", "a".repeat(254));
        for handle in [
            "",
            "/",
            "monday",
            "default/",
            "/monday",
            "a/b/c",
            "a/../b",
            "../etc/passwd",
            "default/..",
            "default/.a",
            "default/a.",
            "default/a..b",
            "Default/a",
            "default/A",
            "default/a b",
            "default/a\n",
            "default/a\0",
            "default/ä",
            "-a/b",
            "a-/b",
            "a.b/c",
            "default/-a",
            "default/.cbt-token-key",
            &long,
        ] {
            assert!(parse(handle).is_none(), "{handle:?}");
        }
        assert!(parse(&format!("default/{}", "a".repeat(253))).is_some());
    }
}
