//! Formats that have a name, and what they say is wrong with a text.

use std::fmt;

use machinery::name;

use crate::format;

/// A format.
pub(in crate::cel) struct Named {
    pub(in crate::cel) name: &'static str,
    check: fn(&str) -> Vec<String>,
}

/// All of them.
const NAMED: &[Named] = &[
    Named { name: "dns1123Label", check: name::dns1123_label },
    Named { name: "dns1123Subdomain", check: name::dns1123_subdomain },
    Named { name: "dns1035Label", check: dns1035_label },
    Named { name: "qualifiedName", check: name::qualified },
    Named { name: "dns1123LabelPrefix", check: |text| name::prefix(text, name::dns1123_label) },
    Named { name: "dns1123SubdomainPrefix", check: |text| name::prefix(text, name::dns1123_subdomain) },
    Named { name: "dns1035LabelPrefix", check: |text| name::prefix(text, dns1035_label) },
    Named { name: "labelValue", check: name::label_value },
    Named { name: "uri", check: uri },
    Named { name: "uuid", check: |text| plain(text, "uuid", "does not match the UUID format") },
    Named { name: "byte", check: |text| plain(text, "byte", "invalid base64") },
    Named { name: "date", check: |text| plain(text, "date", "invalid date") },
    Named { name: "datetime", check: |text| plain(text, "datetime", "invalid datetime") },
];

// === impl Named ===

impl Named {
    /// The format of that name.
    pub(in crate::cel) fn find(name: &str) -> Option<&'static Self> {
        NAMED.iter().find(|known| known.name == name)
    }

    /// What is wrong with a text.
    pub(in crate::cel) fn check(&self, text: &str) -> Vec<String> {
        (self.check)(text)
    }
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Named").field(&self.name).finish()
    }
}

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

fn plain(text: &str, format: &str, problem: &str) -> Vec<String> {
    if format::is_text(format, text) { Vec::new() } else { vec![problem.to_owned()] }
}

fn uri(text: &str) -> Vec<String> {
    match super::url::check(text) {
        Ok(()) => Vec::new(),
        Err(why) => vec![why],
    }
}

fn dns1035_label(text: &str) -> Vec<String> {
    const MAX: usize = 63;
    let mut problems = Vec::new();
    if text.len() > MAX {
        problems.push(format!("must be no more than {MAX} characters"));
    }
    let inner = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '-';
    let fits =
        text.starts_with(|one: char| one.is_ascii_lowercase()) && !text.ends_with('-') && text.chars().all(inner);
    if !fits {
        problems.push(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
             character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation \
             is '[a-z]([-a-z0-9]*[a-z0-9])?')"
                .to_owned(),
        );
    }
    problems
}
