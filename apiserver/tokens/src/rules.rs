//! What is wrong with a token that its schema cannot tell.

use std::time::Duration;

use machinery::{
    field::{Error, ErrorList},
    time::parse_duration,
};
use proto::token::{self, HUB};
use serde_json::Value;

/// Nobody means more than ten years.
const LONGEST: Duration = Duration::from_secs(87_600 * 3600);
/// The fields that stay as they were made.
const FIXED: [&str; 2] = ["userID", "clusterName"];

/// The problems of `object`, which is to replace `old`.
pub(crate) fn validate(object: &Value, old: Option<&Value>) -> ErrorList {
    let mut errors = ErrorList::new();
    errors.extend(user(object));
    let ttl = ttl(object);
    if let Some(old) = old {
        let changed = FIXED.into_iter().filter(|field| object["spec"][field] != old["spec"][field]);
        errors.extend(changed.map(|field| invalid(object, field, "field is immutable")));
        if let (Ok(new), Ok(old)) = (&ttl, self::ttl(old))
            && is_longer(*new, old)
        {
            errors.push(invalid(object, "ttl", "may be shortened, not lengthened: create another token instead"));
        }
    }
    errors.extend(ttl.err().map(|problem| invalid(object, "ttl", &problem)));
    errors
}

/// A name with control characters would look like another one, or like two.
fn user(object: &Value) -> Option<Error> {
    let user = object["spec"]["userID"].as_str()?;
    let odd = user.chars().any(char::is_control) || user.trim() != user;
    odd.then(|| invalid(object, "userID", "must not contain control characters, nor begin or end with spaces"))
}

/// How long it is good for; `None` is for ever.
fn ttl(object: &Value) -> Result<Option<Duration>, String> {
    let mut hub = object.clone();
    token::convert(&mut hub, HUB);
    let Some(text) = hub["spec"]["ttl"].as_str() else { return Ok(None) };
    match parse_duration(text)? {
        None => Err("must not be negative: leave it out for a token that does not expire".to_owned()),
        Some(Duration::ZERO) => Ok(None),
        Some(ttl) if ttl < Duration::from_secs(1) => Err("must be a second or more".to_owned()),
        Some(ttl) if ttl > LONGEST => {
            Err("must be 87600h or less: leave it out for a token that does not expire".to_owned())
        }
        Some(ttl) => Ok(Some(ttl)),
    }
}

fn is_longer(new: Option<Duration>, old: Option<Duration>) -> bool {
    match (new, old) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(new), Some(old)) => new > old,
    }
}

fn invalid(object: &Value, field: &str, problem: &str) -> Error {
    Error::invalid(format!("spec.{field}"), object["spec"][field].clone(), problem)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(version: &str, spec: Value) -> Value {
        json!({ "apiVersion": format!("tomlebreux.com/{version}"), "spec": spec })
    }

    fn problems(object: &Value, old: Option<&Value>) -> Vec<String> {
        validate(object, old).iter().map(|error| format!("{}: {}", error.field, error.body())).collect()
    }

    #[test]
    fn times_to_live_make_sense() {
        let good =
            [("v1alpha1", "3600"), ("v1alpha1", "1h"), ("v1alpha2", "90m"), ("v1alpha2", "0s"), ("v1alpha2", "87600h")];
        for (version, ttl) in good {
            assert_eq!(problems(&token(version, json!({ "ttl": ttl })), None), [""; 0], "{version} {ttl}");
        }
        let bad = [
            ("v1alpha2", "3600", "missing unit"),
            ("v1alpha2", "-1h", "must not be negative"),
            ("v1alpha1", "-1", "missing unit"),
            ("v1alpha2", "1ns", "a second or more"),
            ("v1alpha2", "87601h", "87600h or less"),
            ("v1alpha1", "99999999999", "87600h or less"),
            ("v1alpha2", "soon", "invalid duration"),
            ("v1alpha2", "9999999999999999999999h", "invalid duration"),
        ];
        for (version, ttl, said) in bad {
            let problems = problems(&token(version, json!({ "ttl": ttl })), None);
            assert!(
                problems.len() == 1 && problems[0].starts_with("spec.ttl: ") && problems[0].contains(said),
                "{problems:?}"
            );
        }
    }

    #[test]
    fn whose_it_is_and_what_for_stays() {
        let old = token("v1alpha2", json!({ "userID": "alice", "clusterName": "c", "ttl": "1h" }));
        assert_eq!(problems(&old, Some(&old)), [""; 0]);
        let new = token("v1alpha2", json!({ "userID": "bob", "ttl": "60m" }));
        let said = problems(&new, Some(&old));
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].starts_with("spec.userID: ") && said[1].starts_with("spec.clusterName: "), "{said:?}");
    }

    #[test]
    fn a_token_does_not_outlive_what_was_said() {
        let of = |ttl: Value| token("v1alpha2", json!({ "ttl": ttl }));
        for (new, old, fine) in [
            (json!("30m"), json!("1h"), true),
            (json!("60m"), json!("1h"), true),
            (json!("1h"), Value::Null, true),
            (json!("2h"), json!("1h"), false),
            (Value::Null, json!("1h"), false),
            (json!("0s"), json!("1h"), false),
        ] {
            assert_eq!(problems(&of(new.clone()), Some(&of(old.clone()))).is_empty(), fine, "{old} to {new}");
        }
    }

    #[test]
    fn a_name_is_what_it_looks_like() {
        for user in ["a\nb", " a", "a\u{7}"] {
            assert_eq!(problems(&token("v1alpha2", json!({ "userID": user })), None).len(), 1, "{user:?}");
        }
        assert_eq!(problems(&token("v1alpha2", json!({ "userID": "system:serviceaccount:a:b" })), None), [""; 0]);
    }
}
