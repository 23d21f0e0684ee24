//! Clusters and node pools, as a client sends them.

use std::collections::BTreeMap;

use hyperfleet_records::{Json, Kind, Patch};
use serde_json::value::RawValue;

use crate::{
    Rules,
    error::{Detail, Error, Result},
    json, present,
    schemas::Current,
};

/// What names, kinds and labels must be, besides being there.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Strictness {
    /// Names are DNS labels of the newest version's lengths, and kinds are the right ones.
    pub(crate) names: bool,
    /// Labels are as Kubernetes has them.
    pub(crate) labels: bool,
}

/// A record to make.
#[derive(Debug)]
pub(crate) struct Creation {
    pub(crate) name: String,
    pub(crate) spec: Json,
    pub(crate) labels: BTreeMap<String, String>,
}

/// Labels of one record.
const LABELS: usize = 1000;

// === impl Strictness ===

impl Strictness {
    pub(crate) fn of(rules: &Rules) -> Self {
        Self { names: rules.strict_names, labels: rules.strict_labels }
    }
}

/// Reads what shall be made.
pub(crate) fn creation(
    object: json::Object<'_>,
    kind: Kind,
    strictness: Strictness,
    schemas: &Current,
) -> Result<Creation> {
    spec_first(&object, kind, schemas)?;
    let (mut said, mut name, mut spec, mut labels) = (None, None, None, BTreeMap::new());
    for (key, value) in object {
        match key.as_str() {
            "kind" => said = Some(json::read::<String>(value, "kind", "a string")?),
            "name" => name = Some(json::read::<String>(value, "name", "a string")?),
            "spec" => spec = Some(value.to_owned()),
            "labels" => labels = read_labels(value)?,
            "id" => no_id(value)?,
            // Where it is to be found is ours to say.
            "href" => {}
            key => return Err(Error::malformed(format!("Invalid request format: json: unknown field {key:?}"))),
        }
    }
    let missing =
        |name: &str| Error::malformed(format!("Invalid request format: no value given for required property {name}"));
    if said.is_none() && kind == Kind::Cluster {
        return Err(missing("kind"));
    }
    let name = name.ok_or_else(|| missing("name"))?;
    let spec = spec.ok_or_else(|| missing("spec"))?;
    let mut details = details(kind, &name, &labels, strictness);
    let expected = present::kind(kind);
    if strictness.names && said.is_some_and(|said| said != expected) {
        details.push(Detail {
            field: "kind".into(),
            message: format!("kind must be '{expected}'"),
            constraint: Some("enum"),
        });
    }
    refused(details)?;
    Ok(Creation { name, spec, labels })
}

/// Reads what shall be changed. Keys that cannot be changed are left alone, as the first version leaves them.
pub(crate) fn patch(object: json::Object<'_>, kind: Kind, strictness: Strictness, schemas: &Current) -> Result<Patch> {
    spec_first(&object, kind, schemas)?;
    let mut patch = Patch::default();
    for (key, value) in object {
        match key.as_str() {
            "name" => patch.name = json::read::<Option<String>>(value, "name", "a string")?,
            "spec" => patch.spec = Some(value.to_owned()),
            "labels" if value.get() != "null" => patch.labels = Some(read_labels(value)?),
            _ => {}
        }
    }
    let mut details = patch.name.as_deref().map(|name| name_details(kind, name, strictness)).unwrap_or_default();
    details.extend(patch.labels.as_ref().map(|labels| label_details(labels, strictness)).unwrap_or_default());
    refused(details)?;
    Ok(patch)
}

/// Reads the reason of a deletion by force.
pub(crate) fn reason(object: json::Object<'_>) -> Result<String> {
    const MOST: usize = 1024;
    let mut reason = String::new();
    for (key, value) in object {
        match key.as_str() {
            "reason" => reason = json::read(value, "reason", "a string")?,
            key => return Err(Error::malformed(format!("Invalid request format: json: unknown field {key:?}"))),
        }
    }
    let refuse = |message: String, constraint| {
        Err(Error::violations(
            message.clone(),
            vec![Detail { field: "reason".into(), message, constraint: Some(constraint) }],
        ))
    };
    match reason.chars().count() {
        0 => refuse("reason is required".into(), "required"),
        length if length > MOST => refuse(format!("reason must be at most {MOST} characters"), "max_length"),
        _ => Ok(reason),
    }
}

