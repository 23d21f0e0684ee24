//! What changes something: once, or surely not at all, or ambiguously once.

use super::*;

const ONE: Calls = Calls { received: 1, accepted: 1 };

/// One step is one call.
pub async fn a_step_is_accepted_once(subject: &dyn Subject) {
    let step = first_step(subject).await;
    ok(take(subject, step).await);
    assert_eq!(subject.calls().await, ONE);
}

/// What follows the first item is for information only.
pub async fn a_stream_dropped_after_the_first_item_leaves_the_step_taken(subject: &dyn Subject) {
    let step = first_step(subject).await;
    let mut progress = ok(subject.power().take(take_of(subject.node(), step)).await);
    let first = timeout(SOON, progress.next()).await.expect("it comes soon").expect("a step has a first item");
    assert!(matches!(first, Ok(Progress::Accepted { .. })), "{first:?}");
    drop(progress);
    ok(subject.power().describe(&subject.node()).await);
    assert_eq!(subject.calls().await, ONE);
}

/// A machine that is off is not switched on by a restart.
pub async fn a_stopped_instance_cannot_be_restarted(subject: &dyn Subject) {
    let step = first_step(subject).await;
    subject.set(State::Stopped).await;
    let refused = take(subject, step).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    assert_eq!(subject.calls().await.accepted, 0);
}

/// Nor is one that is gone.
pub async fn an_instance_that_is_gone_cannot_be_restarted(subject: &dyn Subject) {
    let step = first_step(subject).await;
    subject.set(State::Gone).await;
    let refused = take(subject, step).await;
    assert!(matches!(refused, Err(Error::NotFound(_) | Error::Conflict(_))), "{refused:?}");
    assert_eq!(subject.calls().await.accepted, 0);
}

/// [`Error::Throttled`] is sure.
pub async fn a_throttled_step_was_not_taken_and_can_be_taken_later(subject: &dyn Subject) {
    let step = first_step(subject).await;
    subject.fail(Some(Fault::Throttled)).await;
    let refused = take(subject, step).await;
    assert!(matches!(refused, Err(Error::Throttled { .. })), "{refused:?}");
    let calls = subject.calls().await;
    assert!(calls.received <= 1 && calls.accepted == 0, "it was sent again: {calls:?}");
    subject.fail(None).await;
    ok(take(subject, step).await);
    assert_eq!(subject.calls().await.accepted, 1);
}

/// [`Error::Forbidden`] is sure.
pub async fn a_forbidden_step_was_not_taken(subject: &dyn Subject) {
    let step = first_step(subject).await;
    subject.fail(Some(Fault::Forbidden)).await;
    let refused = take(subject, step).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    assert_eq!(subject.calls().await.accepted, 0);
}

/// A 5xx may be anything.
pub async fn a_failing_provider_is_asked_once_and_ambiguous(subject: &dyn Subject) {
    ambiguous(subject, Fault::Broken, Calls { received: 1, accepted: 0 }).await;
}

/// So may a connection that breaks after the request was sent.
pub async fn a_lost_reply_is_ambiguous_and_asked_once(subject: &dyn Subject) {
    ambiguous(subject, Fault::LostReply, ONE).await;
}

/// And a request that is never answered.
pub async fn a_silent_provider_is_ambiguous_and_asked_once(subject: &dyn Subject) {
    ambiguous(subject, Fault::Silence, ONE).await;
}

async fn ambiguous(subject: &dyn Subject, fault: Fault, calls: Calls) {
    let step = first_step(subject).await;
    subject.fail(Some(fault)).await;
    let unknown = take(subject, step).await;
    assert!(matches!(unknown, Err(Error::Ambiguous(_))), "{unknown:?}");
    assert_eq!(subject.calls().await, calls);
}

/// What was surely not sent is not ambiguous.
pub async fn a_step_that_cannot_be_sent_is_unreachable(subject: &dyn Subject) {
    let step = first_step(subject).await;
    subject.fail(Some(Fault::Unreachable)).await;
    let refused = take(subject, step).await;
    assert!(matches!(refused, Err(Error::Unreachable(_))), "{refused:?}");
    assert_eq!(subject.calls().await, Calls::default());
}

/// A step for a foreign providerID is refused before anybody is asked.
pub async fn a_stranger_is_asked_nothing(subject: &dyn Subject) {
    let step = first_step(subject).await;
    let refused = take_for(subject, subject.stranger(), step).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    assert_eq!(subject.calls().await, Calls::default());
}

/// However it fails, it says nothing that it must not.
pub async fn errors_hold_no_secrets(subject: &dyn Subject) {
    let step = first_step(subject).await;
    for fault in
        [Fault::Throttled, Fault::Forbidden, Fault::Broken, Fault::LostReply, Fault::Silence, Fault::Unreachable]
    {
        subject.fail(Some(fault)).await;
        let said = format!("{:?}", take(subject, step).await.expect_err("the provider fails"));
        let found = subject.secrets().into_iter().find(|secret| said.contains(secret));
        assert_eq!(found, None, "{fault:?}: {said}");
    }
}
