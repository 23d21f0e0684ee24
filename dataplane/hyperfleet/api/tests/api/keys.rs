//! Keys, and tokens that they sign.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256,
        RSA_PSS_SHA256, RsaKeyPair,
    },
};
use serde_json::{Value, json};

/// A key for tests alone: ring makes none of this kind.
const RSA: &[u8] = include_bytes!("rsa.pk8");

/// A key with its name.
pub(crate) struct Key {
    name: &'static str,
    material: Material,
}

enum Material {
    Rsa(RsaKeyPair),
    Curve(&'static str, EcdsaKeyPair),
}

// === impl Key ===

impl Key {
    /// For RS256 and PS256.
    pub(crate) fn rsa(name: &'static str) -> Self {
        Self { name, material: Material::Rsa(RsaKeyPair::from_pkcs8(RSA).expect("it is a key")) }
    }

    /// For ES256 or ES384.
    pub(crate) fn curve(name: &'static str, algorithm: &'static str) -> Self {
        let signing = match algorithm {
            "ES256" => &ECDSA_P256_SHA256_FIXED_SIGNING,
            _ => &ECDSA_P384_SHA384_FIXED_SIGNING,
        };
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(signing, &random).expect("a key can be made");
        let pair = EcdsaKeyPair::from_pkcs8(signing, made.as_ref(), &random).expect("it is a key");
        Self { name, material: Material::Curve(algorithm, pair) }
    }

    /// As it is published.
    pub(crate) fn published(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &self.material {
            Material::Rsa(pair) => {
                let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kty": "RSA", "kid": self.name, "use": "sig", "n": text(&n), "e": text(&e)})
            }
            Material::Curve(algorithm, pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = if *algorithm == "ES256" { "P-256" } else { "P-384" };
                json!({"kty": "EC", "kid": self.name, "crv": curve, "x": text(x), "y": text(y)})
            }
        }
    }

    /// A token of these claims, signed by `algorithm`.
    pub(crate) fn token(&self, algorithm: &str, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": algorithm, "typ": "JWT", "kid": self.name});
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = self.sign(algorithm, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.material {
            Material::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let padding: &'static dyn ring::signature::RsaEncoding =
                    if algorithm == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                pair.sign(padding, &random, message, &mut signature).expect("it signs");
                signature
            }
            Material::Curve(_, pair) => pair.sign(&random, message).expect("it signs").as_ref().to_vec(),
        }
    }
}

/// Keys as they are published.
pub(crate) fn set(keys: &[&Key]) -> String {
    json!({ "keys": keys.iter().map(|key| key.published()).collect::<Vec<_>>() }).to_string()
}
