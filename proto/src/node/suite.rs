//! The cases that every implementation of [`NodePower`] passes.
//!
//! To run them: implement [`Subject`] for what the tests set up, and write `proto::node_suite!(async { … })` in a test
//! file, with an expression whose future makes one. Each case gets a new provider of its own, whose instance runs.

pub mod fake;
pub mod questions;
pub mod steps;

use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use tokio::time::timeout;

use super::{Error, Mode, Node, NodePower, Progress, Result, State, Step, Take};

/// What the suite runs on: a driver, and a hand on its provider.
#[async_trait]
pub trait Subject: Send + Sync {
    /// The driver. It gives up on a silent provider within seconds.
    fn power(&self) -> &dyn NodePower;

    /// A node whose instance runs.
    fn node(&self) -> Node;

    /// A node whose providerID is not this provider's.
    fn stranger(&self) -> Node {
        Node { provider_id: "example://nowhere/x".to_owned(), ..self.node() }
    }

    /// What must not show in errors: keys, tokens, passwords.
    fn secrets(&self) -> Vec<String>;

    /// Which calls that change something the provider has had.
    async fn calls(&self) -> Calls;

    /// Puts the instance into a state: [`State::Running`], [`State::Stopped`] or [`State::Gone`].
    async fn set(&self, state: State);

    /// Makes the provider fail from now on; `None` is well again.
    async fn fail(&self, fault: Option<Fault>);
}

/// Calls that change something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// All that reached the provider.
    pub received: usize,
    /// Those of them that it acted on.
    pub accepted: usize,
}

/// How a provider fails. All but the last concern only calls that change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It refuses: too many requests.
    Throttled,
    /// It refuses: the credentials do not allow it.
    Forbidden,
    /// It answers that it failed (a 5xx), and did nothing.
    Broken,
    /// It acts, and the connection breaks before it has answered.
    LostReply,
    /// It acts, and never answers.
    Silence,
    /// It cannot be connected to, for whatever.
    Unreachable,
}

/// Makes a test of every case; `$make` is a future of a [`Subject`].
#[macro_export]
macro_rules! node_suite {
    ($make:expr) => {
        $crate::node_suite!(@ $make;
            questions {
                who_serves_has_a_name_and_a_version
                a_running_instance_is_described
                questions_change_nothing
                some_mode_has_steps_and_what_is_stopped_is_started
                a_provider_id_of_another_provider_is_invalid
                an_empty_provider_id_is_invalid
                an_instance_that_is_not_there_is_not_found
                a_stopped_instance_is_described_as_stopped
                a_provider_that_is_not_there_is_unreachable
            }
            steps {
                a_step_is_accepted_once
                a_stream_dropped_after_the_first_item_leaves_the_step_taken
                a_stopped_instance_cannot_be_restarted
                an_instance_that_is_gone_cannot_be_restarted
                a_throttled_step_was_not_taken_and_can_be_taken_later
                a_forbidden_step_was_not_taken
                a_failing_provider_is_asked_once_and_ambiguous
                a_lost_reply_is_ambiguous_and_asked_once
                a_silent_provider_is_ambiguous_and_asked_once
                a_step_that_cannot_be_sent_is_unreachable
                a_stranger_is_asked_nothing
                errors_hold_no_secrets
            }
        );
    };
    (@ $make:expr; $($module:ident { $($case:ident)* })*) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let subject = $make.await;
                $crate::node::suite::$module::$case(&subject).await;
            }
        )*)*
    };
}

// === what the cases say it with ===

/// What must happen happens within this time.
const SOON: Duration = Duration::from_secs(60);

/// The first step of the softest restart that the provider knows.
async fn first_step(subject: &dyn Subject) -> Step {
    for mode in [Mode::Soft, Mode::Hard] {
        match subject.power().plan(&subject.node(), mode).await {
            Ok(plan) => return *plan.steps.first().expect("a plan has steps"),
            Err(Error::Unsupported(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    panic!("no mode is supported");
}

fn take_of(node: Node, step: Step) -> Take {
    Take { node, step, token: "a-token-of-the-suite-1".into(), reason: "a case of the suite".into() }
}

/// Takes a step up to the first item, which says that it was accepted.
async fn take(subject: &dyn Subject, step: Step) -> Result<()> {
    take_for(subject, subject.node(), step).await
}

async fn take_for(subject: &dyn Subject, node: Node, step: Step) -> Result<()> {
    let first = async {
        let mut progress = subject.power().take(take_of(node, step)).await?;
        progress.next().await.expect("a step has a first item")
    };
    match timeout(SOON, first).await.expect("a driver gives up some time")? {
        Progress::Accepted { .. } => Ok(()),
        Progress::Instance(instance) => panic!("the first item is not the acceptance but {instance:?}"),
    }
}

#[track_caller]
fn ok<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{error:?}"))
}
