//! Create, get, update: what is stored, what is answered, what is refused.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cx::{Cx, merge};

cases! {
    Any: [
        create_answers_the_stored_object,
        create_wipes_what_the_server_sets,
        create_generates_a_name,
        create_needs_a_name,
        create_checks_the_name,
        create_drops_the_status,
        create_refuses_a_revision,
        create_refuses_another_kind_or_version,
        create_on_a_name_is_a_creation,
        get_answers_objects_and_misses,
        get_takes_revisions,
        put_replaces_the_spec,
        put_of_the_same_changes_nothing,
        put_needs_the_current_revision,
        put_checks_name_and_uid,
        put_does_not_create,
        put_restores_what_is_immutable,
        put_on_the_collection_is_refused,
        generation_counts_changes_of_the_spec_only,
        managers_are_recorded,
        managers_names_are_checked,
    ],
    WithStatus: [
        put_ignores_the_status,
    ],
    Namespaced: [
        create_checks_the_namespace,
        create_in_a_missing_namespace_is_refused,
        namespaced_objects_are_not_at_the_root,
    ],
    Cluster: [
        create_refuses_a_namespace,
        cluster_objects_are_in_no_namespace,
    ],
}

async fn create_answers_the_stored_object(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.get("{r}/a").await?;
    cx.say("again").create("a").await?;
    cx.create_with("b", &json!({"metadata": {"labels": {"x": "1"}, "annotations": {"y": "2"}}})).await?;
    let full = json!({"spec": cx.subject.spec(1)});
    cx.create_with("c", &full).await?;
    cx.get("{r}/c").await?;
    Ok(())
}

async fn create_wipes_what_the_server_sets(cx: &mut Cx) -> Result<()> {
    let more = json!({"metadata": {
        "uid": "e7cd7980-85aa-4ab0-857e-363aab604ddb", "creationTimestamp": "2020-01-01T00:00:00Z", "generation": 7,
        "selfLink": "/x", "deletionTimestamp": "2020-01-01T00:00:00Z", "deletionGracePeriodSeconds": 5,
    }});
    let created = cx.create_with("a", &more).await?;
    let kept = created.body["metadata"]["uid"] == more["metadata"]["uid"];
    cx.note("the uid is the client's", kept);
    let kept = created.body["metadata"]["creationTimestamp"] == more["metadata"]["creationTimestamp"];
    cx.note("the creation time is the client's", kept);
    Ok(())
}

async fn create_generates_a_name(cx: &mut Cx) -> Result<()> {
    let nameless = |prefix: &str| json!({"metadata": {"name": null, "generateName": prefix}});
    cx.create_with("", &nameless("gen-")).await?;
    cx.create_with("", &nameless("gen-")).await?;
    let long = cx.say("a long prefix").create_with("", &nameless(&"x".repeat(100))).await?;
    cx.note("the length of a name with a long prefix", long.text("/metadata/name").map(|name| name.len()).unwrap_or(0));
    cx.say("both").create_with("both", &json!({"metadata": {"generateName": "gen-"}})).await?;
    cx.say("an empty name").create_with("", &json!({"metadata": {"generateName": "gen-"}})).await?;
    cx.get("{r}?fieldSelector=metadata.name%3Dboth").await?;
    Ok(())
}

async fn create_needs_a_name(cx: &mut Cx) -> Result<()> {
    cx.create_with("", &json!({"metadata": {"name": null}})).await?;
    cx.say("an empty name").create("").await?;
    cx.say("no metadata").create_with("", &json!({"metadata": null})).await?;
    Ok(())
}

async fn create_checks_the_name(cx: &mut Cx) -> Result<()> {
    let long = "a".repeat(254);
    for name in ["Bad_Name", "a..b", "-a", "a-", "a b", "a/b", "..", ".", "a%b", "ä", long.as_str()] {
        let shown: String = name.chars().take(20).collect();
        cx.say(&shown).create(name).await?;
    }
    cx.create(&"a".repeat(253)).await?;
    cx.create("0.a-b.c").await?;
    Ok(())
}

