//! What the API says of itself, and the page that shows it.

use std::io::Read;

use flate2::read::GzDecoder;
use http::Method;

use crate::server::{V1, start};

#[tokio::test]
async fn metadata_and_features_are_those_of_the_first_version() {
    let server = start(&[]).await;
    let metadata = server.get("/api/hyperfleet").await;
    assert!(metadata.text().starts_with(r#"{"id":"hyperfleet","href":"/api/hyperfleet","kind":"API","version":""#));
    assert_eq!(metadata.header("vary"), "");
    let features = server.get(&format!("{V1}/compatibility/")).await;
    assert_eq!(
        features.text(),
        r#"{"api_version":"v1","compatible":true,"features":["clusters","nodepools","adapter_status","status_aggregation"]}"#
    );
    assert_eq!((features.header("content-type"), features.header("vary")), ("application/json", "Authorization"));
    server.stop().await;
}

#[tokio::test]
async fn the_document_and_its_page_are_at_the_root_and_under_the_api() {
    let server = start(&[]).await;
    for path in ["/openapi".to_owned(), format!("{V1}/openapi")] {
        assert_eq!(server.get(&path).await.json()["openapi"], "3.0.3");
    }
    for path in ["/openapi-ui".to_owned(), format!("{V1}/openapi.html")] {
        let page = server.get(&path).await;
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for name in page.text().split('"').filter(|part| part.starts_with("openapi-ui/")) {
            let file = server.get(&format!("{folder}/{name}")).await;
            assert!(file.status == 200 && !file.body.is_empty(), "{name}");
        }
    }
    let slash = server.get("/openapi-ui/").await;
    assert_eq!((slash.status.as_u16(), slash.header("location")), (308, "../openapi-ui"));
    assert_eq!(server.get("/openapi-ui/nope.js").await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn large_answers_are_compressed_for_those_who_take_it() {
    let server = start(&[]).await;
    let plain = server.get("/openapi").await;
    let packed = server.ask(Method::GET, "/openapi", &[("accept-encoding", "gzip")], "").await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    let mut unpacked = Vec::new();
    GzDecoder::new(&packed.body[..]).read_to_end(&mut unpacked).expect("it is gzip");
    assert_eq!(unpacked, plain.body);
    server.stop().await;
}

#[tokio::test]
async fn each_request_has_an_id_of_ours_under_both_names() {
    let server = start(&[]).await;
    let headers = [("x-operation-id", "theirs"), ("x-request-id", "theirs")];
    let answer = server.ask(Method::GET, &format!("{V1}/clusters/nope"), &headers, "").await;
    let id = answer.header("x-operation-id");
    assert!(id.len() == 36 && id != "theirs");
    assert_eq!(answer.header("x-request-id"), id);
    assert_eq!(answer.json()["operation_id"], id);
    server.stop().await;
}

#[tokio::test]
async fn pages_of_listed_origins_may_ask_and_others_do_not_write() {
    let server = start(&[]).await;
    let (listed, evil) = (("origin", "https://console.redhat.com"), ("origin", "https://evil.example"));
    let wish = ("access-control-request-method", "POST");
    let clusters = format!("{V1}/clusters");
    let preflight = server.ask(Method::OPTIONS, &clusters, &[listed, wish], "").await;
    assert_eq!((preflight.status.as_u16(), preflight.header("access-control-max-age")), (200, "600"));
    assert_eq!(preflight.header("access-control-allow-origin"), "https://console.redhat.com");
    assert_eq!(server.ask(Method::OPTIONS, &clusters, &[evil, wish], "").await.status, 405);
    let listing = server.ask(Method::GET, &clusters, &[evil], "").await;
    assert_eq!((listing.status.as_u16(), listing.header("access-control-allow-origin")), (200, ""));
    let body = r#"{"kind":"Cluster","name":"a","spec":{}}"#;
    let refused = server.ask(Method::POST, &clusters, &[evil], body).await;
    assert_eq!((refused.status.as_u16(), refused.json()["code"].clone()), (403, "hyperfleet-4".into()));
    assert_eq!(server.ask(Method::POST, &clusters, &[listed], body).await.status, 201);
    server.stop().await;
}
