//! The AdmissionReview that is sent, and the one that comes back.

use base64::{Engine, engine::general_purpose::STANDARD};
use machinery::{
    quote,
    status::{Details, Reason, Status},
};
use serde_json::{Map, Value, json};

use crate::{Attributes, GroupVersionResource, Refusal};

/// What a webhook answers.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Answer {
    pub(super) allowed: bool,
    /// A JSON patch; empty where there is none.
    pub(super) patch: Vec<u8>,
    /// Whether the patch is said to be a JSON patch.
    pub(super) patch_type: String,
    pub(super) status: Value,
    pub(super) warnings: Vec<String>,
    pub(super) audit: Vec<(String, String)>,
}

/// The review of a request, about its objects as `resource` has them; `version` is that of `admission.k8s.io`.
pub(super) fn request(version: &str, uid: &str, attributes: &Attributes, resource: &GroupVersionResource) -> Value {
    // A scale is of its own version, whatever that of the resource is.
    let own = attributes.kind.group == attributes.resource.group;
    let kind = |version: &str| {
        let version = if own { version } else { &attributes.kind.version };
        json!({ "group": attributes.kind.group, "version": version, "kind": attributes.kind.kind })
    };
    let named = |resource: &GroupVersionResource| json!({ "group": resource.group, "version": resource.version, "resource": resource.resource });
    let user = &attributes.user;
    let who = [
        ("username", json!(user.name)),
        ("uid", json!(user.uid)),
        ("groups", json!(user.groups)),
        ("extra", json!(user.extra)),
    ];
    let mut request = Map::new();
    let fields = [
        ("uid", json!(uid)),
        ("kind", kind(&resource.version)),
        ("resource", named(resource)),
        ("subResource", json!(attributes.subresource)),
        ("requestKind", kind(&attributes.resource.version)),
        ("requestResource", named(&attributes.resource)),
        ("requestSubResource", json!(attributes.subresource)),
        ("name", json!(attributes.name)),
        ("namespace", json!(attributes.namespace)),
        ("operation", json!(attributes.operation.as_str())),
        ("userInfo", Value::Object(filled(who))),
    ];
    request.extend(filled(fields));
    // These are always there, as null where there is none.
    request.insert("object".to_owned(), attributes.object.clone().unwrap_or_default());
    request.insert("oldObject".to_owned(), attributes.old_object.as_deref().cloned().unwrap_or_default());
    request.insert("dryRun".to_owned(), json!(attributes.dry_run));
    request.insert("options".to_owned(), attributes.options.clone());
    json!({ "kind": "AdmissionReview", "apiVersion": format!("admission.k8s.io/{version}"), "request": request })
}

fn filled<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    let empty = |value: &Value| match value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    fields.into_iter().filter(|(_, value)| !empty(value)).map(|(key, value)| (key.to_owned(), value)).collect()
}