async fn create_drops_the_status(cx: &mut Cx) -> Result<()> {
    let more = json!({"status": cx.subject.status(0)});
    cx.create_with("a", &more).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn create_refuses_a_revision(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"metadata": {"resourceVersion": "5"}})).await?;
    cx.say("zero").create_with("b", &json!({"metadata": {"resourceVersion": "0"}})).await?;
    cx.say("empty").create_with("c", &json!({"metadata": {"resourceVersion": ""}})).await?;
    Ok(())
}

async fn create_refuses_another_kind_or_version(cx: &mut Cx) -> Result<()> {
    cx.say("kind").create_with("a", &json!({"kind": "Other"})).await?;
    let (version, list) = (format!("{}/v7", cx.group), format!("{}List", cx.subject.kind));
    cx.say("version").create_with("a", &json!({"apiVersion": version})).await?;
    cx.say("group").create_with("a", &json!({"apiVersion": "other.example.com/v1"})).await?;
    cx.say("no kind").create_with("a", &json!({"kind": null})).await?;
    cx.say("no version").create_with("a", &json!({"apiVersion": null})).await?;
    cx.say("a list").create_with("a", &json!({"kind": list})).await?;
    Ok(())
}

async fn create_on_a_name_is_a_creation(cx: &mut Cx) -> Result<()> {
    let object = cx.object("a");
    cx.post("{r}/a", &object).await?;
    cx.post("{r}/a/status", &object).await?;
    cx.post("{r}/a/nope", &object).await?;
    let object = cx.object("b");
    cx.say("another name").post("{r}/a", &object).await?;
    Ok(())
}

async fn get_answers_objects_and_misses(cx: &mut Cx) -> Result<()> {
    cx.get("{r}/a").await?;
    cx.create("a").await?;
    cx.get("{r}/a").await?;
    cx.get("{r}/a?pretty=true").await?;
    cx.get("{r}/a?unknown=parameter").await?;
    cx.get("{r}/a/nope").await?;
    cx.get("{r}/a/status/nope").await?;
    cx.send("HEAD", "{r}/a", &[], "").await?;
    cx.send("HEAD", "{r}/missing", &[], "").await?;
    Ok(())
}

async fn get_takes_revisions(cx: &mut Cx) -> Result<()> {
    let revision = cx.create("a").await?.revision()?;
    cx.set("rv", &revision);
    cx.get("{r}/a?resourceVersion={rv}").await?;
    cx.get("{r}/a?resourceVersion=").await?;
    cx.get("{r}/a?resourceVersion=abc").await?;
    cx.get("{r}/a?resourceVersion=-1").await?;
    cx.get("{r}/a?resourceVersion=9223372036854775807").await?;
    cx.get("{r}/a?resourceVersion=99999999999999999999999").await?;
    Ok(())
}

