//! Malformed requests. Never a 500 of our own, a panic or a dropped connection.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cx::{Cx, patch};

cases! {
    Any: [
        broken_json_is_refused,
        deep_and_odd_json,
        odd_paths,
        paths_that_name_the_verb,
        odd_names_in_paths,
        odd_methods,
        bodies_over_three_mebibytes_are_refused,
        numbers_keep_their_value,
        texts_keep_their_value,
        unknown_groups_versions_and_resources,
        odd_query_strings,
    ],
}

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

async fn broken_json_is_refused(cx: &mut Cx) -> Result<()> {
    for body in [
        "", " ", "{", "}", "[]", "null", "5", "\"text\"", "{}", "{}{}", "{\"apiVersion\":", "{\"apiVersion\":\"v1\"", "{'a':1}",
        "{\"a\":1,}", "\u{feff}{}", "nonsense", "{\"kind\":5}", "{\"apiVersion\":5,\"kind\":\"X\"}", "{\"metadata\":{}}", "\0",
    ] {
        cx.say(body).send("POST", "{r}", &JSON, body.to_owned()).await?;
        cx.say(body).send("PUT", "{r}/a", &JSON, body.to_owned()).await?;
    }
    let bytes: Vec<u8> = vec![0xff, 0xfe, b'{', b'}'];
    cx.say("bytes that are no text").send("POST", "{r}", &JSON, bytes).await?;
    let mut object = cx.object("a").to_string().into_bytes();
    object.extend_from_slice(b" trailing");
    cx.say("something after the object").send("POST", "{r}", &JSON, object).await?;
    Ok(())
}