/// What a review says that came back for the one of `uid`; `patches` says whether it may change the object.
pub(super) fn answer(version: &str, uid: &str, review: &Value, patches: bool) -> Result<Answer, String> {
    let response = &review["response"];
    if !response.is_object() {
        return Err("webhook response was absent".to_owned());
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (patch, patch_type) = (&response["patch"], &response["patchType"]);
    let encoded = text(patch);
    if version == "v1" {
        if response["uid"] != uid {
            let got = quote(&text(&response["uid"]));
            return Err(format!("expected response.uid={}, got {got}", quote(uid)));
        }
        let (group_version, kind) = (text(&review["apiVersion"]), text(&review["kind"]));
        if group_version != "admission.k8s.io/v1" || kind != "AdmissionReview" {
            let expected = "admission.k8s.io/v1, Kind=AdmissionReview";
            let group_version = if group_version.is_empty() { "/" } else { &group_version };
            return Err(format!("expected webhook response of {expected}, got {group_version}, Kind={kind}"));
        }
        let problem = match (patches, encoded.is_empty(), patch_type.as_str()) {
            (true, false, None) => "webhook returned response.patch but not response.patchType",
            (true, true, Some(_)) => "webhook returned response.patchType but not response.patch",
            (true, false, Some("")) => "webhook returned invalid response.patchType of \"\"",
            (false, false, _) => "validating webhook may not return response.patch",
            (false, true, Some(_)) => "validating webhook may not return response.patchType",
            _ => "",
        };
        if !problem.is_empty() {
            return Err(problem.to_owned());
        }
    }
    let patch = STANDARD.decode(&encoded).map_err(|error| format!("illegal base64 data: {error}"))?;
    let patch_type = if version == "v1" { text(patch_type) } else { "JSONPatch".to_owned() };
    let warnings = response["warnings"].as_array().into_iter().flatten().map(text).collect();
    let audit = response["auditAnnotations"].as_object().into_iter().flatten();
    Ok(Answer {
        allowed: response["allowed"] == true,
        patch: if patches { patch } else { Vec::new() },
        patch_type,
        status: response["status"].clone(),
        warnings,
        audit: audit.map(|(key, value)| (key.clone(), text(value))).collect(),
    })
}

/// The refusal that `webhook` gave as `status`.
pub(super) fn refusal(webhook: &str, status: &Value) -> Refusal {
    let text = |field: &str| status[field].as_str().unwrap_or_default();
    let denied = format!("admission webhook {} denied the request", quote(webhook));
    let message = match (text("message"), text("reason")) {
        ("", "") => format!("{denied} without explanation"),
        ("", reason) => format!("{denied}: {reason}"),
        (message, _) => format!("{denied}: {message}"),
    };
    let code = status["code"].as_u64().and_then(|code| u16::try_from(code).ok()).filter(|code| *code >= 400);
    let reason: Option<Reason> = Some(&status["reason"]).filter(|reason| !text_of(reason).is_empty()).and_then(read);
    let details: Option<Details> = read(&status["details"]);
    let mut refusal = Status::new(code.unwrap_or(400), reason, message);
    refusal.details = details.map(Box::new);
    Box::new(refusal)
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn review(response: Value) -> Value {
        json!({ "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "response": response })
    }

    #[test]
    fn an_answer_must_be_to_this_request_and_hold_what_it_may() {
        let of = |response: Value, patches| answer("v1", "u", &review(response), patches);
        let cases = [
            (json!(null), true, "webhook response was absent"),
            (json!({ "uid": "x" }), true, "expected response.uid=\"u\", got \"x\""),
            (
                json!({ "uid": "u", "patch": "W10=" }),
                true,
                "webhook returned response.patch but not response.patchType",
            ),
            (
                json!({ "uid": "u", "patchType": "JSONPatch" }),
                true,
                "webhook returned response.patchType but not response.patch",
            ),
            (
                json!({ "uid": "u", "patch": "W10=", "patchType": "" }),
                true,
                "webhook returned invalid response.patchType of \"\"",
            ),
            (json!({ "uid": "u", "patch": "W10=" }), false, "validating webhook may not return response.patch"),
            (
                json!({ "uid": "u", "patchType": "JSONPatch" }),
                false,
                "validating webhook may not return response.patchType",
            ),
        ];
        for (response, patches, problem) in cases {
            assert_eq!(of(response, patches), Err(problem.to_owned()));
        }
        let other = json!({ "kind": "Other", "apiVersion": "v1", "response": { "uid": "u" } });
        let problem = answer("v1", "u", &other, true).unwrap_err();
        assert_eq!(
            problem,
            "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got v1, Kind=Other"
        );
        let given =
            of(json!({ "uid": "u", "allowed": true, "patch": "W10=", "patchType": "JSONPatch" }), true).unwrap();
        assert_eq!((given.allowed, given.patch.as_slice(), given.patch_type.as_str()), (true, &b"[]"[..], "JSONPatch"));
    }

    #[test]
    fn the_first_version_is_lenient() {
        let given = answer("v1beta1", "u", &json!({ "response": { "allowed": true, "patch": "W10=" } }), true).unwrap();
        assert_eq!((given.allowed, given.patch_type.as_str()), (true, "JSONPatch"));
    }

    #[test]
    fn a_refusal_says_who_refused_and_keeps_what_it_was_given() {
        let of = |status: Value| *refusal("w", &status);
        let denied = "admission webhook \"w\" denied the request";
        assert_eq!(of(json!(null)), Status::new(400, None, format!("{denied} without explanation")));
        assert_eq!(of(json!({ "code": 200, "message": "no" })), Status::new(400, None, format!("{denied}: no")));
        let forbidden = Status::new(403, Some(Reason::Forbidden), format!("{denied}: Forbidden"));
        assert_eq!(of(json!({ "code": 403, "reason": "Forbidden" })), forbidden);
        let odd = of(json!({ "code": 418, "reason": "Tea", "message": "pot", "details": { "name": "a" } }));
        assert_eq!((odd.code, odd.reason), (418, Some(Reason::Other("Tea".into()))));
        assert_eq!(odd.details.unwrap().name, "a");
    }
}
