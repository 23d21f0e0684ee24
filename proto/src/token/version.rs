//! The two versions of the kinds: `v1alpha1` says everything in texts, [`HUB`] says it in types.
//!
//! | | `v1alpha1` | `v1alpha2` |
//! |---|---|---|
//! | `spec.enabled` | `"true"`, `"false"` | `true`, `false` |
//! | `spec.ttl` | `"3600"` (seconds) or `"1h"` | `"3600s"` or `"1h"` |

use serde_json::Value;

use super::{GROUP, HUB};

/// The version of texts.
const TEXTS: &str = "v1alpha1";

/// Says what `object`, of any of the versions, says in the words of `version`.
pub fn convert(object: &mut Value, version: &str) {
    let wanted = format!("{GROUP}/{version}");
    if object["apiVersion"] == wanted.as_str() {
        return;
    }
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        let enabled = spec.get("enabled").map(|value| enabled(value, version));
        let ttl = spec.get("ttl").map(|value| ttl(value, version));
        spec.extend(enabled.map(|value| ("enabled".to_owned(), value)));
        spec.extend(ttl.map(|value| ("ttl".to_owned(), value)));
    }
    object["apiVersion"] = Value::from(wanted);
}

/// What cannot be said in the other version stays as it is, for its schema to refuse.
fn enabled(value: &Value, version: &str) -> Value {
    match (version, value) {
        (TEXTS, Value::Bool(flag)) => Value::from(flag.to_string()),
        (HUB, Value::String(text)) => text.parse::<bool>().map_or_else(|_| value.clone(), Value::from),
        _ => value.clone(),
    }
}

fn ttl(value: &Value, version: &str) -> Value {
    match value.as_str() {
        Some(text) if version == HUB && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Value::from(format!("{text}s"))
        }
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn converted(version: &str, enabled: Value, ttl: Value, to: &str) -> Value {
        let mut object =
            json!({ "apiVersion": format!("{GROUP}/{version}"), "spec": { "enabled": enabled, "ttl": ttl } });
        convert(&mut object, to);
        assert_eq!(object["apiVersion"], format!("{GROUP}/{to}"));
        object["spec"].take()
    }

    #[test]
    fn texts_become_types_and_types_become_texts() {
        let hub = json!({ "enabled": false, "ttl": "3600s" });
        assert_eq!(converted(TEXTS, json!("false"), json!("3600"), HUB), hub);
        assert_eq!(converted(HUB, json!(false), json!("3600s"), TEXTS), json!({ "enabled": "false", "ttl": "3600s" }));
        assert_eq!(converted(TEXTS, json!("true"), json!("1h"), HUB), json!({ "enabled": true, "ttl": "1h" }));
    }

    #[test]
    fn there_and_back_says_the_same() {
        for hub in [json!({ "enabled": true, "ttl": "90m" }), json!({ "enabled": false, "ttl": "10s" })] {
            let texts = converted(HUB, hub["enabled"].clone(), hub["ttl"].clone(), TEXTS);
            assert_eq!(converted(TEXTS, texts["enabled"].clone(), texts["ttl"].clone(), HUB), hub);
        }
    }

    #[test]
    fn what_is_missing_stays_missing_and_what_is_wrong_stays_wrong() {
        let mut object = json!({ "apiVersion": "tomlebreux.com/v1alpha1", "spec": { "userID": "u" } });
        convert(&mut object, HUB);
        assert_eq!(object, json!({ "apiVersion": "tomlebreux.com/v1alpha2", "spec": { "userID": "u" } }));
        let wrong = converted(TEXTS, json!("maybe"), json!(7), HUB);
        assert_eq!(wrong, json!({ "enabled": "maybe", "ttl": 7 }));
    }
}
