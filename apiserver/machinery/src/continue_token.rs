//! The token that goes on with a list: a revision, and the key where the last page ended.
//!
//! It is Go's own, so that what reads such tokens reads ours: base64url without padding of
//! `{"v":"meta.k8s.io/v1","rv":42,"start":"/NAME\u0000"}`, where `start` is relative to what was listed. Group, resource
//! and scope are never taken from a token: they come from the URL that it is sent to.

use base64::{DecodeError, Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::status::Status;

const VERSION: &str = "meta.k8s.io/v1";

/// Where a list goes on, and as of when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The revision of the first page; `None` goes on with what is there now.
    pub revision: Option<u64>,
    /// Namespace of the last object; empty when the list is of one namespace or cluster-scoped.
    pub namespace: String,
    /// Name of the last object.
    pub name: String,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Wire {
    v: String,
    rv: i64,
    start: String,
}

// === impl Token ===

impl Token {
    /// The token as text.
    pub fn encode(&self) -> String {
        let start = match self.namespace.as_str() {
            "" => format!("/{}\0", self.name),
            namespace => format!("/{namespace}/{}\0", self.name),
        };
        let rv = self.revision.map_or(-1, |revision| i64::try_from(revision).unwrap_or(i64::MAX));
        let wire = Wire { v: VERSION.to_owned(), rv, start };
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&wire).expect("two strings and a number are JSON"))
    }

    /// Reads a token for a list of all namespaces (`all_namespaces`), or of one namespace or of a cluster-scoped kind.
    pub fn decode(text: &str, all_namespaces: bool) -> Result<Self, Status> {
        let wire = wire(text)?;
        let revision = match wire.rv {
            -1 => None,
            0 => return Err(invalid("incorrect encoded start resourceVersion (version meta.k8s.io/v1)")),
            revision => Some(u64::try_from(revision).map_err(|_| invalid(&wire.start))?),
        };
        if wire.start.is_empty() {
            return Err(invalid("encoded start key empty (version meta.k8s.io/v1)"));
        }
        let key = wire.start.strip_prefix('/').unwrap_or(&wire.start);
        let key = key.strip_suffix('\0').unwrap_or(key);
        let clean =
            !key.is_empty() && key.split('/').all(|part| !matches!(part, "" | "." | "..")) && !key.contains('\0');
        match (clean, all_namespaces, key.split_once('/')) {
            (true, false, None) => Ok(Self { revision, namespace: String::new(), name: key.to_owned() }),
            (true, true, Some((namespace, name))) if !name.contains('/') => {
                Ok(Self { revision, namespace: namespace.to_owned(), name: name.to_owned() })
            }
            _ => Err(invalid(&wire.start)),
        }
    }

    /// The same place, without the promise that what comes is as of the same revision.
    pub fn inconsistent(&self) -> Self {
        Self { revision: None, ..self.clone() }
    }
}

fn wire(text: &str) -> Result<Wire, Status> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|error| invalid(&base64_problem(&error)))?;
    let decoded = crate::json::decode(&bytes).map_err(|error| invalid(&error.to_string()))?;
    let wire: Wire = serde_json::from_value(decoded.value).map_err(|error| invalid(&error.to_string()))?;
    match wire.v.as_str() {
        VERSION => Ok(wire),
        other => Err(invalid(&format!("server does not recognize this encoded version {other}"))),
    }
}

/// What Go says of base64 that is none.
fn base64_problem(error: &DecodeError) -> String {
    let at = match error {
        DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) | DecodeError::InvalidLength(at) => *at,
        DecodeError::InvalidPadding => 0,
    };
    format!("illegal base64 data at input byte {at}")
}

fn invalid(why: &str) -> Status {
    Status::bad_request(&format!("invalid continue token: continue key is not valid: {why}"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Token::decode(text, false).unwrap_err().message
    }

    #[test]
    fn tokens_are_gos() {
        let text = "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MzcyLCJzdGFydCI6Ii9sMlx1MDAwMCJ9";
        let token = Token { revision: Some(372), namespace: String::new(), name: "l2".to_owned() };
        assert_eq!(Token::decode(text, false).unwrap(), token);
        assert_eq!(token.encode(), text);
        let text = "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6Mzc1LCJzdGFydCI6Ii9kZWZhdWx0L2wxXHUwMDAwIn0";
        let token = Token { revision: Some(375), namespace: "default".to_owned(), name: "l1".to_owned() };
        assert_eq!(Token::decode(text, true).unwrap(), token);
        assert_eq!(token.encode(), text);
    }

    #[test]
    fn an_inconsistent_token_keeps_the_place() {
        let token = Token { revision: Some(7), namespace: "n".to_owned(), name: "a".to_owned() };
        let again = Token::decode(&token.inconsistent().encode(), true).unwrap();
        assert_eq!(again, Token { revision: None, ..token });
    }

    #[test]
    fn forged_tokens_are_refused() {
        assert_eq!(
            refusal("abc"),
            "invalid continue token: continue key is not valid: invalid character 'i' looking for beginning of value"
        );
        assert_eq!(
            refusal("eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NSwic3RhcnQiOiIuLi8uLi8uLi9zZWNyZXRzLyJ9"),
            "invalid continue token: continue key is not valid: ../../../secrets/"
        );
        let wire = |start: &str| URL_SAFE_NO_PAD.encode(format!(r#"{{"v":"{VERSION}","rv":5,"start":"{start}"}}"#));
        for start in ["", "/", "/a/b\\u0000", "/a/../b", "/a\\u0000b\\u0000"] {
            assert!(Token::decode(&wire(start), false).is_err(), "{start}");
        }
        for start in ["/a\\u0000", "/a/b/c\\u0000", "/a//b\\u0000"] {
            assert!(Token::decode(&wire(start), true).is_err(), "{start}");
        }
        assert!(Token::decode(&URL_SAFE_NO_PAD.encode(r#"{"v":"v2","rv":5,"start":"/a"}"#), false).is_err());
    }
}
