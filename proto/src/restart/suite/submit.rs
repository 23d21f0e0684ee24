//! Submissions, and which of them are one.

use futures::future::join_all;

use super::*;

/// It is in the store when the answer comes.
pub async fn what_is_submitted_is_stored(subject: &dyn Subject) {
    let name = waiting(subject).await;
    assert_eq!(names(subject).await, [name]);
}

/// The key is the restart.
pub async fn a_key_used_again_is_the_same_restart(subject: &dyn Subject) {
    let options = format!(r#"{LATER},"idempotencyKey":"k1""#);
    let first = ok(submit(subject, &options).await);
    let second = ok(submit(subject, &options).await);
    assert_eq!((first.existing, second), (false, Submitted { existing: true, ..first.clone() }));
    assert_eq!(names(subject).await, [first.name]);
}

/// The same key for something else is a mistake.
pub async fn a_key_used_with_other_options_conflicts(subject: &dyn Subject) {
    let name = ok(submit(subject, &format!(r#"{LATER},"idempotencyKey":"k1""#)).await).name;
    let error = refused(submit(subject, &format!(r#"{LATER},"idempotencyKey":"k1","mode":"Hard""#)).await, 409);
    assert!(error.0.message.contains(&name), "{error:?}");
}

/// "Restart it" is what happens already.
pub async fn a_bare_request_joins_the_one_that_has_not_ended(subject: &dyn Subject) {
    let name = waiting(subject).await;
    let bare = subject.restarts().submit(request_for(&subject.node(), "")).await;
    assert_eq!(ok(bare), Submitted { name: name.clone(), existing: true });
    assert_eq!(ok(submit(subject, "").await), Submitted { name, existing: true });
}

/// So is the very same.
pub async fn the_same_options_join_the_one_that_has_not_ended(subject: &dyn Subject) {
    let name = waiting(subject).await;
    assert_eq!(ok(submit(subject, LATER).await), Submitted { name, existing: true });
}

/// Something else would have to wait, and nobody waits here.
pub async fn other_options_conflict_and_name_the_one_that_has_not_ended(subject: &dyn Subject) {
    let name = waiting(subject).await;
    let error = refused(submit(subject, &format!(r#"{LATER},"mode":"Hard""#)).await, 409);
    assert!(error.0.message.contains(&name), "{error:?}");
    assert_eq!(names(subject).await, [name]);
}

/// However many come at once.
pub async fn of_concurrent_submissions_one_is_new(subject: &dyn Subject) {
    let submitted = join_all((0..8).map(|_| submit(subject, LATER))).await;
    let submitted: Vec<_> = submitted.into_iter().map(ok).collect();
    assert_eq!(submitted.iter().filter(|submitted| !submitted.existing).count(), 1, "{submitted:?}");
    assert!(submitted.iter().all(|other| other.name == submitted[0].name), "{submitted:?}");
    assert_eq!(names(subject).await, [submitted[0].name.clone()]);
}
