//! A public key, and what it is good for.
//!
//! An algorithm is chosen by the key, never by the token alone: a token that names another one is not verified.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use serde::Deserialize;

use super::token::Token;

/// A public key, and what it is good for.
pub(super) struct Key {
    /// The only algorithm that it is for, where its publisher says so.
    algorithm: Option<String>,
    material: Material,
}

enum Material {
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    /// The algorithm that the curve is for, and the point.
    Curve(&'static str, &'static dyn VerificationAlgorithm, Vec<u8>),
}

/// Keys as they are published (RFC 7517).
#[derive(Deserialize)]
struct Published {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// Keys by what tokens call them. Those that are not for signatures, or of a kind that is not known here, are left out.
pub(super) fn read(published: &[u8]) -> Result<BTreeMap<String, Key>, serde_json::Error> {
    let Published { keys } = serde_json::from_slice(published)?;
    let signing = keys.into_iter().filter(|key| key.r#use.as_deref().is_none_or(|purpose| purpose == "sig"));
    Ok(signing.filter_map(|key| Some((key.kid.clone()?, Key::of(&key)?))).collect())
}

// === impl Key ===

impl Key {
    fn of(jwk: &Jwk) -> Option<Self> {
        let bytes = |part: &Option<String>| URL_SAFE_NO_PAD.decode(part.as_deref()?.trim_end_matches('=')).ok();
        let point = |length: usize| {
            let (x, y) = (bytes(&jwk.x)?, bytes(&jwk.y)?);
            (x.len() == length && y.len() == length).then(|| [vec![4], x, y].concat())
        };
        let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => {
                Material::Rsa(RsaPublicKeyComponents { n: unsigned(bytes(&jwk.n)?), e: unsigned(bytes(&jwk.e)?) })
            }
            ("EC", Some("P-256")) => Material::Curve("ES256", &signature::ECDSA_P256_SHA256_FIXED, point(32)?),
            ("EC", Some("P-384")) => Material::Curve("ES384", &signature::ECDSA_P384_SHA384_FIXED, point(48)?),
            ("OKP", Some("Ed25519")) => Material::Curve("EdDSA", &signature::ED25519, bytes(&jwk.x)?),
            _ => return None,
        };
        Some(Self { algorithm: jwk.alg.clone(), material })
    }

    /// Whether a token was signed with it.
    pub(super) fn verifies(&self, token: &Token<'_>) -> bool {
        if self.algorithm.as_ref().is_some_and(|only| *only != token.algorithm) {
            return false;
        }
        match &self.material {
            Material::Rsa(key) => {
                rsa(&token.algorithm).is_some_and(|rsa| key.verify(rsa, token.signed, &token.signature).is_ok())
            }
            Material::Curve(algorithm, verification, point) => {
                *algorithm == token.algorithm
                    && UnparsedPublicKey::new(*verification, point).verify(token.signed, &token.signature).is_ok()
            }
        }
    }
}

/// What an RSA key of at least 2048 bits may do.
fn rsa(algorithm: &str) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
        "RS384" => &signature::RSA_PKCS1_2048_8192_SHA384,
        "RS512" => &signature::RSA_PKCS1_2048_8192_SHA512,
        "PS256" => &signature::RSA_PSS_2048_8192_SHA256,
        "PS384" => &signature::RSA_PSS_2048_8192_SHA384,
        "PS512" => &signature::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

/// A number without the zeros before it, which some publish and none are allowed to.
fn unsigned(bytes: Vec<u8>) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes[zeros..].to_vec()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_not_for_tokens_are_left_out() {
        let keys = read(
            br#"{"keys":[{"kty":"RSA","kid":"rsa","n":"AQAB","e":"AQAB"},{"kty":"RSA","kid":"enc","use":"enc","n":"AQAB","e":"AQAB"},
            {"kty":"oct","kid":"secret","k":"AQAB"},{"kty":"EC","kid":"short","crv":"P-256","x":"AQAB","y":"AQAB"},
            {"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#,
        )
        .unwrap();
        assert_eq!(keys.keys().collect::<Vec<_>>(), ["rsa"]);
        assert!(read(b"{}").is_err() && read(b"nope").is_err());
    }
}
