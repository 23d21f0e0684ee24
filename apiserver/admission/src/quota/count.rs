//! One more object, held against a quota.

use serde_json::Value;

/// What a quota says of one more object.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// It counts no such objects.
    NotCounted,
    /// The quota as it is with the object.
    Charged(Value),
    /// Why there may be no more.
    Refused(String),
}

/// Whether a quota limits how many objects there are of what it calls `counted`. One with scopes is about pods.
pub(super) fn counts(quota: &Value, counted: &str) -> bool {
    let spec = &quota["spec"];
    let scoped =
        spec["scopes"].as_array().is_some_and(|scopes| !scopes.is_empty()) || spec["scopeSelector"].is_object();
    // What is not in the status yet holds for nobody yet.
    !scoped && quota["status"]["hard"].get(counted).is_some()
}

/// Counts one more object.
pub(super) fn charge(quota: &Value, counted: &str) -> Verdict {
    if !counts(quota, counted) {
        return Verdict::NotCounted;
    }
    let name = quota["metadata"]["name"].as_str().unwrap_or_default();
    let amount = |part: &str| quota["status"][part].get(counted).and_then(whole);
    let (Some(used), hard) = (amount("used"), amount("hard")) else {
        return Verdict::Refused(format!("status unknown for quota: {name}, resources: {counted}"));
    };
    if hard.is_some_and(|hard| used + 1 > hard) {
        let shown = |part: &str| text(&quota["status"][part][counted]);
        let (used, limited) = (shown("used"), shown("hard"));
        return Verdict::Refused(format!(
            "exceeded quota: {name}, requested: {counted}=1, used: {counted}={used}, limited: {counted}={limited}"
        ));
    }
    let mut charged = quota.clone();
    charged["status"]["used"][counted] = Value::from((used + 1).to_string());
    Verdict::Charged(charged)
}

/// A quantity that counts things.
fn whole(quantity: &Value) -> Option<i64> {
    let text = text(quantity);
    let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let factor: i64 = match suffix {
        "" => 1,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(factor)
}

fn text(quantity: &Value) -> String {
    quantity.as_str().map_or_else(|| quantity.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COUNTED: &str = "count/widgets.gold.example.com";

    fn quota(hard: &str, used: Option<&str>) -> Value {
        let mut quota = json!({
            "metadata": { "name": "q" },
            "spec": { "hard": { COUNTED: hard } },
            "status": { "hard": { COUNTED: hard }, "used": {} },
        });
        if let Some(used) = used {
            quota["status"]["used"][COUNTED] = json!(used);
        }
        quota
    }

    #[test]
    fn one_more_is_counted_as_long_as_there_is_room() {
        let Verdict::Charged(charged) = charge(&quota("2", Some("1")), COUNTED) else { panic!("there is room") };
        assert_eq!(charged, quota("2", Some("2")));
        let refused = "exceeded quota: q, requested: count/widgets.gold.example.com=1, used: \
                       count/widgets.gold.example.com=2, limited: count/widgets.gold.example.com=2";
        assert_eq!(charge(&charged, COUNTED), Verdict::Refused(refused.to_owned()));
        let Verdict::Charged(charged) = charge(&quota("1k", Some("999")), COUNTED) else { panic!("there is room") };
        assert_eq!(charged["status"]["used"][COUNTED], "1000");
    }

    #[test]
    fn nothing_is_created_before_what_is_there_was_counted() {
        let refused = "status unknown for quota: q, resources: count/widgets.gold.example.com";
        assert_eq!(charge(&quota("2", None), COUNTED), Verdict::Refused(refused.to_owned()));
    }

    #[test]
    fn what_a_quota_does_not_name_and_what_is_of_a_scope_is_not_counted() {
        assert_eq!(charge(&quota("0", Some("0")), "count/gadgets.gold.example.com"), Verdict::NotCounted);
        let mut scoped = quota("0", Some("0"));
        scoped["spec"]["scopes"] = json!(["BestEffort"]);
        assert_eq!(charge(&scoped, COUNTED), Verdict::NotCounted);
    }

    #[test]
    fn quantities_count() {
        let cases = [("5", Some(5)), ("2k", Some(2000)), ("1Ki", Some(1024)), ("1.5", None), ("x", None)];
        for (quantity, count) in cases {
            assert_eq!(whole(&json!(quantity)), count, "{quantity}");
        }
        assert_eq!(whole(&json!(7)), Some(7));
    }
}
