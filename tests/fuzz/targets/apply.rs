//! Server-side apply: two managers' configurations of one object, one after the other.
#![no_main]

use fuzz::{KINDS, parts, value};
use libfuzzer_sys::fuzz_target;
use machinery::managed_fields::{self, Manager, Scope};
use machinery::time::Timestamp;
use schema::Schema;
use serde_json::{Value, json};

fn configuration(part: &[u8], api_version: &str, schema: &Schema) -> Option<Value> {
    let mut config = value(part).filter(Value::is_object)?;
    config["apiVersion"] = json!(api_version);
    config["kind"] = json!("Example");
    // As the verb does: the metadata that comes in has its types, and what is managed is not told.
    let labels =
        config["metadata"]["labels"].as_object().filter(|labels| labels.values().all(Value::is_string)).cloned();
    config["metadata"] = json!({"name": "a", "labels": labels.unwrap_or_default()});
    managed_fields::check(&config, schema).is_ok().then_some(config)
}

fn manager<'a>(name: &'a str, api_version: &'a str) -> Manager<'a> {
    let (subresource, scope) = ("", Scope::Except(&["status"]));
    Manager { name, api_version, subresource, time: Timestamp::from_unix(1_700_000_000), scope }
}

fuzz_target!(|data: &[u8]| {
    let [one, two] = parts(data);
    for (api_version, version) in KINDS.iter() {
        let schema = &*version.schema;
        let by = |name| manager(name, api_version);
        let (Some(one), Some(two)) = (configuration(one, api_version, schema), configuration(two, api_version, schema))
        else {
            continue;
        };
        let Ok(live) = managed_fields::apply(None, &one, &by("one"), false, schema) else {
            panic!("nothing is in the way of the first apply");
        };
        let again = managed_fields::apply(Some(&live), &one, &by("one"), false, schema);
        assert_eq!(again.as_ref().ok(), Some(&live), "an apply of the same changes nothing");
        let _ = managed_fields::apply(Some(&live), &two, &by("two"), false, schema);
        let Ok(forced) = managed_fields::apply(Some(&live), &two, &by("two"), true, schema) else {
            panic!("force leaves no conflict");
        };
        let again = managed_fields::apply(Some(&forced), &two, &by("two"), false, schema);
        assert_eq!(again.as_ref().ok(), Some(&forced), "what was forced is owned");
        let mut updated = two;
        managed_fields::update(Some(&forced), &mut updated, &by("three"), schema);
    }
});
