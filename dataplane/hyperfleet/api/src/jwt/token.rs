//! A token, read and not yet believed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// Longest token, in bytes.
const LONGEST: usize = 64 * 1024;

/// A token, read and not yet believed.
pub(crate) struct Token<'a> {
    /// How it is signed.
    pub(super) algorithm: String,
    /// Which key it is signed with.
    pub(super) key: Option<String>,
    pub(super) claims: Map<String, Value>,
    /// What is signed.
    pub(super) signed: &'a [u8],
    pub(super) signature: Vec<u8>,
}

// === impl Token ===

impl<'a> Token<'a> {
    /// Reads the three parts of a token; `None` when it is none.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header = object(header)?;
        // What must be understood and is not makes a token worth nothing.
        if header.contains_key("crit") {
            return None;
        }
        Some(Self {
            algorithm: header.get("alg")?.as_str()?.to_owned(),
            key: header.get("kid").and_then(Value::as_str).map(str::to_owned),
            claims: object(claims)?,
            signed: signed.as_bytes(),
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// Why a token with a good signature is not taken at `now`, in seconds since 1970.
    pub(super) fn check(&self, now: f64) -> Result<(), String> {
        let time = |name: &str| self.claims.get(name).and_then(Value::as_f64);
        if time("exp").is_some_and(|end| now > end) {
            return Err("Bearer token is expired".to_owned());
        }
        if time("iat").is_some_and(|issued| now < issued) {
            return Err("Bearer token was issued in the future".to_owned());
        }
        if time("nbf").is_some_and(|begin| now < begin) {
            return Err("Bearer token isn't valid yet".to_owned());
        }
        match self.claims.get("typ") {
            None => {}
            Some(Value::String(kind)) if kind.eq_ignore_ascii_case("bearer") => {}
            Some(Value::String(kind)) => return Err(format!("Bearer token type '{kind}' isn't allowed")),
            Some(other) => return Err(format!("Bearer token type claim contains incorrect string value '{other}'")),
        }
        for name in ["iat", "exp"] {
            match self.claims.get(name) {
                None => return Err(format!("Bearer token doesn't contain required claim '{name}'")),
                Some(value) if value.is_number() => {}
                Some(value) => {
                    return Err(format!("Bearer token claim '{name}' contains incorrect time value '{value}'"));
                }
            }
        }
        match self.claims.get("impersonated") {
            None | Some(Value::Bool(false)) => Ok(()),
            Some(Value::Bool(true)) => Err("Impersonation isn't allowed".to_owned()),
            Some(value) => Err(format!("Impersonation claim contains incorrect boolean value '{value}'")),
        }
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode("signature"))
    }

    fn judged(claims: &Value) -> Result<(), String> {
        Token::read(&text(&json!({"alg": "RS256", "kid": "a"}), claims)).unwrap().check(1000.0)
    }

    #[test]
    fn what_is_no_token_is_malformed() {
        for malformed in ["", "a", "a.b", "a.b.c", "e30.e30", "e30.e30.", "e30.e30.e30.e30", "!.e30.e30"] {
            assert!(Token::read(malformed).is_none(), "{malformed}");
        }
        assert!(Token::read(&text(&json!({"alg": "RS256", "crit": ["b64"]}), &json!({}))).is_none());
        assert!(Token::read(&text(&json!({"alg": 1}), &json!({}))).is_none());
        assert!(Token::read(&text(&json!({"alg": "none"}), &json!([]))).is_none());
        assert!(Token::read(&"a".repeat(LONGEST + 1)).is_none());
    }

    #[test]
    fn reasons_are_those_of_the_first_version() {
        let fine = json!({"iat": 900, "exp": 1100.5, "typ": "bearer", "impersonated": false});
        assert_eq!(judged(&fine), Ok(()));
        let cases = [
            (json!({"exp": 999}), "Bearer token is expired"),
            (json!({"iat": 1001}), "Bearer token was issued in the future"),
            (json!({"nbf": 1001}), "Bearer token isn't valid yet"),
            (json!({"typ": "Refresh"}), "Bearer token type 'Refresh' isn't allowed"),
            (json!({"typ": 1}), "Bearer token type claim contains incorrect string value '1'"),
            (json!({"iat": null}), "Bearer token claim 'iat' contains incorrect time value 'null'"),
            (json!({"impersonated": true}), "Impersonation isn't allowed"),
        ];
        for (other, expected) in cases {
            let mut claims = fine.clone();
            claims.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
            assert_eq!(judged(&claims), Err(expected.to_owned()));
        }
        assert_eq!(judged(&json!({})), Err("Bearer token doesn't contain required claim 'iat'".to_owned()));
        assert_eq!(judged(&json!({"iat": 1})), Err("Bearer token doesn't contain required claim 'exp'".to_owned()));
    }
}
