//! What no client should send: a 4xx in the documented shape, never a 500, never a dropped connection.

use anyhow::Result;
use kit::Response;
use serde_json::{Value, json};

use crate::cx::{Cx, encode, path};
use crate::shape::keys;

cases![
    names_that_are_too_long,
    names_of_every_sort,
    nul_and_broken_text,
    deep_json,
    wide_json,
    numbers_beyond_all_bounds,
    keys_that_come_twice,
    large_bodies,
    broken_bytes,
    odd_ids,
    odd_queries,
    labels_of_every_sort,
    bodies_of_the_wrong_kind_everywhere,
    odd_headers,
];

/// A refusal: 4xx in the documented shape, without a word about the database.
fn refused(answer: &Response, what: &str) -> Result<()> {
    assert!((400..500).contains(&answer.status), "{what}: {}: {}", answer.status, answer.text());
    if answer.status == 405 && answer.body.is_empty() {
        return Ok(());
    }
    let keys = keys(&answer.body, "")?;
    let documented = ["code", "href", "id", "reason"].iter().all(|key| keys.iter().any(|found| found == key));
    assert!(documented, "{what}: {}", answer.text());
    let text = answer.text().to_lowercase();
    for word in ["sqlite", "postgres", "sqlx", "panicked", "select ", "varchar"] {
        assert!(!text.contains(word), "{what}: {text}");
    }
    Ok(())
}

/// Taken or refused, but nothing of ours broke.
fn answered(answer: &Response, what: &str) -> Result<()> {
    if answer.status < 300 { Ok(()) } else { refused(answer, what) }
}

async fn names_that_are_too_long(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    for length in [64, 256, 100_000] {
        let name = format!("{}{}", cx.run, "x".repeat(length - cx.run.len()));
        let body = json!({"kind": "Cluster", "name": name, "spec": {}});
        let answer = cx.post("/clusters", &body).await?;
        refused(&answer, "a long name")?;
        assert_eq!(answer.status, 400);
        assert!(answer.json()?["reason"].as_str().is_some_and(|reason| reason.contains("name")), "{}", answer.text());
    }
    let body = json!({"kind": "NodePool", "name": "x".repeat(256), "spec": {}});
    refused(&cx.post(&format!("{}/nodepools", path(&cluster)), &body).await?, "a long name of a node pool")
}

async fn names_of_every_sort(cx: &Cx) -> Result<()> {
    for name in ["", " ", "-", "UPPER", "\u{e9}\u{1f600}", "a b", "a/b", "a'b", "..", "%00", "a\nb", "a\u{202e}b", "\"", "<script>"] {
        let body = json!({"kind": "Cluster", "name": name, "spec": {}});
        let answer = cx.post("/clusters", &body).await?;
        answered(&answer, name)?;
        if let Ok(cluster) = answer.success() {
            assert_eq!(cluster["name"], name);
            assert_eq!(cx.read(&cluster).await?["name"], name);
            cx.delete(&path(&cluster)).await?;
        }
    }
    Ok(())
}

async fn nul_and_broken_text(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    for (key, value) in [
        ("name", json!("a\0b")),
        ("kind", json!("Clu\0ster")),
        ("spec", json!({"a\0b": 1})),
        ("spec", json!({"a": "b\0c"})),
        ("spec", json!({"a": [{"b": "\0"}]})),
        ("labels", json!({"a\0b": "c"})),
        ("labels", json!({"a": "b\0c"})),
    ] {
        let mut body = cx.body("b");
        body[key] = value.clone();
        let answer = cx.post("/clusters", &body).await?;
        answered(&answer, &format!("{key} {value:?}"))?;
        if let Ok(made) = answer.success() {
            assert_eq!(cx.read(&made).await?[key], value, "{key}");
            cx.delete(&path(&made)).await?;
        }
        if ["spec", "labels"].contains(&key) {
            answered(&cx.patch(&path(&cluster), &json!({key: value})).await?, key)?;
        }
    }
    for (key, value) in [
        ("adapter", json!("a\0b")),
        ("data", json!({"a": {"b": "\0"}})),
        ("metadata", json!({"job_name": "\0"})),
        ("conditions", json!([{"type": "Avail\0able", "status": "True"}])),
        ("conditions", json!([{"type": "Available", "status": "True", "reason": "\0", "message": "\0", "own": "\0"}])),
    ] {
        let mut body = crate::cx::report("dns", 1, &[("Available", "True")]);
        body[key] = value;
        answered(&cx.report(&cluster, &body).await?, key)?;
    }
    // Half a surrogate pair is no text.
    for body in [r#"{"kind":"Cluster","name":"a\ud800","spec":{}}"#, r#"{"kind":"Cluster","name":"a","spec":{"a":"\udfff"}}"#] {
        refused(&cx.send("POST", "/clusters", &[], body).await?, body)?;
    }
    assert_eq!(cx.get("/compatibility").await?.status, 200);
    Ok(())
}

