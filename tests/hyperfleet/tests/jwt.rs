//! Who may ask: bearer tokens, the keys that vouch for them, and who is written down.
#![expect(clippy::unwrap_used, reason = "tests")]

use hyperfleet_tests::cx::{API, path};
use hyperfleet_tests::http;
use hyperfleet_tests::keys::{Key, Published, claims, encode, set};
use hyperfleet_tests::server::{Database, Server};
use kit::{Response, Scratch, eventually};
use serde_json::{Value, json};

/// A server that asks for tokens of one RSA key, and that key.
struct Guarded {
    server: Server,
    key: Key,
}

impl Guarded {
    fn start(flags: &[&str]) -> Self {
        let (scratch, key) = (Scratch::new("jwt").unwrap(), Key::rsa("first").unwrap());
        let keys = scratch.write("keys.json", set(&[&key]).to_string()).unwrap();
        let db = format!("sqlite:{}", scratch.file("hyperfleet.db").display());
        let keys = format!("--jwk-cert-file={}", keys.display());
        let flags = [&["--enable-jwt", keys.as_str()], flags].concat();
        Self { server: Server::start_on(scratch, &db, &flags, &[]).unwrap(), key }
    }

    async fn with(&self, headers: &[(&str, &str)]) -> Response {
        self.send("GET", &format!("{API}/clusters"), headers, String::new()).await
    }

    async fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: String) -> Response {
        http::send(&self.server.target().authority, method, target, headers, body).await.unwrap()
    }

    /// What a list is answered to the owner of a token.
    async fn show(&self, token: &str) -> Response {
        self.with(&[("authorization", &format!("Bearer {token}"))]).await
    }

    /// The status and the reason for claims that differ from good ones.
    async fn judge(&self, other: Value) -> (u16, String) {
        let mut claims = claims();
        for (key, value) in other.as_object().unwrap() {
            match value {
                Value::Null => claims.as_object_mut().unwrap().remove(key),
                value => claims.as_object_mut().unwrap().insert(key.clone(), value.clone()),
            };
        }
        let answer = self.show(&self.key.token(&claims).unwrap()).await;
        (answer.status, answer.json().unwrap()["reason"].as_str().unwrap_or_default().to_owned())
    }
}

#[tokio::test]
async fn who_shows_no_token_sees_what_is_public() {
    let guarded = Guarded::start(&[]);
    for public in
        ["/api/hyperfleet", "/api/hyperfleet/v1/openapi", "/api/hyperfleet/v1/openapi.html", "/openapi", "/openapi-ui"]
    {
        let answer = guarded.send("GET", public, &[], String::new()).await;
        assert!(answer.status < 400, "{public}: {}", answer.status);
    }
    let paths = ["/compatibility", "/clusters", "/clusters/x", "/clusters/x/statuses", "/nodepools", "/nothing"];
    for path in paths {
        let answer = guarded.send("GET", &format!("{API}{path}"), &[], String::new()).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"hyperfleet/v1\""), "{path}");
        let error = answer.json().unwrap();
        let expected = json!({
            "kind": "Error", "id": "401", "href": "/api/hyperfleet/v1/errors/401", "code": "HYPERFLEET-401",
            "reason": "Request doesn't contain the 'Authorization' header or the 'cs_jwt' cookie",
        });
        assert_eq!(error, expected, "{path}");
    }
    for method in ["POST", "PATCH", "DELETE", "PUT"] {
        let answer = guarded.send(method, &format!("{API}/clusters/x"), &[], "{}".to_owned()).await;
        assert_eq!(answer.status, 401, "{method}");
    }
}

