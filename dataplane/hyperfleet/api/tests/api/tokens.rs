//! Who may ask, by their tokens.

use std::{
    io::Read,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use flate2::read::GzDecoder;
use http::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    keys::{self, Key},
    server::{Answer, Running, V1, at, start_at},
};

/// What time it is here, in seconds since 1970.
const NOW: u64 = 1_800_000_000;

/// As Red Hat's SSO makes them for `ocm login`.
fn claims() -> Value {
    json!({
        "exp": NOW + 900, "iat": NOW - 10, "auth_time": NOW - 20, "jti": "3f2d", "typ": "Bearer", "azp": "ocm-cli",
        "iss": "https://sso.redhat.com/auth/realms/redhat-external", "aud": ["cloud-services", "api.openshift.com"],
        "sub": "f:528d76ff-f708-43ed-8cd5-fe16f4fe0ce6:jdoe", "scope": "openid", "preferred_username": "jdoe",
        "email": "jdoe@redhat.com",
    })
}

fn with(more: Value) -> Value {
    let mut claims = claims();
    let more = more.as_object().expect("more claims").clone();
    claims.as_object_mut().expect("claims").extend(more);
    claims
}

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("it can be written");
    path
}

async fn asking(keys: &[&Key], flags: &[&str]) -> (Running, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let jwks = file(folder.path(), "jwks.json", &keys::set(keys));
    let mut line = vec!["--enable-jwt".to_owned(), format!("--jwk-cert-file={}", jwks.display())];
    line.extend(flags.iter().map(|flag| flag.replace("FOLDER", &folder.path().display().to_string())));
    let flags: Vec<&str> = line.iter().map(String::as_str).collect();
    (start_at(at(NOW), &flags).await.expect("it starts"), folder)
}

async fn get(server: &Running, token: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    server.ask(Method::GET, &format!("{V1}/clusters"), &[("authorization", &bearer)], "").await
}