/// As in the first version, a spec is judged before anything else is.
fn spec_first(object: &json::Object<'_>, kind: Kind, schemas: &Current) -> Result<()> {
    let Some((_, spec)) = object.iter().find(|(key, _)| key == "spec") else { return Ok(()) };
    if !spec.get().starts_with('{') {
        return Err(Error::validation("spec field must be an object"));
    }
    schemas.validate(kind, spec.get())
}

fn no_id(value: &RawValue) -> Result<()> {
    match json::read::<Option<String>>(value, "id", "a string")?.as_deref() {
        None | Some("") => Ok(()),
        Some(_) => Err(Error::validation("id must be empty")),
    }
}

fn read_labels(value: &RawValue) -> Result<BTreeMap<String, String>> {
    let labels: Option<BTreeMap<String, String>> = json::read(value, "labels", "an object of strings")?;
    Ok(labels.unwrap_or_default())
}

fn refused(details: Vec<Detail>) -> Result<()> {
    match details.as_slice() {
        [] => Ok(()),
        [only] => Err(Error::violations(only.message.clone(), details)),
        _ => Err(Error::violations("Several fields are invalid", details)),
    }
}

/// What is wrong with a name and with labels.
pub(crate) fn details(
    kind: Kind,
    name: &str,
    labels: &BTreeMap<String, String>,
    strictness: Strictness,
) -> Vec<Detail> {
    let mut details = name_details(kind, name, strictness);
    details.extend(label_details(labels, strictness));
    details
}

fn name_details(kind: Kind, name: &str, strictness: Strictness) -> Vec<Detail> {
    let (least, most) = match (kind, strictness.names) {
        (Kind::Cluster, true) => (3, 53),
        (Kind::NodePool, true) => (3, 15),
        (Kind::Cluster, false) => (0, 63),
        (Kind::NodePool, false) => (0, 255),
    };
    let length = name.chars().count();
    let mut details = Vec::new();
    let mut refuse = |message: String, constraint| {
        details.push(Detail { field: "name".into(), message, constraint: Some(constraint) });
    };
    if length < least {
        refuse(format!("name must be at least {least} characters"), "min_length");
    }
    if length > most {
        refuse(format!("name must be at most {most} characters"), "max_length");
    }
    if strictness.names && !name.is_empty() && !is_dns_label(name) {
        refuse(
            "name must start and end with a lower-case letter or a digit, and hold nothing but these and hyphens"
                .into(),
            "pattern",
        );
    }
    details
}

fn label_details(labels: &BTreeMap<String, String>, strictness: Strictness) -> Vec<Detail> {
    let mut details = Vec::new();
    if labels.len() > LABELS {
        details.push(Detail {
            field: "labels".into(),
            message: format!("there must be at most {LABELS} labels"),
            constraint: Some("max"),
        });
    }
    for (key, value) in labels {
        let field = format!("labels.{key}");
        if strictness.labels && !is_label_key(key) {
            let message = "a label's key must be [PREFIX/]NAME as Kubernetes has it".to_owned();
            details.push(Detail { field: field.clone(), message, constraint: Some("pattern") });
        }
        if strictness.labels && !(value.is_empty() || is_label_name(value)) {
            let message =
                "a label's value must be as Kubernetes has it: at most 63 letters, digits, '-', '_' and '.'".to_owned();
            details.push(Detail { field, message, constraint: Some("pattern") });
        }
    }
    details
}

fn is_dns_label(text: &str) -> bool {
    let end = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let bytes = text.as_bytes();
    end(bytes.first())
        && end(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
}

fn is_label_key(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => prefix.len() <= 253 && prefix.split('.').all(is_dns_label) && is_label_name(name),
        None => is_label_name(key),
    }
}

