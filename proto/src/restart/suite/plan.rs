//! Plans, and what is refused whether it is planned or submitted.

use super::*;

/// A plan is a NodeRestart that is nowhere.
pub async fn a_plan_is_told_and_nothing_is_stored(subject: &dyn Subject) {
    let plan = ok(subject.restarts().plan(request(subject, "")).await);
    let text = String::from_utf8(plan.to_vec()).expect("a plan is JSON");
    for part in ["\"NodeRestart\"", "\"plan\"", &subject.node()] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert_eq!(subject.stored().await, []);
}

/// 404 names the node.
pub async fn an_unknown_node_is_not_found(subject: &dyn Subject) {
    let error = both(subject, request_for("nobody", "{}"), 404).await;
    assert!(error.0.message.contains("nobody"), "{error:?}");
}

/// 400.
pub async fn options_that_are_not_json_are_a_bad_request(subject: &dyn Subject) {
    both(subject, request_for(&subject.node(), "{"), 400).await;
}

/// 422 names the field.
pub async fn options_that_are_wrong_are_invalid_and_named(subject: &dyn Subject) {
    for (options, field) in [
        (r#""mode":"Gently""#, "mode"),
        (r#""timeout":"soon""#, "timeout"),
        (r#""notBefore":"tomorrow""#, "notBefore"),
        (r#""drain":{"timeout":"-1s"}"#, "drain.timeout"),
        (r#""window":{"start":"25:00","end":"01:00"}"#, "window.start"),
    ] {
        let error = both(subject, request(subject, options), 422).await;
        let causes = error.0.details.map(|details| details.causes).unwrap_or_default();
        assert!(causes.iter().any(|cause| cause.field == field), "{options}: {causes:?}");
    }
}

/// Planned and submitted, it is refused in the same way, and nothing is stored.
async fn both(subject: &dyn Subject, request: Request, code: u16) -> Error {
    let planned = refused(subject.restarts().plan(request.clone()).await, code);
    assert_eq!(refused(subject.restarts().submit(request).await, code), planned);
    assert_eq!(subject.stored().await, []);
    planned
}