async fn deep_and_odd_json(cx: &mut Cx) -> Result<()> {
    let deep = format!("{}{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let answer = cx.send_unrecorded("POST", "{r}", &JSON, deep).await?;
    cx.note("a hundred thousand levels are a bad request", answer.status == 400);
    let wide = format!("{{{}\"z\":1}}", (0..5_000).map(|index| format!("\"k{index}\":1,")).collect::<String>());
    let answer = cx.send_unrecorded("POST", "{r}?fieldValidation=Strict", &JSON, wide).await?;
    cx.note("five thousand unknown fields are a bad request", answer.status == 400);
    let invalid = cx.object("a").to_string().replace("\"a\"", "\"a\\ud800\"");
    cx.say("half a surrogate pair").send("POST", "{r}?dryRun=All", &JSON, invalid).await?;
    let body = cx.object("a").to_string().replace("\"name\"", "\"na\\u006de\"");
    cx.say("an escaped key").send("POST", "{r}?dryRun=All", &JSON, body).await?;
    let upper = cx.object("a").to_string().replace("\"name\"", "\"NAME\"");
    cx.say("a key in upper case").send("POST", "{r}?dryRun=All", &JSON, upper).await?;
    Ok(())
}

async fn odd_paths(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    for path in [
        "{r}/", "{r}/a/", "{r}//a", "/{r}", "{r}/a?", "{r}?&&", "{r}/a/b/c", "{r}/a/status/", "{gv}", "{gv}/", "{r}/%", "{gv}/namespaces",
        "{gv}/namespaces/{ns}", "{gv}/namespaces//x", "{gv}/proxy/a",
    ] {
        if path.ends_with('%') {
            continue; // no client can send it
        }
        let answer = cx.ask(path, &[]).await?;
        cx.note(path, json!({"status": answer.status, "message": answer.body["message"]}));
    }
    Ok(())
}

/// As it was done before `?watch=1`.
async fn paths_that_name_the_verb(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.create("b").await?;
    let plural = cx.subject.plural;
    let watch = format!("{{gv}}/watch/namespaces/{{ns}}/{plural}");
    for rest in ["", "/", "/a", "/a/more", "/missing", "/a?fieldSelector=metadata.name%3Da", "/a?fieldSelector=metadata.name%3Db"] {
        let query = if rest.contains('?') { "&timeoutSeconds=1" } else { "?timeoutSeconds=1" };
        cx.watched(&format!("{watch}{rest}{query}")).await?;
    }
    cx.send("POST", &format!("{watch}?timeoutSeconds=1"), &JSON, "{}").await?;
    cx.get(&format!("{watch}/a/status?timeoutSeconds=1")).await?;
    for path in ["proxy/namespaces/{ns}/", "proxy/namespaces/{ns}/a/", "namespaces/{ns}/status/", "namespaces//"] {
        cx.get(&format!("{{gv}}/{path}{plural}/a?timeoutSeconds=1")).await?;
    }
    cx.get(&format!("{{gv}}/proxy/namespaces/{{ns}}/{plural}/a/b/c")).await?;
    cx.get("{r}//status").await?;
    cx.delete("{r}//a").await?;
    Ok(())
}

async fn odd_names_in_paths(cx: &mut Cx) -> Result<()> {
    for name in ["%2e%2e", "%2e", "..%2fa", "a%2Fb", "a%20b", "A", "-a", "a%00", "%C3%A4", "a%25b", "a;b", "a:b", "a,b", "a=b", "%FF"] {
        cx.get(&format!("{{r}}/{name}")).await?;
    }
    let long = "a".repeat(1000);
    cx.get(&format!("{{r}}/{long}")).await?;
    let object = cx.object("Bad_Name");
    cx.put("{r}/Bad_Name", &object).await?;
    cx.delete("{r}/%2e%2e").await?;
    cx.merge("{r}/%2e%2e", &json!({})).await?;
    Ok(())
}

async fn odd_methods(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    for method in ["OPTIONS", "FOO", "TRACE", "get", "PROPFIND"] {
        cx.send(method, "{r}", &[], "").await?;
        cx.send(method, "{r}/a", &[], "").await?;
    }
    cx.send("GET", "{r}/a", &JSON, "a body on a GET").await?;
    cx.send("POST", "{gv}", &JSON, "{}").await?;
    Ok(())
}

async fn bodies_over_three_mebibytes_are_refused(cx: &mut Cx) -> Result<()> {
    let padding = |bytes: usize| json!({"spec": {"padding": "x".repeat(bytes)}});
    let large = cx.object_with("a", &padding(3 * 1024 * 1024 + 1)).to_string();
    cx.say("create").send("POST", "{r}", &JSON, large.clone()).await?;
    cx.create("a").await?;
    cx.say("update").send("PUT", "{r}/a", &JSON, large).await?;
    let patched = padding(3 * 1024 * 1024 + 1).to_string();
    cx.say("patch").send("PATCH", "{r}/a", &[("content-type", patch::MERGE)], patched).await?;
    cx.say("delete").send("DELETE", "{r}/a", &JSON, " ".repeat(3 * 1024 * 1024 + 1)).await?;
    cx.say("just below").create_with("b", &padding(1024 * 1024)).await?;
    cx.get_as(crate::cx::accept::PARTIAL, "{r}/b").await?;
    Ok(())
}

async fn numbers_keep_their_value(cx: &mut Cx) -> Result<()> {
    let spec = cx.subject.specs[0];
    for (index, number) in ["1e2", "1.0", "-0", "9007199254740993", "9223372036854775807", "9223372036854775808", "1e400", "0.1", "00", "+1", "NaN"]
        .iter()
        .enumerate()
    {
        let body = format!(
            r#"{{"apiVersion":"{}/{}","kind":"{}","metadata":{{"name":"n{index}","generation":{number}}},"spec":{spec},"unknown":{number}}}"#,
            cx.group, cx.subject.version, cx.subject.kind
        );
        cx.say(number).send("POST", "{r}?dryRun=All", &JSON, body).await?;
    }
    Ok(())
}

async fn texts_keep_their_value(cx: &mut Cx) -> Result<()> {
    let texts = json!({
        "html": "<a href=\"x\">&amp;</a>", "unicode": "äöü 漢字 \u{1f600}", "control": "\u{1}\u{7f}\t\r\n", "lines": "\u{2028}\u{2029}",
        "replacement": "\u{fffd}", "slash": "a/b\\c", "empty": "",
    });
    cx.create_with("a", &json!({"metadata": {"annotations": texts}})).await?;
    cx.get("{r}/a").await?;
    cx.get_as("application/yaml", "{r}/a").await?;
    Ok(())
}

async fn unknown_groups_versions_and_resources(cx: &mut Cx) -> Result<()> {
    cx.get("/apis/{g}/v7").await?;
    cx.get("/apis/{g}/v7/things").await?;
    cx.get("{gv}/things").await?;
    cx.get("{gv}/namespaces/{ns}/things").await?;
    cx.get("{gv}/namespaces/{ns}/things/a").await?;
    let object = cx.object("a");
    cx.post("{gv}/namespaces/{ns}/things", &object).await?;
    cx.get("{r}/a/scale").await?;
    cx.get("{r}/a/nope").await?;
    Ok(())
}

async fn odd_query_strings(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    for query in ["=", "&", "?", "limit", "limit=", "labelSelector", "watch=&timeoutSeconds=1", "fieldSelector=%00", "x=%zz", "limit=1;x", "a=b=c", "limit=%31"] {
        cx.get(&format!("{{r}}?{query}")).await.or_else(|error| skip_if_unsendable(&error))?;
    }
    Ok(())
}

/// Some query strings no HTTP library sends.
fn skip_if_unsendable(error: &anyhow::Error) -> Result<crate::cx::Answer> {
    anyhow::ensure!(format!("{error:#}").contains("is no path"), "{error:#}");
    Ok(crate::cx::Answer { status: 0, body: Value::Null })
}
