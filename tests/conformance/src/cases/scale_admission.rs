//! Webhooks on the scale subresource: what they see is a Scale, and what they change is the number.

use anyhow::Result;
use serde_json::json;

use crate::cx::Cx;
use crate::hooks::{
    self, Sort::{Mutating, Validating}, asked_of_scales, deny, install, patch, remove, webhook_of,
};

cases! {
    Racks: [
        a_scale_is_reviewed_as_one,
        a_scale_is_mutated,
        a_scale_is_refused,
    ],
}

async fn a_scale_is_reviewed_as_one(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?.ok()?;
    for sort in [Mutating, Validating] {
        let hook = webhook_of(cx, "see", &["*"], &["{}/scale"], &json!({}));
        install(cx, sort, "case", &[hook]).await?;
        cx.merge("{r}/a/scale?fieldManager=tester", &json!({"spec": {"replicas": 3}})).await?;
        asked_of_scales(cx, "the review of a patch");
        let mut scale = cx.get("{r}/a/scale").await?.ok()?;
        scale["spec"]["replicas"] = json!(4);
        cx.put("{r}/a/scale", &scale).await?;
        asked_of_scales(cx, "the review of an update");
        cx.merge("{r}/a", &json!({"spec": {"replicas": 5}})).await?;
        asked_of_scales(cx, "the object is another matter");
        remove(cx, sort, "case").await?;
    }
    Ok(())
}

async fn a_scale_is_mutated(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?.ok()?;
    let hook = webhook_of(cx, "mutate", &["*"], &["{}/scale"], &json!({}));
    install(cx, Mutating, "case", &[hook]).await?;
    hooks::on(cx, "/mutate", |_| patch(&json!([{"op": "replace", "path": "/spec/replicas", "value": 7}])));
    cx.merge("{r}/a/scale", &json!({"spec": {"replicas": 3}})).await?;
    let object = cx.ask("{r}/a", &[]).await?.ok()?;
    cx.note("what became of it", object["spec"].clone());
    remove(cx, Mutating, "case").await
}

async fn a_scale_is_refused(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?.ok()?;
    let hook = webhook_of(cx, "deny", &["*"], &["*/scale"], &json!({}));
    install(cx, Validating, "case", &[hook]).await?;
    hooks::on(cx, "/deny", |_| deny(&json!({"message": "large enough"})));
    cx.merge("{r}/a/scale", &json!({"spec": {"replicas": 3}})).await?;
    cx.get("{r}/a").await?;
    remove(cx, Validating, "case").await
}
