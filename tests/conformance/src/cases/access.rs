//! Who may: nobody without credentials, nothing without a role.

use anyhow::Result;
use serde_json::json;

use crate::cx::{Cx, patch};

cases! {
    Any: [
        the_unknown_are_unauthorized,
        the_known_without_a_role_are_forbidden,
        the_forbidden_learn_nothing,
        discovery_is_for_everybody_who_is_known,
    ],
}

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

async fn the_unknown_are_unauthorized(cx: &mut Cx) -> Result<()> {
    let object = cx.object("a").to_string();
    cx.send_as("nobody", "GET", "{r}", &[], "").await?;
    cx.send_as("nobody", "GET", "{r}/a", &[], "").await?;
    cx.send_as("nobody", "POST", "{r}", &JSON, object).await?;
    cx.send_as("nobody", "DELETE", "{r}", &[], "").await?;
    cx.send_as("nobody", "GET", "{gv}", &[], "").await?;
    for credentials in ["Bearer", "Bearer ", "Basic YWRtaW46YWRtaW4=", "nonsense", "bearer wrong"] {
        cx.send_as("nobody", "GET", "{r}", &[("authorization", credentials)], "").await?;
    }
    let forged = [("x-remote-user", "admin"), ("x-remote-group", "system:masters")];
    cx.send_as("nobody", "GET", "{r}", &forged, "").await?;
    Ok(())
}

async fn the_known_without_a_role_are_forbidden(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let object = cx.object("b").to_string();
    for (method, path, headers, body) in [
        ("GET", "{r}", &[][..], ""),
        ("GET", "{r}?watch=1&timeoutSeconds=1", &[][..], ""),
        ("GET", "{r}/a", &[][..], ""),
        ("POST", "{r}", &JSON[..], object.as_str()),
        ("PUT", "{r}/a", &JSON[..], object.as_str()),
        ("PATCH", "{r}/a", &[("content-type", patch::MERGE)][..], "{}"),
        ("DELETE", "{r}/a", &[][..], ""),
        ("DELETE", "{r}", &[][..], ""),
        ("GET", "{r}/a/status", &[][..], ""),
        ("PUT", "{r}/a/status", &JSON[..], object.as_str()),
        ("PATCH", "{r}/a/status", &[("content-type", patch::MERGE)][..], "{}"),
        ("GET", "{all}", &[][..], ""),
        ("HEAD", "{r}/a", &[][..], ""),
    ] {
        cx.send_as("bob", method, path, headers, body.to_owned()).await?;
    }
    let forged = [("x-remote-user", "admin"), ("x-remote-group", "system:masters")];
    cx.say("forged headers").send_as("bob", "GET", "{r}", &forged, "").await?;
    Ok(())
}

async fn the_forbidden_learn_nothing(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.send_as("bob", "GET", "{r}/missing", &[], "").await?;
    cx.send_as("bob", "POST", "{r}", &JSON, "{").await?;
    cx.send_as("bob", "GET", "{r}?labelSelector=a%20b", &[], "").await?;
    cx.send_as("bob", "GET", "{r}/a", &[("accept", "text/html")], "").await?;
    let body = json!({"preconditions": {"uid": "x"}}).to_string();
    cx.send_as("bob", "DELETE", "{r}/a", &JSON, body).await?;
    Ok(())
}

async fn discovery_is_for_everybody_who_is_known(cx: &mut Cx) -> Result<()> {
    cx.send_as("bob", "GET", "{gv}", &[], "").await?;
    cx.send_as("bob", "GET", "/apis/{g}", &[], "").await?;
    Ok(())
}