/// As `ocm get /api/hyperfleet/v1/clusters` asks, which knows no other way.
#[tokio::test]
async fn ocm_is_answered() {
    let guarded = Guarded::start(&[]);
    let token = guarded.key.token(&claims()).unwrap();
    let headers = [
        ("authorization", format!("Bearer {token}")),
        ("user-agent", "OCM-CLI/1.0.10".to_owned()),
        ("accept", "application/json".to_owned()),
        ("accept-encoding", "gzip".to_owned()),
    ];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let answer = guarded.with(&headers[..3]).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.json().unwrap()["kind"], "ClusterList");
    assert_eq!(guarded.with(&headers).await.status, 200);
    let parameters = "?parameter=a&search=name%20is%20not%20null&size=10&page=1";
    let answer = guarded.send("GET", &format!("{API}/clusters{parameters}"), &headers[..3], String::new()).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_token_may_come_as_a_cookie() {
    let guarded = Guarded::start(&[]);
    let token = guarded.key.token(&claims()).unwrap();
    assert_eq!(guarded.with(&[("cookie", &format!("a=b; cs_jwt={token}"))]).await.status, 200);
    assert_eq!(guarded.with(&[("cookie", "cs_jwt=nonsense")]).await.status, 401);
}

#[tokio::test]
async fn claims_are_judged_in_the_words_of_the_first_version() {
    let guarded = Guarded::start(&[]);
    let now = claims()["iat"].as_i64().unwrap();
    assert_eq!(guarded.judge(json!({})).await.0, 200);
    for (other, reason) in [
        (json!({"exp": now - 100}), "Bearer token is expired"),
        (json!({"iat": now + 1000}), "Bearer token was issued in the future"),
        (json!({"nbf": now + 1000}), "Bearer token isn't valid yet"),
        (json!({"exp": null}), "Bearer token doesn't contain required claim 'exp'"),
        (json!({"iat": null}), "Bearer token doesn't contain required claim 'iat'"),
        (json!({"typ": "Refresh"}), "Bearer token type 'Refresh' isn't allowed"),
        (json!({"impersonated": true}), "Impersonation isn't allowed"),
    ] {
        assert_eq!(guarded.judge(other.clone()).await, (401, reason.to_owned()), "{other}");
    }
}

#[tokio::test]
async fn tokens_that_are_forged_are_refused() {
    let guarded = Guarded::start(&[]);
    let (good, header) = (guarded.key.token(&claims()).unwrap(), json!({"alg": "RS256", "typ": "JWT", "kid": "first"}));
    assert_eq!(guarded.show(&good).await.status, 200);
    let parts: Vec<&str> = good.split('.').collect();
    let admin = encode(json!({"sub": "admin", "iat": 1, "exp": 9_999_999_999_u64}).to_string().as_bytes());
    let none =
        |alg: &str| format!("{}.{}.", encode(json!({"alg": alg, "kid": "first"}).to_string().as_bytes()), parts[1]);
    let public = guarded.key.public().to_string();
    let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, public.as_bytes());
    let message = format!("{}.{}", encode(json!({"alg": "HS256", "kid": "first"}).to_string().as_bytes()), parts[1]);
    let symmetric = format!("{message}.{}", encode(ring::hmac::sign(&secret, message.as_bytes()).as_ref()));
    let other = Key::rsa("first").unwrap();
    let unknown = Key::rsa("unknown").unwrap();
    let ec = Key::ec("first").unwrap();
    let forged = [
        format!("{}.{admin}.{}", parts[0], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}.{}", parts[0], parts[1], encode(&[0; 256])),
        none("none"),
        none("NONE"),
        symmetric,
        other.token(&claims()).unwrap(),
        unknown.token(&claims()).unwrap(),
        ec.token(&claims()).unwrap(),
        guarded.key.token_with(&json!({"alg": "ES256", "kid": "first"}), &claims()).unwrap(),
        guarded.key.token_with(&json!({"alg": "RS256"}), &claims()).unwrap(),
        other.token_with(&json!({"alg": "RS256", "kid": "first", "jwk": other.public()}), &claims()).unwrap(),
        other.token_with(&json!({"alg": "RS256", "kid": "../first"}), &claims()).unwrap(),
        guarded.key.token(&json!([])).unwrap(),
        "nonsense".to_owned(),
        "a.b.c".to_owned(),
        String::new(),
        "x".repeat(10_000),
    ];
    for token in &forged {
        let answer = guarded.show(token).await;
        assert_eq!(answer.status, 401, "{token}: {}", answer.text());
    }
    let mut extended = header;
    extended["crit"] = json!(["exp"]);
    let critical = guarded.key.token_with(&extended, &claims()).unwrap();
    assert_eq!(guarded.show(&critical).await.status, 401, "what must be understood and is not");
    for scheme in ["Basic", "bearer-token", "Nonsense"] {
        assert_eq!(guarded.with(&[("authorization", &format!("{scheme} {good}"))]).await.status, 401, "{scheme}");
    }
    let log = guarded.server.log();
    assert!(forged.iter().chain([&good]).filter(|token| token.len() > 100).all(|token| !log.contains(token)), "{log}");
}

