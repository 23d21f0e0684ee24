//! Errors in both shapes: the first version's, and RFC 9457 for who asks for it.

use anyhow::Result;
use serde_json::json;

use crate::cx::Cx;
use crate::shape::keys;

cases![errors_have_the_first_versions_shape, problems_are_for_who_accepts_them, problems_carry_their_trace];

const PROBLEM: &str = "application/problem+json";

async fn errors_have_the_first_versions_shape(cx: &Cx) -> Result<()> {
    cx.cluster("a").await?;
    for (answer, status, code) in [
        (cx.get("/clusters/none").await?, 404, 7),
        (cx.post("/clusters", &cx.body("a")).await?, 409, 6),
        (cx.post("/clusters", &json!({})).await?, 400, 0),
        (cx.get("/clusters?search=name%20%3D").await?, 400, 21),
        (cx.get("/clusters?orderBy=nope").await?, 400, 21),
        (cx.send("POST", "/clusters", &[], "{").await?, 400, 17),
    ] {
        assert_eq!((answer.status, answer.header("content-type")), (status, Some("application/json")));
        assert_eq!(keys(&answer.body, "")?, ["code", "href", "id", "kind", "operation_id", "reason"]);
        let error = answer.json()?;
        let number = error["id"].as_str().unwrap_or_default();
        assert!(code == 0 || number == code.to_string(), "{error}");
        assert_eq!(error["code"], json!(format!("hyperfleet-{number}")));
        assert_eq!(error["href"], json!(format!("/api/hyperfleet/v1/errors/{number}")));
        assert_eq!(error["kind"], "Error");
        assert_eq!(error["operation_id"].as_str(), answer.header("x-operation-id"));
        assert_eq!(answer.header("x-request-id"), answer.header("x-operation-id"));
    }
    Ok(())
}

async fn problems_are_for_who_accepts_them(cx: &Cx) -> Result<()> {
    cx.cluster("a").await?;
    let accept = [("accept", PROBLEM)];
    let taken = cx.body("a").to_string();
    for (method, path, body, status, code) in [
        ("GET", "/clusters/none", "", 404, "HYPERFLEET-NTF-"),
        ("POST", "/clusters", taken.as_str(), 409, "HYPERFLEET-CNF-"),
        ("POST", "/clusters", "{}", 400, "HYPERFLEET-VAL-"),
        ("GET", "/clusters?search=name%20%3D", "", 400, "HYPERFLEET-VAL-"),
        ("GET", "/nothing", "", 404, "HYPERFLEET-NTF-"),
    ] {
        let answer = cx.send(method, path, &accept, body.to_owned()).await?;
        assert_eq!((answer.status, answer.header("content-type")), (status, Some(PROBLEM)), "{method} {path}");
        let problem = answer.json()?;
        assert_eq!(problem["status"], json!(status));
        assert!(problem["code"].as_str().is_some_and(|found| found.starts_with(code)), "{problem}");
        for key in ["type", "title", "detail", "timestamp", "instance"] {
            assert!(problem[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {problem}");
        }
    }
    let both = cx.send("GET", "/clusters/none", &[("accept", "application/json, application/problem+json")], "").await?;
    assert_eq!(both.header("content-type"), Some(PROBLEM));
    let any = cx.send("GET", "/clusters/none", &[("accept", "*/*")], "").await?;
    assert_eq!(any.header("content-type"), Some("application/json"));
    Ok(())
}

async fn problems_carry_their_trace(cx: &Cx) -> Result<()> {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let answer = cx.send("GET", "/clusters/none", &[("accept", PROBLEM), ("traceparent", &parent)], "").await?;
    let problem = answer.json()?;
    assert!(problem["trace_id"].as_str().is_some_and(|id| !id.is_empty()), "{problem}");
    Ok(())
}
