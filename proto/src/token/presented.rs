//! A token as its owner presents it.

use super::Secret;

/// What every token begins with, for those who search for leaked ones.
const PREFIX: &str = "ort";

/// `ort/NAMESPACE/NAME/SECRET`; without the namespace it is a token of the cluster. All of it may be in an Authorization
/// header. The name says which Secret to compare with, so that no index of all tokens is needed.
pub struct Presented {
    /// Its namespace; empty is the cluster.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its secret.
    pub secret: Secret,
}

// === impl Presented ===

impl Presented {
    /// Reads one; `None` is not one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.strip_prefix(PREFIX)?.strip_prefix('/')?.split('/').collect();
        let (namespace, name, secret) = match parts.as_slice() {
            [name, secret] => ("", *name, *secret),
            [namespace, name, secret] if !namespace.is_empty() => (*namespace, *name, *secret),
            _ => return None,
        };
        let is_name = |text: &str| {
            text.len() <= 253
                && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte))
        };
        let fits = is_name(namespace) && is_name(name) && !name.is_empty() && secret.len() == 43;
        fits.then(|| Self { namespace: namespace.to_owned(), name: name.to_owned(), secret: Secret::claimed(secret) })
    }

    /// The text, for its owner.
    pub fn expose(&self) -> String {
        let Self { namespace, name, secret } = self;
        match namespace.as_str() {
            "" => format!("{PREFIX}/{name}/{}", secret.expose()),
            namespace => format!("{PREFIX}/{namespace}/{name}/{}", secret.expose()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_presented_is_read_as_it_was_written() {
        for (namespace, name) in [("", "a"), ("default", "a.b-c")] {
            let presented =
                Presented { namespace: namespace.to_owned(), name: name.to_owned(), secret: Secret::of([9; 32]) };
            let read = Presented::parse(&presented.expose()).expect("a token");
            assert_eq!((read.namespace.as_str(), read.name.as_str()), (namespace, name));
            assert!(presented.secret.hash([0; 16]).is_of(&read.secret));
        }
    }

    #[test]
    fn everything_else_is_not_ours() {
        let secret = "a".repeat(43);
        for text in [
            "",
            "ort",
            "ort/",
            "ort/a",
            &format!("ort//{secret}"),
            &format!("ort//a/{secret}"),
            &format!("ort/a/b/c/{secret}"),
            &format!("ort/A/{secret}"),
            &format!("ort/a b/{secret}"),
            &format!("ort/a/{secret}a"),
            &format!("ort/a/%2f/{secret}"),
            "eyJhbGciOiJSUzI1NiJ9.e30.x",
            "admin-token",
        ] {
            assert!(Presented::parse(text).is_none(), "{text}");
        }
    }
}