#[tokio::test]
async fn keys_of_both_sorts_vouch() {
    let (scratch, rsa, ec) = (Scratch::new("jwt").unwrap(), Key::rsa("r").unwrap(), Key::ec("e").unwrap());
    let mut published = set(&[&rsa, &ec]);
    // What nobody here can use does not spoil the rest.
    published["keys"].as_array_mut().unwrap().push(json!({"kty": "oct", "kid": "o", "k": "AAAA"}));
    let keys = format!("--jwk-cert-file={}", scratch.write("keys.json", published.to_string()).unwrap().display());
    let db = format!("sqlite:{}", scratch.file("hyperfleet.db").display());
    let server = Server::start_on(scratch, &db, &["--enable-jwt", &keys], &[]).unwrap();
    let guarded = Guarded { server, key: rsa };
    for token in [guarded.key.token(&claims()).unwrap(), ec.token(&claims()).unwrap()] {
        assert_eq!(guarded.show(&token).await.status, 200);
    }
    let symmetric = guarded.key.token_with(&json!({"alg": "HS256", "kid": "o"}), &claims()).unwrap();
    assert_eq!(guarded.show(&symmetric).await.status, 401);
}

#[tokio::test]
async fn keys_in_a_file_are_replaced_while_it_serves() {
    let guarded = Guarded::start(&[]);
    let next = Key::ec("second").unwrap();
    let (old, new) = (guarded.key.token(&claims()).unwrap(), next.token(&claims()).unwrap());
    assert_eq!((guarded.show(&old).await.status, guarded.show(&new).await.status), (200, 401));
    std::fs::write(guarded.server.file("keys.json"), set(&[&next]).to_string()).unwrap();
    eventually!(guarded.show(&new).await.status == 200, "the new key is known");
    assert_eq!(guarded.show(&old).await.status, 401);
    std::fs::write(guarded.server.file("keys.json"), "{ broken").unwrap();
    assert_eq!(guarded.show(&new).await.status, 200, "a broken file changes nothing");
}

#[tokio::test]
async fn keys_at_a_url_are_replaced_while_it_serves() {
    let (first, second) = (Key::rsa("first").unwrap(), Key::ec("second").unwrap());
    let published = Published::new(set(&[&first])).unwrap();
    let url = format!("--jwk-cert-url={}", published.url());
    let server = Server::start(Database::Sqlite, &["--enable-jwt", &url]).unwrap();
    let guarded = Guarded { server, key: first };
    assert_eq!(guarded.show(&guarded.key.token(&claims()).unwrap()).await.status, 200);
    let before = published.reads();
    published.replace(set(&[&second]));
    assert_eq!(guarded.show(&second.token(&claims()).unwrap()).await.status, 200, "an unknown key is asked for");
    assert_eq!(guarded.show(&guarded.key.token(&claims()).unwrap()).await.status, 401, "one that is gone is not known");
    assert_eq!(published.reads(), before + 1);
    // Who makes up names of keys does not make us ask each time.
    let unknown = Key::ec("unknown").unwrap();
    for number in 0..20 {
        let header = json!({"alg": "ES256", "kid": format!("made-up-{number}")});
        assert_eq!(guarded.show(&unknown.token_with(&header, &claims()).unwrap()).await.status, 401);
    }
    assert_eq!(published.reads(), before + 1);
}

#[tokio::test]
async fn keys_that_are_not_to_be_had_yet_keep_nobody_from_starting() {
    let [port] = kit::free_ports().unwrap();
    let url = format!("--jwk-cert-url=http://127.0.0.1:{port}/keys");
    let server = Server::start(Database::Sqlite, &["--enable-jwt", &url]).unwrap();
    let guarded = Guarded { server, key: Key::rsa("first").unwrap() };
    assert_eq!(guarded.show(&guarded.key.token(&claims()).unwrap()).await.status, 401);
}

