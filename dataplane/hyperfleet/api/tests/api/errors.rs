//! Errors: two shapes, and the status and number of each.

use http::Method;

use crate::server::{V1, start};

#[tokio::test]
async fn a_failure_has_the_first_versions_shape_unless_the_client_takes_problems() {
    let server = start(&[]).await;
    let path = format!("{V1}/clusters/nope");
    let first = server.get(&path).await;
    let id = first.header("x-operation-id");
    assert_eq!(
        first.text(),
        format!(
            r#"{{"code":"hyperfleet-7","href":"{V1}/errors/7","id":"7","kind":"Error","operation_id":"{id}","reason":"Cluster with id='nope' not found"}}"#
        )
    );
    for (accept, media) in [
        ("application/problem+json", "application/problem+json"),
        ("application/json, application/problem+json;q=0.5", "application/problem+json"),
        ("application/problem+json;q=0", "application/json"),
        ("*/*", "application/json"),
    ] {
        let answer = server.ask(Method::GET, &path, &[("accept", accept)], "").await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (404, media), "{accept}");
    }
    let problem = server.ask(Method::GET, &path, &[("accept", "application/problem+json")], "").await.json();
    assert_eq!(problem["type"], "https://api.hyperfleet.io/errors/not-found");
    assert_eq!((problem["status"].clone(), problem["instance"].clone()), (404.into(), path.into()));
    server.stop().await;
}

#[tokio::test]
async fn a_path_that_does_not_exist_and_a_method_that_is_not_taken() {
    let server = start(&[]).await;
    let nowhere = server.get(&format!("{V1}/nope")).await;
    assert_eq!(
        nowhere.text(),
        format!(
            r#"{{"type":"Error","id":"404","href":"{V1}/errors/404","code":"hyperfleet-404","reason":"The requested resource '{V1}/nope' doesn't exist"}}"#
        )
    );
    assert_eq!(server.get(&format!("{V1}/errors/7")).await.status, 404);
    assert_eq!(server.get(&format!("{V1}/nodepools/a")).await.status, 404);
    for (method, path, allowed) in [
        (Method::PUT, "/clusters", "GET, POST"),
        (Method::HEAD, "/clusters", "GET, POST"),
        (Method::POST, "/nodepools", "GET"),
        (Method::POST, "/clusters/a", "DELETE, GET, PATCH"),
        (Method::DELETE, "/clusters/a/statuses", "GET, POST, PUT"),
        (Method::GET, "/clusters/a/force-delete", "POST"),
    ] {
        let answer = server.ask(method, &format!("{V1}{path}"), &[], "").await;
        assert_eq!((answer.status.as_u16(), answer.header("allow"), answer.body.len()), (405, allowed, 0), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn conflicts_and_violations_have_their_numbers() {
    let server = start(&[]).await;
    server.cluster("taken").await;
    let clusters = format!("{V1}/clusters");
    for (body, status, code, reason) in [
        (r#"{"kind":"Cluster","name":"taken","spec":{}}"#, 409, "hyperfleet-6", "This Cluster already exists"),
        (r#"{"kind":"Cluster","name":"a","spec":{},"id":"x"}"#, 400, "hyperfleet-8", "id must be empty"),
        (r#"{"kind":"Cluster","name":"a","spec":[]}"#, 400, "hyperfleet-8", "spec field must be an object"),
        ("nope", 400, "hyperfleet-17", "Invalid JSON in request body"),
        ("{}", 400, "hyperfleet-17", "Invalid request format: no value given for required property kind"),
    ] {
        let answer = server.post(&clusters, body).await;
        assert_eq!((answer.status.as_u16(), answer.reason().as_str()), (status, reason), "{body}");
        assert_eq!(answer.json()["code"], code);
    }
    let order = server.get(&format!("{clusters}?orderBy=name%20up")).await;
    assert_eq!(
        (order.json()["code"].clone(), order.reason().as_str()),
        ("hyperfleet-21".into(), "bad order value 'name up'")
    );
    server.stop().await;
}
