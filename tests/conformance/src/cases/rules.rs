//! Rules in CEL: on creation, on update, of transitions, and what they say.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cx::Cx;

cases! {
    Ledgers: [
        rules_are_checked_on_creation,
        rules_say_why,
        rules_that_cannot_be_evaluated,
        rules_are_not_checked_on_what_is_invalid,
        rules_are_checked_on_every_way_in,
        transitions_are_compared,
        transitions_of_items_with_keys,
        transitions_of_entries,
        what_is_optional_may_have_no_old_value,
        what_did_not_change_is_tolerated,
        rules_of_the_whole_object,
        rules_of_the_status,
    ],
}

/// Creates an object of each spec, dry.
async fn try_all(cx: &mut Cx, specs: &[Value]) -> Result<()> {
    for spec in specs {
        let object = cx.object_with("a", &json!({"spec": spec}));
        cx.say(&spec.to_string()).post("{r}?dryRun=All", &object).await?;
    }
    Ok(())
}

/// Patches the spec of `a` with each, dry.
async fn change_all(cx: &mut Cx, specs: &[Value]) -> Result<()> {
    for spec in specs {
        cx.say(&spec.to_string()).merge("{r}/a?dryRun=All", &json!({"spec": spec})).await?;
    }
    Ok(())
}

async fn rules_are_checked_on_creation(cx: &mut Cx) -> Result<()> {
    let specs = [
        json!({"floor": 100}),
        json!({"floor": 101}),
        json!({"limit": 13}),
        json!({"pages": []}),
        json!({"pages": [1, 2, 3]}),
        json!({"pages": [1, 2, 3, 4]}),
        json!({"pages": [1, 2, 3, 5]}),
        json!({"rate": 1}),
        json!({"rate": 2}),
        json!({"rate": 3.5}),
        json!({"a-b": "no"}),
        json!({"tags": ["x", "y"]}),
        json!({"tags": ["x", "z"]}),
        json!({"hidden": {"a.b": "X", "z": ""}}),
        json!({"hidden": {"a.b": "X"}}),
        json!({"floor": 101, "owner": "A", "limit": 13}),
    ];
    try_all(cx, &specs).await
}

async fn rules_say_why(cx: &mut Cx) -> Result<()> {
    let specs = [
        json!({"owner": "Ann B"}),
        json!({"note": "far too long"}),
        json!({"note": "far\ntoo long"}),
        json!({"pages": [0]}),
        json!({"currency": "eur"}),
        json!({"accounts": [{"name": "a", "branch": 1, "balance": -5}]}),
    ];
    try_all(cx, &specs).await
}

async fn rules_that_cannot_be_evaluated(cx: &mut Cx) -> Result<()> {
    let specs = [
        json!({"ratio": 0}),
        json!({"share": "half"}),
        json!({"share": 2}),
        json!({"hidden": {"z": ""}}),
    ];
    try_all(cx, &specs).await
}

async fn rules_are_not_checked_on_what_is_invalid(cx: &mut Cx) -> Result<()> {
    let specs = [
        json!({"limit": null, "floor": 101}),
        json!({"floor": 101, "owner": 5}),
        json!({"floor": 101, "note": "x".repeat(50)}),
        json!({"floor": 101, "tags": ["x", "x"]}),
    ];
    try_all(cx, &specs).await
}

async fn rules_are_checked_on_every_way_in(cx: &mut Cx) -> Result<()> {
    let mut object = cx.create("a").await?.ok()?;
    change_all(cx, &[json!({"floor": 101}), json!({"floor": 99})]).await?;
    cx.json_patch("{r}/a", &json!([{"op": "add", "path": "/spec/floor", "value": 101}])).await?;
    let mut applied = cx.object("a");
    applied["spec"] = json!({"limit": 100, "floor": 101});
    let apply = [("content-type", "application/apply-patch+yaml")];
    cx.send("PATCH", "{r}/a?fieldManager=m", &apply, applied.to_string()).await?;
    object["spec"]["floor"] = json!(101);
    cx.put("{r}/a", &object).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn transitions_are_compared(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"spec": {"currency": "EUR"}})).await?;
    let specs = [
        json!({"limit": 99}),
        json!({"limit": 101}),
        json!({"currency": "USD"}),
        json!({"currency": null}),
        json!({"currency": "EUR", "note": "x"}),
    ];
    change_all(cx, &specs).await
}

async fn transitions_of_items_with_keys(cx: &mut Cx) -> Result<()> {
    let account = |name: &str, branch: i64, balance: i64| json!({"name": name, "branch": branch, "balance": balance});
    cx.create_with("a", &json!({"spec": {"accounts": [account("a", 1, 5), account("a", 2, 50)]}})).await?;
    let specs = [
        json!({"accounts": [account("a", 2, 50), account("a", 1, 5)]}),
        json!({"accounts": [account("a", 2, 49), account("a", 1, 6)]}),
        json!({"accounts": [account("b", 1, 1)]}),
        json!({"accounts": [account("b", 1, -1), account("a", 1, 4)]}),
        json!({"accounts": null}),
    ];
    change_all(cx, &specs).await
}

async fn transitions_of_entries(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"spec": {"hidden": {"a.b": "X", "z": "1"}}})).await?;
    let specs = [
        json!({"hidden": {"z": "2"}}),
        json!({"hidden": {"y": "2"}}),
        json!({"hidden": {"z": null}}),
        json!({"hidden": null}),
    ];
    change_all(cx, &specs).await
}

async fn what_is_optional_may_have_no_old_value(cx: &mut Cx) -> Result<()> {
    try_all(cx, &[json!({"currency": "EU"}), json!({"currency": "EUR"})]).await?;
    cx.create("a").await?;
    change_all(cx, &[json!({"currency": "EU"}), json!({"currency": "EUR"})]).await
}

async fn what_did_not_change_is_tolerated(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"spec": {"owner": "ann", "limit": 20}})).await?;
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    change_all(cx, &[json!({"owner": "Ann"}), json!({"note": "short"}), json!({"limit": 30, "floor": 31})]).await
}

async fn rules_of_the_whole_object(cx: &mut Cx) -> Result<()> {
    cx.create("reserved").await?;
    cx.create_with("reserved", &json!({"spec": {"floor": 101}})).await?;
    Ok(())
}

async fn rules_of_the_status(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.merge("{r}/a/status", &json!({"status": {"posted": 50}})).await?;
    for status in [
        json!({"posted": 101}),
        json!({"posted": 49}),
        json!({"phase": "Lost"}),
        json!({"phase": "Open", "posted": 60}),
        json!({"phase": 5, "posted": 101}),
    ] {
        cx.say(&status.to_string()).merge("{r}/a/status?dryRun=All", &json!({"status": status})).await?;
    }
    cx.say("an invalid spec is not looked at").merge("{r}/a/status", &json!({"spec": {"floor": 101}})).await?;
    Ok(())
}
