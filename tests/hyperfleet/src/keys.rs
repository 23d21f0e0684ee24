//! An issuer of tokens: keys of both sorts, what they sign, and a place on the network where its set of keys is read.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

/// A private key with its id.
#[derive(Debug)]
pub struct Key {
    id: String,
    pair: Pair,
}

#[derive(Debug)]
enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
}

/// A set of keys at a URL. It counts how often it was read.
#[derive(Clone, Debug)]
pub struct Published {
    url: String,
    state: Arc<Mutex<(Value, usize)>>,
}

// === impl Key ===

impl Key {
    /// A new RSA key, for RS256. ring makes none, so OpenSSL does, which comes with Debian's certificates.
    pub fn rsa(id: &str) -> Result<Self> {
        let args = ["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-outform", "DER"];
        let output = Command::new("openssl").args(args).output().context("starting openssl")?;
        ensure!(output.status.success(), "openssl failed: {}", String::from_utf8_lossy(&output.stderr));
        // Which of the two encodings it is depends on OpenSSL's version.
        let pair = RsaKeyPair::from_pkcs8(&output.stdout).or_else(|_| RsaKeyPair::from_der(&output.stdout));
        let pair = pair.ok().context("reading an RSA key")?;
        Ok(Self { id: id.to_owned(), pair: Pair::Rsa(pair) })
    }

    /// A new key on P-256, for ES256.
    pub fn ec(id: &str) -> Result<Self> {
        let random = SystemRandom::new();
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).ok().context("making an EC key")?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random);
        Ok(Self { id: id.to_owned(), pair: Pair::Ec(pair.ok().context("reading an EC key")?) })
    }

    /// Its public half, as an entry of a set of keys.
    #[must_use]
    pub fn public(&self) -> Value {
        match &self.pair {
            Pair::Rsa(pair) => {
                let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id, "n": encode(&n), "e": encode(&e)})
            }
            Pair::Ec(pair) => {
                // Uncompressed: a byte that says so, x and y.
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "use": "sig", "alg": "ES256", "crv": "P-256", "kid": self.id, "x": encode(x), "y": encode(y)})
            }
        }
    }

    /// A token of these claims.
    pub fn token(&self, claims: &Value) -> Result<String> {
        let algorithm = match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::Ec(_) => "ES256",
        };
        self.token_with(&json!({"alg": algorithm, "typ": "JWT", "kid": self.id}), claims)
    }

    /// A token with a header of the caller's own.
    pub fn token_with(&self, header: &Value, claims: &Value) -> Result<String> {
        let message = format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).ok().context("signing")?;
                signature
            }
            Pair::Ec(pair) => pair.sign(&random, message.as_bytes()).ok().context("signing")?.as_ref().to_vec(),
        };
        Ok(format!("{message}.{}", encode(&signature)))
    }
}

/// A set of keys.
#[must_use]
pub fn set(keys: &[&Key]) -> Value {
    json!({"keys": keys.iter().map(|key| key.public()).collect::<Vec<_>>()})
}

/// Claims that nothing is wrong with, for the next ten minutes.
#[must_use]
pub fn claims() -> Value {
    let now = jiff::Timestamp::now().as_second();
    json!({
        "iss": "https://issuer.example.org", "aud": "hyperfleet", "sub": "1234", "typ": "Bearer", "iat": now - 10, "exp": now + 600,
        "preferred_username": "alice", "email": "alice@example.org",
    })
}

/// base64, as tokens have it.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

// === impl Published ===

impl Published {
    /// Serves a set of keys on a loopback port for as long as the process lives.
    pub fn new(keys: Value) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("listening")?;
        let url = format!("http://{}/keys", listener.local_addr().context("reading the address of a listener")?);
        let published = Self { url, state: Arc::new(Mutex::new((keys, 0))) };
        let state = Arc::clone(&published.state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut state = state.lock().expect("no panic happens under this lock");
                state.1 += 1;
                // Who does not read the answer is not our concern.
                let _ = answer(stream, &state.0.to_string());
            }
        });
        Ok(published)
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Serves other keys from now on.
    ///
    /// # Panics
    /// If a thread panicked while it answered.
    pub fn replace(&self, keys: Value) {
        self.state.lock().expect("no panic happens under this lock").0 = keys;
    }

    /// How often it was read.
    ///
    /// # Panics
    /// If a thread panicked while it answered.
    #[must_use]
    pub fn reads(&self) -> usize {
        self.state.lock().expect("no panic happens under this lock").1
    }
}

fn answer(mut stream: TcpStream, body: &str) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            read => request.extend_from_slice(&buffer[..read]),
        }
    }
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
