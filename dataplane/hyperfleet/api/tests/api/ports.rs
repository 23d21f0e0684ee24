//! Health, metrics, and where the API listens.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Empty;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use runtime::Context;
use rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::server::{V1, start, start_at};

#[tokio::test]
async fn health_says_when_it_is_down_and_when_it_is_up_again() {
    let server = start(&[]).await;
    let health = async |method, path: &str| {
        let answer = server.send(server.health, method, path, &[], Bytes::new()).await;
        (answer.status.as_u16(), answer.text())
    };
    assert_eq!(health(Method::GET, "/healthcheck").await, (200, "{}".to_owned()));
    assert_eq!(health(Method::POST, "/healthcheck/down").await.0, 200);
    let down = (503, r#"{"maintenance_status":"maintenance mode"}"#.to_owned());
    assert_eq!(health(Method::GET, "/healthcheck").await, down);
    assert_eq!(health(Method::GET, "/readyz").await.0, 503);
    assert_eq!(health(Method::GET, "/livez").await.0, 200);
    assert_eq!(health(Method::POST, "/healthcheck/up").await.0, 200);
    assert_eq!(health(Method::GET, "/healthcheck").await.0, 200);
    assert_eq!(health(Method::GET, "/healthcheck/down").await.0, 405);
    assert_eq!(health(Method::GET, "/nope").await.0, 404);
    server.stop().await;
}

#[tokio::test]
async fn requests_are_counted_by_template_under_both_names() {
    let server = start(&[]).await;
    server.get(&format!("{V1}/clusters/nope")).await;
    let metrics = server.send(server.metrics, Method::GET, "/metrics", &[], Bytes::new()).await.text();
    for line in [
        r#"api_inbound_request_count{method="GET",path="/api/hyperfleet/v1/clusters/-",code="404"} 1"#,
        r#"hyperfleet_api_request_duration_seconds_count{component="api",version="0.1.0",method="GET",path="/api/hyperfleet/v1/clusters/-",code="404"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line}");
    }
    for probe in ["/readyz", "/healthz", "/livez"] {
        assert_eq!(server.send(server.metrics, Method::GET, probe, &[], Bytes::new()).await.status, 200, "{probe}");
    }
    server.stop().await;
}

#[tokio::test]
async fn without_tokens_it_listens_on_this_machine_only() {
    let refused = start_at(Context::new(), &["--api-server-bindaddress=:0"]).await.err().expect("it refuses");
    let text = format!("{refused:#}");
    for flag in ["--api-server-bindaddress", "--enable-jwt", "--insecure-no-auth"] {
        assert!(text.contains(flag), "{text}");
    }
    let server =
        start_at(Context::new(), &["--api-server-bindaddress=:0", "--insecure-no-auth"]).await.expect("it starts");
    assert!(server.api.ip().is_unspecified());
    server.stop().await;
    let text = format!("{:#}", start_at(Context::new(), &["--enable-jwt"]).await.err().expect("it needs keys"));
    assert!(text.contains("--jwk-cert-file"), "{text}");
    let text =
        format!("{:#}", start_at(Context::new(), &["--enable-https"]).await.err().expect("it needs a certificate"));
    assert!(text.contains("--https-cert-file"), "{text}");
}

#[tokio::test]
async fn each_port_is_served_over_tls_where_that_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate can be made");
    let (cert, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    std::fs::write(&cert, made.cert.pem()).expect("it can be written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("it can be written");
    let files = [format!("--https-cert-file={}", cert.display()), format!("--https-key-file={}", key.display())];
    let flags = ["--enable-https", "--enable-health-check-https", "--enable-metrics-https=true", &files[0], &files[1]];
    let server = start(&flags).await;
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("it is a certificate");
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring knows them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1().build();
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    for (address, path) in
        [(server.api, "/api/hyperfleet"), (server.health, "/healthcheck"), (server.metrics, "/metrics")]
    {
        let request = Request::get(format!("https://{address}{path}")).body(Empty::new()).expect("it is a request");
        assert_eq!(client.request(request).await.expect("it answers").status(), 200, "{path}");
    }
    drop(client);
    server.stop().await;
}