async fn put_replaces_the_spec(cx: &mut Cx) -> Result<()> {
    let more = json!({"metadata": {"labels": {"x": "1"}, "annotations": {"y": "2"}}});
    let mut object = cx.create_with("a", &more).await?.ok()?;
    object["spec"] = cx.subject.spec(1);
    let mut object = cx.put("{r}/a", &object).await?.ok()?;
    object["metadata"]["labels"] = json!({"z": "3"});
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("annotations");
        metadata.remove("managedFields");
    }
    cx.put("{r}/a", &object).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn put_of_the_same_changes_nothing(cx: &mut Cx) -> Result<()> {
    let object = cx.create("a").await?.ok()?;
    cx.put("{r}/a", &object).await?;
    cx.say("as another manager").put("{r}/a?fieldManager=other", &object).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn put_needs_the_current_revision(cx: &mut Cx) -> Result<()> {
    let mut object = cx.create("a").await?.ok()?;
    let old = object["metadata"]["resourceVersion"].take();
    for (name, revision) in [("none", Value::Null), ("empty", "".into()), ("zero", "0".into()), ("a word", "abc".into())] {
        object["metadata"]["resourceVersion"] = revision;
        cx.say(name).put("{r}/a", &object).await?;
    }
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    object["metadata"]["resourceVersion"] = old;
    cx.say("stale").put("{r}/a", &object).await?;
    object["metadata"]["resourceVersion"] = "9223372036854775807".into();
    cx.say("in the future").put("{r}/a", &object).await?;
    object["metadata"]["resourceVersion"] = 5.into();
    cx.say("a number").put("{r}/a", &object).await?;
    Ok(())
}

async fn put_checks_name_and_uid(cx: &mut Cx) -> Result<()> {
    let object = cx.create("a").await?.ok()?;
    for (name, metadata) in [
        ("name", json!({"name": "b"})),
        ("no name", json!({"name": null})),
        ("uid", json!({"uid": "e7cd7980-85aa-4ab0-857e-363aab604ddb"})),
        ("no uid", json!({"uid": null})),
    ] {
        let mut changed = object.clone();
        merge(&mut changed, &json!({"metadata": metadata}));
        cx.say(name).put("{r}/a", &changed).await?;
    }
    Ok(())
}

async fn put_does_not_create(cx: &mut Cx) -> Result<()> {
    let object = cx.object("a");
    cx.put("{r}/a", &object).await?;
    let revision = cx.object_with("a", &json!({"metadata": {"resourceVersion": "5"}}));
    cx.say("with a revision").put("{r}/a", &revision).await?;
    let uid = cx.object_with("a", &json!({"metadata": {"uid": "e7cd7980-85aa-4ab0-857e-363aab604ddb"}}));
    cx.say("with a uid").put("{r}/a", &uid).await?;
    Ok(())
}

async fn put_ignores_the_status(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let status = json!({"status": cx.subject.status(0)});
    let mut object = cx.merge("{r}/a/status", &status).await?.ok()?;
    object["status"] = cx.subject.status(1);
    cx.say("only the status differs").put("{r}/a", &object).await?;
    object["spec"] = cx.subject.spec(1);
    let mut object = cx.say("spec and status differ").put("{r}/a", &object).await?.ok()?;
    if let Some(object) = object.as_object_mut() {
        object.remove("status");
    }
    cx.say("without a status").put("{r}/a", &object).await?;
    Ok(())
}

async fn put_restores_what_is_immutable(cx: &mut Cx) -> Result<()> {
    let object = cx.create_with("a", &json!({"metadata": {"labels": {"x": "1"}}})).await?.ok()?;
    for (name, metadata) in [
        ("no creation time", json!({"creationTimestamp": null, "labels": {"x": "2"}})),
        ("another creation time", json!({"creationTimestamp": "2020-01-01T00:00:00Z"})),
        ("a deletion time", json!({"deletionTimestamp": "2020-01-01T00:00:00Z"})),
        ("a grace period", json!({"deletionGracePeriodSeconds": 7})),
        ("a generation", json!({"generation": 42})),
        ("generateName", json!({"generateName": "gen-"})),
        ("selfLink", json!({"selfLink": "/x"})),
        ("an unknown field", json!({"nope": 1})),
    ] {
        let mut changed = object.clone();
        merge(&mut changed, &json!({"metadata": metadata}));
        changed["metadata"]["resourceVersion"] = cx.ask("{r}/a", &[]).await?.revision()?.into();
        cx.say(name).put("{r}/a", &changed).await?;
    }
    Ok(())
}

async fn put_on_the_collection_is_refused(cx: &mut Cx) -> Result<()> {
    let object = cx.object("a");
    cx.put("{r}", &object).await?;
    cx.merge("{r}", &object).await?;
    Ok(())
}

async fn generation_counts_changes_of_the_spec_only(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    cx.merge("{r}/a", &json!({"metadata": {"annotations": {"x": "1"}}})).await?;
    cx.merge("{r}/a", &json!({"metadata": {"generation": 42}})).await?;
    let (spec, status) = (json!({"spec": cx.subject.spec(1)}), json!({"status": cx.subject.status(1)}));
    cx.merge("{r}/a", &spec).await?;
    cx.merge("{r}/a/status", &status).await?;
    cx.say("again").merge("{r}/a", &spec).await?;
    Ok(())
}

async fn managers_are_recorded(cx: &mut Cx) -> Result<()> {
    let object = cx.object_with("a", &json!({"metadata": {"labels": {"one": "1"}, "finalizers": ["x.dev/y"]}}));
    cx.post("{r}?fieldManager=one", &object).await?;
    cx.merge("{r}/a?fieldManager=two", &json!({"metadata": {"labels": {"two": "2"}}})).await?;
    cx.say("a value taken over").merge("{r}/a?fieldManager=three", &json!({"metadata": {"labels": {"one": "3"}}})).await?;
    let (spec, status) = (json!({"spec": cx.subject.spec(1)}), json!({"status": cx.subject.status(1)}));
    cx.merge("{r}/a?fieldManager=two", &spec).await?;
    cx.merge("{r}/a/status?fieldManager=two", &status).await?;
    let agent = [("content-type", crate::cx::patch::MERGE), ("user-agent", "tool/1.2 (linux) x")];
    cx.send("PATCH", "{r}/a", &agent, r#"{"metadata":{"annotations":{"by":"agent"}}}"#).await?;
    cx.say("a label removed").merge("{r}/a?fieldManager=two", &json!({"metadata": {"labels": {"two": null}}})).await?;
    cx.say("cleared").merge("{r}/a?fieldManager=two", &json!({"metadata": {"managedFields": [{}]}})).await?;
    cx.say("after").merge("{r}/a?fieldManager=two", &json!({"metadata": {"labels": {"four": "4"}}})).await?;
    cx.say("invalid").merge("{r}/a", &json!({"metadata": {"managedFields": [{"operation": "X"}]}})).await?;
    cx.say("no longer finalized").merge("{r}/a", &json!({"metadata": {"finalizers": null}})).await?;
    Ok(())
}

async fn managers_names_are_checked(cx: &mut Cx) -> Result<()> {
    let (object, long) = (cx.object("a"), "m".repeat(129));
    cx.set("long", &long);
    cx.post("{r}?fieldManager={long}", &object).await?;
    cx.post("{r}?fieldManager=a%07b", &object).await?;
    cx.set("long", &long[..128]);
    cx.say("128").post("{r}?fieldManager={long}", &object).await?;
    cx.merge("{r}/a?fieldManager=%0A", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    Ok(())
}

async fn create_checks_the_namespace(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"metadata": {"namespace": "other"}})).await?;
    let own = json!({"metadata": {"namespace": cx.namespace.clone()}});
    let object = cx.say("the same").create_with("a", &own).await?.ok()?;
    let mut moved = object;
    merge(&mut moved, &json!({"metadata": {"namespace": "other"}}));
    cx.put("{r}/a", &moved).await?;
    Ok(())
}