#[tokio::test]
async fn issuers_and_audiences_are_chosen() {
    let guarded = Guarded::start(&[
        "--jwt-issuer=https://issuer.example.org,https://other.example.org",
        "--jwt-audience=hyperfleet",
    ]);
    for (other, status) in [
        (json!({}), 200),
        (json!({"iss": "https://other.example.org"}), 200),
        (json!({"iss": "https://issuer.example.org/"}), 401),
        (json!({"iss": "https://evil.example.org"}), 401),
        (json!({"iss": null}), 401),
        (json!({"iss": ["https://issuer.example.org"]}), 401),
        (json!({"aud": "another"}), 401),
        (json!({"aud": null}), 401),
        (json!({"aud": ["another", "hyperfleet"]}), 200),
        (json!({"aud": []}), 401),
    ] {
        assert_eq!(guarded.judge(other.clone()).await.0, status, "{other}");
    }
}

#[tokio::test]
async fn an_issuers_keys_vouch_for_its_own_tokens_alone() {
    let (one, two) = (Key::rsa("k").unwrap(), Key::rsa("k").unwrap());
    let (at_one, at_two) = (Published::new(set(&[&one])).unwrap(), Published::new(set(&[&two])).unwrap());
    let issuers =
        [format!("--jwt-issuer=https://one={}", at_one.url()), format!("--jwt-issuer=https://two={}", at_two.url())];
    let server = Server::start(Database::Sqlite, &["--enable-jwt", &issuers[0], &issuers[1]]).unwrap();
    let guarded = Guarded { server, key: one };
    for (key, issuer, status) in [
        (&guarded.key, "https://one", 200),
        (&two, "https://two", 200),
        (&guarded.key, "https://two", 401),
        (&two, "https://one", 401),
    ] {
        let mut claims = claims();
        claims["iss"] = json!(issuer);
        assert_eq!(guarded.show(&key.token(&claims).unwrap()).await.status, status, "{issuer}");
    }
}

#[tokio::test]
async fn a_list_of_claims_lets_in() {
    let scratch = Scratch::new("acl").unwrap();
    let acl = "- claim: email\n  pattern: ^.*@example\\.org$\n- claim: sub\n  pattern: ^robot-[0-9]+$\n";
    let acl = format!("--acl-file={}", scratch.write("acl.yaml", acl).unwrap().display());
    let guarded = Guarded::start(&[&acl]);
    for (other, status) in [
        (json!({}), 200),
        (json!({"email": "eve@example.com"}), 401),
        (json!({"email": null, "sub": "robot-7"}), 200),
        (json!({"email": "eve@example.org.evil.com", "sub": "robot-x"}), 401),
        (json!({"email": 5, "sub": 5}), 401),
    ] {
        let (found, reason) = guarded.judge(other.clone()).await;
        assert_eq!(found, status, "{other}");
        assert!(status == 200 || reason == "Access denied", "{reason}");
    }
}

#[tokio::test]
async fn who_writes_is_written_down() {
    let guarded = Guarded::start(&[]);
    let token = |name: &str| {
        let mut claims = claims();
        claims["preferred_username"] = json!(name);
        format!("Bearer {}", guarded.key.token(&claims).unwrap())
    };
    let (alice, bob) = (token("alice"), token("bob"));
    let body = json!({"kind": "Cluster", "name": "mine", "spec": {}}).to_string();
    let made =
        guarded.send("POST", &format!("{API}/clusters"), &[("authorization", &alice)], body).await.success().unwrap();
    assert_eq!((&made["created_by"], &made["updated_by"]), (&json!("alice"), &json!("alice")));
    let place = format!("{API}{}", path(&made));
    let change = json!({"spec": {"x": 1}}).to_string();
    let changed = guarded.send("PATCH", &place, &[("authorization", &bob)], change).await.success().unwrap();
    assert_eq!((&changed["created_by"], &changed["updated_by"]), (&json!("alice"), &json!("bob")));
}
