//! TC3-HMAC-SHA256, the signature of Tencent Cloud's API, as a pure function.
//!
//! ```text
//! canonical request = method, path, query, headers, their names, hash of the payload
//! string to sign    = algorithm, time, scope, hash of the canonical request
//! key               = HMAC(HMAC(HMAC("TC3" + secret, date), service), "tc3_request")
//! ```

use std::fmt::Write;

use ring::{digest, hmac};

/// A request, as far as it is signed.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) query: &'a str,
    /// The signed headers: names in lower case and in their order. `content-type` and `host` are always among them.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) payload: &'a [u8],
}

/// When and for what a signature is good.
pub(crate) struct Scope<'a> {
    /// Seconds since 1970, as in the header `x-tc-timestamp`.
    pub(crate) timestamp: i64,
    /// The UTC date of that moment, such as `2026-01-31`.
    pub(crate) date: &'a str,
    /// Such as `cvm`.
    pub(crate) service: &'a str,
}

/// The value of the header `authorization`.
pub(crate) fn authorization(id: &str, secret: &str, scope: &Scope<'_>, request: &Request<'_>) -> String {
    let Scope { date, service, .. } = scope;
    let signature = signature(secret, scope, &string_to_sign(scope, request));
    let signed = signed_names(request);
    format!(
        "TC3-HMAC-SHA256 Credential={id}/{date}/{service}/tc3_request, SignedHeaders={signed}, Signature={signature}"
    )
}

fn canonical(request: &Request<'_>) -> String {
    let Request { method, query, headers, payload } = request;
    let mut lines = format!("{method}\n/\n{query}\n");
    for (name, value) in *headers {
        // Values are compared in lower case, too.
        lines += &format!("{name}:{}\n", value.trim().to_lowercase());
    }
    lines + &format!("\n{}\n{}", signed_names(request), hash(payload))
}

fn signed_names(request: &Request<'_>) -> String {
    request.headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";")
}

fn string_to_sign(scope: &Scope<'_>, request: &Request<'_>) -> String {
    let Scope { timestamp, date, service } = scope;
    let canonical = hash(canonical(request).as_bytes());
    format!("TC3-HMAC-SHA256\n{timestamp}\n{date}/{service}/tc3_request\n{canonical}")
}

fn signature(secret: &str, scope: &Scope<'_>, text: &str) -> String {
    let date = mac(format!("TC3{secret}").as_bytes(), scope.date);
    let service = mac(date.as_ref(), scope.service);
    let signing = mac(service.as_ref(), "tc3_request");
    hex(mac(signing.as_ref(), text).as_ref())
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn hash(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes what is written");
        text
    })
}

/// The examples of Tencent Cloud's documentation: an old one with GET, one with POST, and the present one, which signs
/// the action and has a key that is made of asterisks.
#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE";
    const SECRET: &str = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";
    const HOST: (&str, &str) = ("host", "cvm.tencentcloudapi.com");
    const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");
    const PAYLOAD: &[u8] = br#"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#;

    #[test]
    fn a_get() {
        let headers = [("content-type", "application/x-www-form-urlencoded"), HOST];
        let request = Request { method: "GET", query: "Limit=10&Offset=0", headers: &headers, payload: b"" };
        let scope = Scope { timestamp: 1_539_084_154, date: "2018-10-09", service: "cvm" };
        let canonical = hash(canonical(&request).as_bytes());
        assert_eq!(canonical, "91c9c192c14460df6c1ffc69e34e6c5e90708de2a6d282cccf957dbf1aa7f3a7");
        let expected = "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2018-10-09/cvm/tc3_request, \
            SignedHeaders=content-type;host, Signature=5da7a33f6993f0614b047e5df4582db9e9bf4672ba50567dba16c6ccf174c474";
        assert_eq!(authorization(ID, SECRET, &scope, &request), expected);
    }

    #[test]
    fn a_post() {
        let request = Request { method: "POST", query: "", headers: &[JSON, HOST], payload: PAYLOAD };
        let scope = Scope { timestamp: 1_551_113_065, date: "2019-02-25", service: "cvm" };
        assert_eq!(hash(PAYLOAD), "35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064");
        let canonical = hash(canonical(&request).as_bytes());
        assert_eq!(canonical, "5ffe6a04c0664d6b969fab9a13bdab201d63ee709638e2749d62a09ca18d7031");
        let found = authorization(ID, SECRET, &scope, &request);
        assert!(found.ends_with("72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"), "{found}");
    }

    #[test]
    fn a_post_with_its_action() {
        let headers = [JSON, HOST, ("x-tc-action", "DescribeInstances")];
        let request = Request { method: "POST", query: "", headers: &headers, payload: PAYLOAD };
        let scope = Scope { timestamp: 1_551_113_065, date: "2019-02-25", service: "cvm" };
        let canonical = hash(canonical(&request).as_bytes());
        assert_eq!(canonical, "7019a55be8395899b900fb5564e4200d984910f34794a27cb3fb7d10ff6a1e84");
        let (id, secret) = (format!("AKID{}", "*".repeat(32)), "*".repeat(32));
        let expected = format!(
            "TC3-HMAC-SHA256 Credential={id}/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host;x-tc-action, \
            Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f"
        );
        assert_eq!(authorization(&id, &secret, &scope, &request), expected);
    }

    #[test]
    fn the_key_is_made_in_three_steps() {
        let date = mac(format!("TC3{}", "*".repeat(32)).as_bytes(), "2019-02-25");
        assert_eq!(hex(date.as_ref()), "da98fb70dcf6b112dc21038d1eeeb3a95c74b4dcb12c1131f864f6066bd02be0");
        let service = mac(date.as_ref(), "cvm");
        assert_eq!(hex(service.as_ref()), "8d70cbefb03939f929db64d32dc2ba89b1095620119fe3e050e2b18c5bd2752f");
        let signing = mac(service.as_ref(), "tc3_request");
        assert_eq!(hex(signing.as_ref()), "b596b923aad85185e2d1f6659d2a062e0a86731226e021e61bfe06f7ed05f5af");
    }
}
