//! What may be asked at any time.

use super::{super::Instance, *};

/// [`NodePower::info`] says what serves.
pub async fn who_serves_has_a_name_and_a_version(subject: &dyn Subject) {
    let info = ok(subject.power().info().await);
    assert!(!info.provider.is_empty() && !info.version.is_empty(), "{info:?}");
}

/// An instance has an id and a state, in both vocabularies.
pub async fn a_running_instance_is_described(subject: &dyn Subject) {
    let instance = ok(subject.power().describe(&subject.node()).await);
    assert_eq!(instance.state, State::Running);
    assert!(!instance.id.is_empty() && !instance.provider_state.is_empty(), "{instance:?}");
}

/// Describing and planning are never counted.
pub async fn questions_change_nothing(subject: &dyn Subject) {
    let node = subject.node();
    let before = ok(subject.power().describe(&node).await);
    for mode in [Mode::Soft, Mode::Hard] {
        let plan = subject.power().plan(&node, mode).await;
        assert!(matches!(plan, Ok(_) | Err(Error::Unsupported(_))), "{plan:?}");
    }
    assert_eq!(ok(subject.power().describe(&node).await), before);
    assert_eq!(subject.calls().await, Calls::default());
}

/// A plan leaves no instance off, and repeats no step.
pub async fn some_mode_has_steps_and_what_is_stopped_is_started(subject: &dyn Subject) {
    let mut supported = 0;
    for mode in [Mode::Soft, Mode::Hard] {
        let plan = match subject.power().plan(&subject.node(), mode).await {
            Ok(plan) => plan,
            Err(Error::Unsupported(_)) => continue,
            Err(error) => panic!("{error:?}"),
        };
        let known: &[&[Step]] = &[&[Step::Reboot], &[Step::Reset], &[Step::Stop, Step::Start]];
        assert!(known.contains(&plan.steps.as_slice()), "{mode:?}: {plan:?}");
        supported += 1;
    }
    assert!(supported > 0, "no mode is supported");
}

/// A foreign providerID is [`Error::Invalid`], whatever is asked.
pub async fn a_provider_id_of_another_provider_is_invalid(subject: &dyn Subject) {
    invalid(subject, &subject.stranger()).await;
}

/// So is a node that has none.
pub async fn an_empty_provider_id_is_invalid(subject: &dyn Subject) {
    invalid(subject, &Node { provider_id: String::new(), ..subject.node() }).await;
}

async fn invalid(subject: &dyn Subject, node: &Node) {
    let described = subject.power().describe(node).await;
    assert!(matches!(described, Err(Error::Invalid(_))), "{described:?}");
    for mode in [Mode::Soft, Mode::Hard] {
        let plan = subject.power().plan(node, mode).await;
        assert!(matches!(plan, Err(Error::Invalid(_) | Error::Unsupported(_))), "{plan:?}");
    }
}

/// An instance that is gone is not there, or said to be gone.
pub async fn an_instance_that_is_not_there_is_not_found(subject: &dyn Subject) {
    subject.set(State::Gone).await;
    let described = subject.power().describe(&subject.node()).await;
    assert!(matches!(described, Err(Error::NotFound(_)) | Ok(Instance { state: State::Gone, .. })), "{described:?}");
}

/// A state other than running is told.
pub async fn a_stopped_instance_is_described_as_stopped(subject: &dyn Subject) {
    subject.set(State::Stopped).await;
    assert_eq!(ok(subject.power().describe(&subject.node()).await).state, State::Stopped);
}

/// A provider that cannot be connected to is [`Error::Unreachable`], also for questions.
pub async fn a_provider_that_is_not_there_is_unreachable(subject: &dyn Subject) {
    subject.fail(Some(Fault::Unreachable)).await;
    let described = subject.power().describe(&subject.node()).await;
    assert!(matches!(described, Err(Error::Unreachable(_))), "{described:?}");
    subject.fail(None).await;
    ok(subject.power().describe(&subject.node()).await);
}