async fn create_in_a_missing_namespace_is_refused(cx: &mut Cx) -> Result<()> {
    let collection = format!("{{gv}}/namespaces/missing/{}", cx.subject.plural);
    let object = cx.object("a");
    cx.post(&collection, &object).await?;
    cx.get(&collection).await?;
    cx.get(&format!("{collection}/a")).await?;
    cx.delete(&format!("{collection}/a")).await?;
    cx.delete(&collection).await?;
    cx.post(&format!("{{gv}}/namespaces/Bad_Name/{}", cx.subject.plural), &object).await?;
    Ok(())
}

async fn namespaced_objects_are_not_at_the_root(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let object = cx.object("b");
    cx.post("{all}", &object).await?;
    cx.get("{all}/a").await?;
    cx.delete("{all}/a").await?;
    cx.send("DELETE", "{all}?labelSelector=no%3Done", &[], "").await?;
    Ok(())
}

async fn create_refuses_a_namespace(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"metadata": {"namespace": "default"}})).await?;
    let mut object = cx.create("b").await?.ok()?;
    merge(&mut object, &json!({"metadata": {"namespace": "default"}}));
    cx.put("{r}/b", &object).await?;
    Ok(())
}

async fn cluster_objects_are_in_no_namespace(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let collection = format!("{{gv}}/namespaces/default/{}", cx.subject.plural);
    cx.get(&collection).await?;
    cx.get(&format!("{collection}/a")).await?;
    let object = cx.object("b");
    cx.post(&collection, &object).await?;
    Ok(())
}
