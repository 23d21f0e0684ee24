//! Cancellations before the provider is asked.

use super::*;

async fn cancel(subject: &dyn Subject, name: &str, uid: &str) -> Result<()> {
    let user = User { name: "jane".into(), ..User::default() };
    subject.restarts().cancel(Cancel { name: name.to_owned(), uid: uid.to_owned(), user }).await
}

/// 404.
pub async fn what_is_not_there_cannot_be_cancelled(subject: &dyn Subject) {
    refused(cancel(subject, "nothing-1", "").await, 404);
}

/// 409.
pub async fn another_uid_conflicts(subject: &dyn Subject) {
    let name = waiting(subject).await;
    refused(cancel(subject, &name, "another").await, 409);
    assert_eq!(names(subject).await, [name]);
}

/// As any object that is deleted.
pub async fn what_is_cancelled_goes_away(subject: &dyn Subject) {
    let name = waiting(subject).await;
    let uid = subject.stored().await.remove(0).1;
    ok(cancel(subject, &name, &uid).await);
    until_gone(subject, &name).await;
    refused(cancel(subject, &name, "").await, 404);
}

/// Nothing stays behind.
pub async fn after_a_cancellation_the_node_can_be_restarted(subject: &dyn Subject) {
    let first = waiting(subject).await;
    ok(cancel(subject, &first, "").await);
    until_gone(subject, &first).await;
    let again = ok(submit(subject, &format!(r#"{LATER},"mode":"Hard""#)).await);
    assert!(!again.existing);
}
