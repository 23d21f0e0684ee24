//! Media types: what is accepted, what is answered.

use anyhow::Result;
use serde_json::json;

use crate::cx::{Cx, accept};

cases! {
    Any: [
        accept_headers_are_negotiated,
        errors_are_negotiated,
        metadata_of_one_and_of_many,
        bodies_of_every_media_type,
        yaml_goes_in_and_comes_out,
        answers_are_pretty_when_asked,
        large_answers_are_compressed_when_allowed,
    ],
}

async fn accept_headers_are_negotiated(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    for media in [
        "*/*",
        "application/*",
        "",
        "application/json",
        "application/yaml",
        "text/html",
        "text/html,application/xhtml+xml,*/*;q=0.8",
        "text/plain",
        "application/json;q=0.1,application/yaml;q=0.9",
        "application/yaml,application/json",
        "application/json;charset=utf-8",
        "application/json;stream=watch",
        "application/vnd.kubernetes.protobuf",
        "application/vnd.kubernetes.protobuf,application/json",
        "application/cbor",
        "application/cbor,application/json",
        "application/json;pretty=1",
        "nonsense",
        ";;;",
    ] {
        cx.get_as(media, "{r}/a").await?;
    }
    Ok(())
}

async fn errors_are_negotiated(cx: &mut Cx) -> Result<()> {
    for media in ["application/yaml", accept::PARTIAL, "text/html", "application/vnd.kubernetes.protobuf"] {
        cx.get_as(media, "{r}/missing").await?;
        cx.get_as(media, "{r}?labelSelector=a%20b").await?;
    }
    Ok(())
}

async fn metadata_of_one_and_of_many(cx: &mut Cx) -> Result<()> {
    cx.get_as(accept::PARTIAL_LIST, "{r}").await?;
    cx.create_with("a", &json!({"metadata": {"labels": {"x": "1"}, "finalizers": ["x.dev/y"]}})).await?;
    cx.get_as(accept::PARTIAL, "{r}/a").await?;
    cx.get_as(accept::PARTIAL_LIST, "{r}").await?;
    cx.get_as("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1beta1", "{r}/a").await?;
    cx.get_as("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1beta1", "{r}").await?;
    cx.say("one as many").get_as(accept::PARTIAL_LIST, "{r}/a").await?;
    cx.say("many as one").get_as(accept::PARTIAL, "{r}").await?;
    cx.get_as(&format!("{},application/json", accept::PARTIAL_LIST.replace("json;", "vnd.kubernetes.protobuf;")), "{r}").await?;
    cx.get_as("application/yaml;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", "{r}/a").await?;
    cx.get_as("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v9", "{r}/a").await?;
    let patch = [("accept", accept::PARTIAL), ("content-type", crate::cx::patch::MERGE)];
    cx.send("PATCH", "{r}/a", &patch, r#"{"metadata":{"finalizers":null}}"#).await?;
    Ok(())
}

async fn bodies_of_every_media_type(cx: &mut Cx) -> Result<()> {
    let object = cx.object("a").to_string();
    for media in [
        "text/plain", "application/x-www-form-urlencoded", "application/cbor", "application/vnd.kubernetes.protobuf",
        "application/json;charset=utf-8", "application/JSON", "nonsense", "application/json, application/yaml", "",
    ] {
        cx.send("POST", "{r}?dryRun=All", &[("content-type", media)], object.clone()).await?;
        cx.send("PUT", "{r}/a", &[("content-type", media)], object.clone()).await?;
    }
    cx.say("none").send("POST", "{r}?dryRun=All", &[], object).await?;
    Ok(())
}

async fn yaml_goes_in_and_comes_out(cx: &mut Cx) -> Result<()> {
    let spec = cx.subject.specs[0];
    let head = format!("apiVersion: {}/{}\nkind: {}\n", cx.group, cx.subject.version, cx.subject.kind);
    let yaml = [("content-type", "application/yaml"), ("accept", "application/yaml")];
    let document = format!("{head}metadata:\n  name: a\n  annotations:\n    text: |\n      two\n      lines\n    yes: \"no\"\nspec: {spec}\n");
    cx.say("create").send("POST", "{r}", &yaml, document).await?;
    cx.get_as("application/yaml", "{r}/a").await?;
    cx.get_as("application/yaml", "{r}").await?;
    for (name, text) in [
        ("an anchor", format!("{head}metadata: &m {{name: b}}\nspec: {spec}\n")),
        ("a duplicate key", format!("{head}metadata: {{name: c, name: d}}\nspec: {spec}\n")),
        ("a boolean annotation", format!("{head}metadata: {{name: e, annotations: {{a: yes}}}}\nspec: {spec}\n")),
        ("a tab", format!("{head}metadata:\n\tname: f\n")),
        ("two documents", format!("{head}metadata: {{name: g}}\nspec: {spec}\n---\n{head}metadata: {{name: h}}\n")),
        ("JSON", format!("{{\"apiVersion\": \"{}/{}\", \"kind\": \"{}\", \"metadata\": {{\"name\": \"i\"}}, \"spec\": {spec}}}",
            cx.group, cx.subject.version, cx.subject.kind)),
        ("a scalar", "just text".to_owned()),
        ("nothing", String::new()),
    ] {
        cx.say(name).send("POST", "{r}?dryRun=All", &[("content-type", "application/yaml")], text).await?;
    }
    Ok(())
}

async fn answers_are_pretty_when_asked(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    for pretty in ["true", "1", "false", "0", ""] {
        cx.get(&format!("{{r}}/a?pretty={pretty}")).await?;
    }
    for agent in ["curl/8.5.0", "Mozilla/5.0", "Wget/1.21"] {
        cx.send("GET", "{r}/a", &[("user-agent", agent)], "").await?;
        cx.send("GET", "{r}/missing", &[("user-agent", agent)], "").await?;
    }
    cx.get("{r}/missing?pretty=true").await?;
    Ok(())
}

async fn large_answers_are_compressed_when_allowed(cx: &mut Cx) -> Result<()> {
    cx.create_with("small", &json!({"metadata": {"annotations": {"a": "x"}}})).await?;
    cx.create_with("large", &json!({"metadata": {"annotations": {"a": "x".repeat(200 * 1024)}}})).await?;
    for encoding in ["gzip", "deflate, gzip;q=0.5", "identity", "gzip;q=0", "br", "*"] {
        for name in ["small", "large"] {
            // The bytes of a compressed body depend on the compressor: only the headers are compared.
            let answer = cx.ask_headers(&format!("{{r}}/{name}"), &[("accept-encoding", encoding)]).await?;
            cx.note(&format!("{name} with {encoding}"), answer);
        }
    }
    Ok(())
}