#[tokio::test]
async fn a_request_as_ocm_get_sends_it_is_answered() {
    let key = Key::rsa("sso");
    let (server, _folder) = asking(&[&key], &[]).await;
    let bearer = format!("Bearer {}", key.token("RS256", &claims()));
    let headers = [
        ("user-agent", "OCM-CLI/1.0.8"),
        ("accept", "application/json"),
        ("accept-encoding", "gzip"),
        ("authorization", bearer.as_str()),
    ];
    let made = server
        .ask(Method::POST, &format!("{V1}/clusters"), &headers, r#"{"kind":"Cluster","name":"a","spec":{"a":1}}"#)
        .await;
    assert_eq!((made.status.as_u16(), made.json()["created_by"].clone()), (201, "jdoe".into()));
    for number in 0..5 {
        let body = format!(r#"{{"kind":"Cluster","name":"a{number}","spec":{{}}}}"#);
        server.ask(Method::POST, &format!("{V1}/clusters"), &headers, &body).await;
    }
    let listed = server.ask(Method::GET, &format!("{V1}/clusters"), &headers, "").await;
    assert_eq!((listed.status.as_u16(), listed.header("content-encoding")), (200, "gzip"));
    let mut list = String::new();
    GzDecoder::new(&listed.body[..]).read_to_string(&mut list).expect("it is gzip");
    let list: Value = serde_json::from_str(&list).expect("it is JSON");
    assert_eq!((list["kind"].clone(), list["total"].clone()), ("ClusterList".into(), 6.into()));
    server.stop().await;
}

#[tokio::test]
async fn callers_are_recorded_in_what_they_write() {
    let key = Key::rsa("sso");
    let (server, _folder) = asking(&[&key], &["--cluster-adapters=dns"]).await;
    let ask = async |method: Method, path: &str, user: &str, body: &str| {
        let bearer = format!("Bearer {}", key.token("RS256", &with(json!({ "preferred_username": user }))));
        server.ask(method, path, &[("authorization", &bearer)], body).await.json()
    };
    let made = ask(Method::POST, &format!("{V1}/clusters"), "ann", r#"{"kind":"Cluster","name":"a","spec":{}}"#).await;
    let path = made["href"].as_str().expect("it has a place").to_owned();
    let changed = ask(Method::PATCH, &path, "bob", r#"{"spec":{"a":1}}"#).await;
    assert_eq!((changed["created_by"].clone(), changed["updated_by"].clone()), ("ann".into(), "bob".into()));
    assert_eq!(ask(Method::DELETE, &path, "eve", "").await["deleted_by"], "eve");
    server.stop().await;
}

#[tokio::test]
async fn every_algorithm_that_is_known_is_verified_and_no_other_is() {
    let (rsa, p256, p384) = (Key::rsa("rsa"), Key::curve("p256", "ES256"), Key::curve("p384", "ES384"));
    let (server, _folder) = asking(&[&rsa, &p256, &p384], &[]).await;
    for (key, algorithm) in [(&rsa, "RS256"), (&rsa, "PS256"), (&p256, "ES256"), (&p384, "ES384")] {
        assert_eq!(get(&server, &key.token(algorithm, &claims())).await.status, 200, "{algorithm}");
    }
    let forged = "Signature of bearer token isn't valid";
    for (key, algorithm) in
        [(&rsa, "none"), (&rsa, "HS256"), (&rsa, "ES256"), (&p256, "RS256"), (&p256, "ES384"), (&rsa, "RS512")]
    {
        assert_eq!(get(&server, &key.token(algorithm, &claims())).await.reason(), forged, "{algorithm}");
    }
    let other = Key::curve("p256", "ES256");
    assert_eq!(get(&server, &other.token("ES256", &claims())).await.reason(), forged, "another key of the same name");
    let token = rsa.token("RS256", &claims());
    let changed = rsa.token("RS256", &with(json!({"preferred_username": "root"})));
    let parts: Vec<&str> = token.split('.').collect();
    let swapped = format!("{}.{}.{}", parts[0], changed.split('.').nth(1).expect("claims"), parts[2]);
    assert_eq!(get(&server, &swapped).await.reason(), forged, "claims that were not signed");
    server.stop().await;
}

#[tokio::test]
async fn reasons_are_those_of_the_first_version() {
    let key = Key::curve("key", "ES256");
    let (server, _folder) = asking(&[&key], &[]).await;
    let clusters = format!("{V1}/clusters");
    let absent = server.get(&clusters).await;
    assert_eq!(absent.status, 401);
    assert_eq!(absent.header("www-authenticate"), "Bearer realm=\"hyperfleet/v1\"");
    assert_eq!(
        absent.text(),
        format!(
            "{{\n  \"kind\": \"Error\",\n  \"id\": \"401\",\n  \"href\": \"{V1}/errors/401\",\n  \"code\": \"HYPERFLEET-401\",\n  \"reason\": \"Request doesn't contain the 'Authorization' header or the 'cs_jwt' cookie\"\n}}"
        )
    );
    let header = async |value: &str| server.ask(Method::GET, &clusters, &[("authorization", value)], "").await.reason();
    assert_eq!(header("Basic YTpi").await, "Authentication type 'Basic' isn't supported");
    assert_eq!(header("AccessToken abc").await, "Authentication type 'AccessToken' isn't supported");
    assert_eq!(header("Bearer junk").await, "Bearer token is malformed");
    for (more, expected) in [
        (json!({"exp": NOW - 1}), "Bearer token is expired"),
        (json!({"iat": NOW + 60}), "Bearer token was issued in the future"),
        (json!({"nbf": NOW + 60}), "Bearer token isn't valid yet"),
        (json!({"typ": "Refresh"}), "Bearer token type 'Refresh' isn't allowed"),
        (json!({"impersonated": true}), "Impersonation isn't allowed"),
    ] {
        assert_eq!(get(&server, &key.token("ES256", &with(more))).await.reason(), expected);
    }
    for name in ["iat", "exp"] {
        let mut claims = claims();
        claims.as_object_mut().expect("claims").remove(name);
        let expected = format!("Bearer token doesn't contain required claim '{name}'");
        assert_eq!(get(&server, &key.token("ES256", &claims)).await.reason(), expected);
    }
    let unknown = Key::curve("unknown", "ES256");
    assert_eq!(get(&server, &unknown.token("ES256", &claims())).await.reason(), "Bearer token can't be verified");
    server.stop().await;
}

#[tokio::test]
async fn public_paths_need_no_token_and_all_others_do() {
    let key = Key::curve("key", "ES256");
    let (server, _folder) = asking(&[&key], &[]).await;
    for (path, status) in [
        ("/api/hyperfleet", 200),
        ("/api/hyperfleet/v1", 404),
        ("/api/hyperfleet/v1/openapi", 200),
        ("/api/hyperfleet/v1/openapi.html", 200),
        ("/api/hyperfleet/v1/errors/7", 404),
        ("/openapi", 200),
        ("/openapi-ui", 200),
        ("/api/hyperfleet/v1/compatibility", 401),
        ("/api/hyperfleet/v1/clusters", 401),
        ("/api/hyperfleet/v1/nope", 401),
        ("/nope", 401),
    ] {
        assert_eq!(server.get(path).await.status, status, "{path}");
    }
    let cookie = format!("other=1; cs_jwt={}", key.token("ES256", &claims()));
    let answer = server.ask(Method::GET, "/api/hyperfleet/v1/clusters", &[("cookie", &cookie)], "").await;
    assert_eq!(answer.status, 200, "a cookie is as good as a header");
    server.stop().await;
}

#[tokio::test]
async fn an_issuers_keys_vouch_for_its_own_tokens_only() {
    let (common, own) = (Key::curve("common", "ES256"), Key::curve("own", "ES256"));
    let folder = tempfile::tempdir().expect("a folder");
    let theirs = file(folder.path(), "own.json", &keys::set(&[&own]));
    let flags = [
        format!("--jwt-issuer=https://a.example,https://b.example={}", theirs.display()),
        "--jwt-audience=hyperfleet".into(),
    ];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let (server, _jwks) = asking(&[&common], &flags).await;
    let of = |issuer: &str| with(json!({"iss": issuer, "aud": "hyperfleet"}));
    let (a, b) = (of("https://a.example"), of("https://b.example"));
    assert_eq!(get(&server, &common.token("ES256", &a)).await.status, 200);
    assert_eq!(get(&server, &own.token("ES256", &b)).await.status, 200);
    assert_eq!(get(&server, &own.token("ES256", &a)).await.reason(), "Bearer token can't be verified");
    assert_eq!(get(&server, &common.token("ES256", &b)).await.reason(), "Bearer token can't be verified");
    let stranger = of("https://evil.example");
    assert_eq!(get(&server, &common.token("ES256", &stranger)).await.reason(), "Bearer token issuer isn't allowed");
    let elsewhere = with(json!({"iss": "https://a.example", "aud": ["other"]}));
    assert_eq!(get(&server, &common.token("ES256", &elsewhere)).await.reason(), "Bearer token audience isn't allowed");
    server.stop().await;
}

#[tokio::test]
async fn an_acl_lets_in_those_who_match_one_of_its_items() {
    let key = Key::curve("key", "ES256");
    let folder = tempfile::tempdir().expect("a folder");
    let acl = file(folder.path(), "acl.yaml", "- claim: email\n  pattern: ^.*@redhat\\.com$\n");
    let (server, _jwks) = asking(&[&key], &[&format!("--acl-file={}", acl.display())]).await;
    assert_eq!(get(&server, &key.token("ES256", &claims())).await.status, 200);
    let refused = get(&server, &key.token("ES256", &with(json!({"email": "jdoe@example.com"})))).await;
    assert_eq!((refused.status.as_u16(), refused.reason().as_str()), (401, "Access denied"));
    server.stop().await;
}

#[tokio::test]
async fn keys_of_a_url_are_read_again_for_an_unknown_key_but_not_for_each() {
    let (first, second) = (Key::curve("first", "ES256"), Key::curve("second", "ES256"));
    let published = Arc::new(Mutex::new(keys::set(&[&first])));
    let asked = Arc::new(AtomicUsize::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/certs", listener.local_addr().expect("it listens"));
    let context = at(NOW);
    let (text, count) = (Arc::clone(&published), Arc::clone(&asked));
    let publisher = context.tasks.spawn("publisher", async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("somebody asks");
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            count.fetch_add(1, Ordering::Relaxed);
            let body = text.lock().expect("nobody panicked").clone();
            let length = body.len();
            let answer = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let server = start_at(context, &["--enable-jwt", &format!("--jwk-cert-url={url}")]).await.expect("it starts");
    assert_eq!(get(&server, &first.token("ES256", &claims())).await.status, 200);
    assert_eq!(asked.load(Ordering::Relaxed), 1, "keys are read once at the start");
    *published.lock().expect("nobody panicked") = keys::set(&[&second]);
    assert_eq!(get(&server, &second.token("ES256", &claims())).await.status, 200, "an unknown key is looked for");
    assert_eq!(
        get(&server, &first.token("ES256", &claims())).await.status,
        401,
        "one that is withdrawn counts no more"
    );
    for _ in 0..5 {
        let unknown = Key::curve("unknown", "ES256");
        assert_eq!(get(&server, &unknown.token("ES256", &claims())).await.status, 401);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2, "at most once a minute");
    publisher.abort();
    server.stop().await;
}