fn is_label_name(name: &str) -> bool {
    let end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    bytes.len() <= 63
        && end(bytes.first())
        && end(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const STRICT: Strictness = Strictness { names: true, labels: true };

    fn made(body: &str, kind: Kind, strictness: Strictness) -> Result<Creation> {
        let schemas =
            Current::read(b"components: {schemas: {ClusterSpec: {type: object}, NodePoolSpec: {type: object}}}")
                .unwrap();
        creation(json::object(body.as_bytes()).unwrap(), kind, strictness, &schemas)
    }

    fn refusal(body: &str) -> String {
        made(body, Kind::Cluster, Strictness::default()).unwrap_err().reason
    }

    #[test]
    fn what_is_missing_wrong_or_unknown_is_said_in_the_words_of_the_first_version() {
        assert_eq!(refusal("{}"), "Invalid request format: no value given for required property kind");
        assert_eq!(
            refusal(r#"{"kind":"Cluster"}"#),
            "Invalid request format: no value given for required property name"
        );
        assert_eq!(
            refusal(r#"{"kind":"Cluster","name":"a"}"#),
            "Invalid request format: no value given for required property spec"
        );
        assert_eq!(refusal(r#"{"x":1}"#), r#"Invalid request format: json: unknown field "x""#);
        assert_eq!(refusal(r#"{"kind":"Cluster","name":"a","spec":{},"id":"x"}"#), "id must be empty");
        for spec in ["null", "[]", "1", "\"a\""] {
            assert_eq!(
                refusal(&format!(r#"{{"kind":"Cluster","name":"a","spec":{spec}}}"#)),
                "spec field must be an object"
            );
        }
    }

    #[test]
    fn names_are_what_the_first_version_takes_and_no_longer_than_it_could_store() {
        for name in ["", "A B", "ünï", "a_b"] {
            let body = format!(r#"{{"kind":"Banana","name":"{name}","spec":{{}},"labels":null,"href":1}}"#);
            assert_eq!(made(&body, Kind::Cluster, Strictness::default()).unwrap().name, name);
        }
        let long = |length: usize| format!(r#"{{"kind":"Cluster","name":"{}","spec":{{}}}}"#, "ü".repeat(length));
        assert!(made(&long(63), Kind::Cluster, Strictness::default()).is_ok());
        assert_eq!(refusal(&long(64)), "name must be at most 63 characters");
        assert!(made(&long(255), Kind::NodePool, Strictness::default()).is_ok());
        assert!(made(&long(256), Kind::NodePool, Strictness::default()).is_err());
    }

    #[test]
    fn strict_names_and_labels_are_those_of_the_newest_version() {
        let ok = |name: &str| {
            made(&format!(r#"{{"kind":"Cluster","name":"{name}","spec":{{}}}}"#), Kind::Cluster, STRICT).is_ok()
        };
        assert!(ok("abc") && ok("a-1") && ok(&"a".repeat(53)));
        for bad in ["ab", "Abc", "-abc", "abc-", "a.b", &"a".repeat(54)] {
            assert!(!ok(bad), "{bad}");
        }
        let refused = made(r#"{"kind":"Banana","name":"A","spec":{},"labels":{"a b":"c d"}}"#, Kind::Cluster, STRICT)
            .unwrap_err();
        let fields: Vec<_> = refused.details.iter().map(|detail| detail.field.as_str()).collect();
        assert_eq!(fields, ["name", "name", "labels.a b", "labels.a b", "kind"]);
        let fine = r#"{"name":"abc","spec":{},"labels":{"a.b/c_d":"E.f","x":""}}"#;
        assert!(made(fine, Kind::NodePool, STRICT).is_ok());
    }

    #[test]
    fn a_patch_takes_what_can_be_changed_and_leaves_the_rest() {
        let schemas = Current::read(b"components: {schemas: {ClusterSpec: {}, NodePoolSpec: {}}}").unwrap();
        let read =
            |body: &str| patch(json::object(body.as_bytes()).unwrap(), Kind::Cluster, Strictness::default(), &schemas);
        let changed = read(r#"{"spec":{"a":1},"generation":7,"x":1,"name":null}"#).unwrap();
        assert_eq!((changed.spec.unwrap().get(), changed.name, changed.labels), (r#"{"a":1}"#, None, None));
        assert_eq!(read(r#"{"labels":{"a":"b"}}"#).unwrap().labels.unwrap()["a"], "b");
        assert!(read(r#"{"spec":null}"#).is_err() && read(r#"{"labels":{"a":1}}"#).is_err());
    }

    #[test]
    fn a_reason_is_given_and_is_no_novel() {
        let read = |body: &str| reason(json::object(body.as_bytes()).unwrap());
        assert_eq!(read(r#"{"reason":"stuck"}"#).unwrap(), "stuck");
        assert!(read("{}").is_err() && read(r#"{"reason":""}"#).is_err() && read(r#"{"x":1}"#).is_err());
        assert!(read(&format!(r#"{{"reason":"{}"}}"#, "a".repeat(1025))).is_err());
    }
}