async fn deep_json(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    for levels in [200, 10_000, 100_000] {
        let deep = format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        let array = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for (place, body) in [
            ("/clusters".to_owned(), deep.clone()),
            ("/clusters".to_owned(), array.clone()),
            ("/clusters".to_owned(), format!(r#"{{"kind":"Cluster","name":"{}-d{levels}","spec":{deep}}}"#, cx.run)),
            ("/clusters".to_owned(), format!(r#"{{"kind":"Cluster","name":"{}-e{levels}","spec":{{"a":{array}}}}}"#, cx.run)),
            (
                format!("{}/statuses", path(&cluster)),
                format!(r#"{{"adapter":"d","observed_generation":1,"conditions":[],"data":{{"a":{deep}}}}}"#),
            ),
        ] {
            let answer = cx.send("POST", &place, &[], body).await?;
            answered(&answer, "a deep body")?;
            if let Some(made) = answer.success().ok().filter(|made| made["href"].is_string()) {
                assert_eq!(cx.get(&path(&made)).await?.status, 200);
            }
        }
    }
    Ok(())
}

async fn wide_json(cx: &Cx) -> Result<()> {
    let wide: serde_json::Map<String, Value> = (0..20_000).map(|number| (format!("key-{number}"), json!(number))).collect();
    let mut body = cx.body("a");
    body["spec"] = Value::Object(wide);
    answered(&cx.post("/clusters", &body).await?, "a wide spec")?;
    let labels: serde_json::Map<String, Value> = (0..2_000).map(|number| (format!("key-{number}"), json!("x"))).collect();
    let mut body = cx.body("b");
    body["labels"] = Value::Object(labels);
    answered(&cx.post("/clusters", &body).await?, "many labels")
}

async fn numbers_beyond_all_bounds(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    for (place, number) in ["1e400", "-1e400", "123456789012345678901234567890", "1e-400", "-0", "0.1e1"].iter().enumerate() {
        let name = cx.name(&format!("n{place}"));
        let body = format!(r#"{{"kind":"Cluster","name":"{name}","spec":{{"n":{number}}}}}"#);
        answered(&cx.send("POST", "/clusters", &[], body).await?, number)?;
        let body = format!(r#"{{"adapter":"dns","observed_generation":{number},"conditions":[]}}"#);
        let place = format!("{}/statuses", path(&cluster));
        answered(&cx.send("POST", &place, &[], body).await?, number)?;
    }
    for number in ["NaN", "Infinity", "01", "+1", ".5", "0x10"] {
        let body = format!(r#"{{"kind":"Cluster","name":"{}","spec":{{"n":{number}}}}}"#, cx.name("bad"));
        refused(&cx.send("POST", "/clusters", &[], body).await?, number)?;
    }
    for search in ["generation = 1e400", "generation = 99999999999999999999", "spec.n = 1e400", "generation = -9223372036854775809"] {
        answered(&cx.get(&format!("/clusters?search={}", encode(search))).await?, search)?;
    }
    Ok(())
}

async fn keys_that_come_twice(cx: &Cx) -> Result<()> {
    let name = cx.name("a");
    let body = format!(r#"{{"kind":"Cluster","name":"x","name":"{name}","spec":{{}}}}"#);
    let answer = cx.send("POST", "/clusters", &[], body).await?;
    answered(&answer, "a key that comes twice")?;
    let body = format!(r#"{{"kind":"Cluster","name":"{name}-2","spec":{{"a":1,"a":2}}}}"#);
    answered(&cx.send("POST", "/clusters", &[], body).await?, "a key that comes twice in the spec")
}

async fn large_bodies(cx: &Cx) -> Result<()> {
    let mut body = cx.body("a");
    body["spec"] = json!({"text": "x".repeat(500_000)});
    answered(&cx.post("/clusters", &body).await?, "half a megabyte")?;
    let mut body = cx.body("b");
    body["spec"] = json!({"text": "x".repeat(64 << 20)});
    // Whoever stops reading may close before all is sent.
    if let Ok(answer) = cx.post("/clusters", &body).await {
        refused(&answer, "64 MiB")?;
    }
    assert_eq!(cx.get("/compatibility").await?.status, 200);
    Ok(())
}

async fn broken_bytes(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let bodies: [&[u8]; 6] =
        [b"\xff\xfe{}", b"\x00", b"{\"kind\":\"\xff\"}", b"\xef\xbb\xbf{}", b"{\"kind\":\"Cluster\",\"name\":\"\xc3\x28\",\"spec\":{}}", b"\x1f\x8b\x08"];
    for body in bodies {
        for (method, place) in
            [("POST", "/clusters".to_owned()), ("PATCH", path(&cluster)), ("POST", format!("{}/statuses", path(&cluster)))]
        {
            let answer = cx.send(method, &place, &[], body.to_vec()).await?;
            refused(&answer, &format!("{method} {place} {body:?}"))?;
            assert_eq!(answer.status, 400);
        }
    }
    Ok(())
}

async fn odd_ids(cx: &Cx) -> Result<()> {
    for id in ["%00", "%ff", "%27", "'%20or%20'1'='1", "..", "%2e%2e", "a%2Fb", "%E2%80%AE", "*", &"x".repeat(5000), "%", "%zz", "-1", "null"] {
        for place in [format!("/clusters/{id}"), format!("/clusters/{id}/nodepools/{id}"), format!("/clusters/{id}/statuses")] {
            let answer = cx.get(&place).await?;
            refused(&answer, &place)?;
            assert!([400, 404, 414].contains(&answer.status), "{place}: {}", answer.status);
        }
        refused(&cx.patch(&format!("/clusters/{id}"), &json!({"spec": {}})).await?, id)?;
        refused(&cx.delete(&format!("/clusters/{id}")).await?, id)?;
    }
    Ok(())
}

async fn odd_queries(cx: &Cx) -> Result<()> {
    for query in [
        "search=%ff", "search=%00", "search=%", "search=%zz", "orderBy=%ff", "orderBy=%00", "fields=%ff", "fields=%00", "fields=",
        "fields=,", "fields=.", "fields=..", "page=%00", "pageSize=%ff", "page=99999999999999999999", "pageSize=-99999999999999999999",
        "search", "search=&search=name%3D'x'", "&&&", "====", "%", "search=+", "orderBy=+", "size=0x10", "fields=a.b.c.d.e.f.g",
    ] {
        for place in ["/clusters", "/nodepools"] {
            answered(&cx.get(&format!("{place}?{query}")).await?, query)?;
        }
    }
    let fields = format!("fields={}", vec!["name"; 5_000].join(","));
    answered(&cx.get(&format!("/clusters?{fields}")).await?, "many fields")
}

async fn labels_of_every_sort(cx: &Cx) -> Result<()> {
    for (place, labels) in [
        json!({"": "x"}),
        json!({"a b": "x"}),
        json!({"a": "b c"}),
        json!({"x".repeat(300): "x"}),
        json!({"a": "x".repeat(70_000)}),
        json!({"a": null}),
        json!({"a": 5}),
        json!({"a": {"b": "c"}}),
        json!(["a"]),
        json!("a"),
        json!({"\u{e9}": "\u{1f600}"}),
        json!({"a'b": "c'd"}),
        json!({"example.com/a": "b"}),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = cx.body(&format!("l{place}"));
        body["labels"] = labels.clone();
        let answer = cx.post("/clusters", &body).await?;
        answered(&answer, &labels.to_string())?;
        if let Ok(made) = answer.success() {
            assert_eq!(cx.read(&made).await?["labels"], labels);
        }
    }
    Ok(())
}

async fn bodies_of_the_wrong_kind_everywhere(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    let pool = cx.nodepool(&cluster, "np1").await?;
    let places = [
        ("POST", "/clusters".to_owned()),
        ("PATCH", path(&cluster)),
        ("POST", format!("{}/nodepools", path(&cluster))),
        ("PATCH", path(&pool)),
        ("POST", format!("{}/statuses", path(&cluster))),
        ("PUT", format!("{}/statuses", path(&pool))),
        ("POST", format!("{}/force-delete", path(&cluster))),
    ];
    for (method, place) in &places {
        for body in ["", "null", "true", "5", "\"x\"", "[]", "[{}]", "{}", "{\"spec\":1}", "{\"name\":{}}", "{\"conditions\":1}", "{\"reason\":[]}"] {
            let answer = cx.send(method, place, &[], body).await?;
            // A change of nothing, and of what cannot be changed, is one that changes nothing.
            let nothing = *method == "PATCH" && ["{}", "{\"conditions\":1}", "{\"reason\":[]}"].contains(&body);
            if !nothing {
                refused(&answer, &format!("{method} {place} {body}"))?;
            }
        }
    }
    Ok(())
}

async fn odd_headers(cx: &Cx) -> Result<()> {
    for (name, value) in [
        ("accept", "nonsense"),
        ("accept", ";;;"),
        ("accept-encoding", "nonsense"),
        ("authorization", "Bearer"),
        ("authorization", "Nonsense x"),
        ("x-operation-id", "../../etc/passwd"),
        ("traceparent", "nonsense"),
        ("traceparent", "00-00000000000000000000000000000000-0000000000000000-00"),
        ("content-type", "text/plain; charset=nonsense"),
        ("if-match", "*"),
        ("range", "bytes=0-1"),
    ] {
        let answer = cx.send("GET", "/clusters?pageSize=1", &[(name, value)], "").await?;
        assert_eq!(answer.status, 200, "{name}: {value}");
    }
    let encoded = cx.send("POST", "/clusters", &[("content-encoding", "gzip")], cx.body("a").to_string()).await?;
    answered(&encoded, "a body that is said to be compressed")
}
