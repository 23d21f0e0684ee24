//! An instance after a step.

use std::time::Duration;

use async_stream::stream;
use futures::{StreamExt, stream::BoxStream};
use proto::node::{Instance, Node, NodePower, Progress, Result, State, Step};
use tokio::time::{Instant, sleep};

/// How often the provider is asked.
const INTERVAL: Duration = Duration::from_secs(2);

/// Nothing takes longer: who still waits asks by itself.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// [`Progress::Accepted`], then the instance each time that it changes, until the step has shown or will not. A question
/// that fails is asked again: the step was accepted, whatever becomes of the questions after it.
pub fn follow<N: NodePower>(
    power: N,
    node: Node,
    step: Step,
    request_id: String,
) -> BoxStream<'static, Result<Progress>> {
    let accepted = futures::stream::once(async { Ok(Progress::Accepted { request_id }) });
    accepted.chain(changes(power, node, step).map(|instance| Ok(Progress::Instance(instance)))).boxed()
}

fn changes<N: NodePower>(power: N, node: Node, step: Step) -> impl futures::Stream<Item = Instance> + Send + 'static {
    stream! {
        let end = Instant::now() + LIMIT;
        let mut last = None;
        while Instant::now() < end {
            match power.describe(&node).await {
                Ok(instance) => {
                    let settled = settled(step, instance.state);
                    if last.as_ref() != Some(&instance) {
                        last = Some(instance.clone());
                        yield instance;
                    }
                    if settled {
                        break;
                    }
                }
                Err(error) => tracing::debug!("asking again after {step:?} of {}: {error}", node.name),
            }
            sleep(INTERVAL).await;
        }
    }
}

/// Whether nothing more is to be seen of a step.
fn settled(step: Step, state: State) -> bool {
    match step {
        Step::Stop => matches!(state, State::Stopped | State::Gone),
        Step::Start | Step::Reboot | Step::Reset => matches!(state, State::Running | State::Gone),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::{collections::VecDeque, sync::Mutex};

    use async_trait::async_trait;
    use futures::TryStreamExt;
    use proto::node::{Error, Info, Mode, Plan, Take};

    use super::*;

    /// Answers one after the other, the last one again and again.
    struct Script(Mutex<VecDeque<Result<State>>>);

    #[async_trait]
    impl NodePower for Script {
        async fn info(&self) -> Result<Info> {
            unreachable!("nobody asks")
        }

        async fn describe(&self, _: &Node) -> Result<Instance> {
            let mut script = self.0.lock().unwrap();
            let next = if script.len() > 1 { script.pop_front() } else { script.front().cloned() };
            let state = next.unwrap()?;
            let (id, region, provider_state) = (String::new(), String::new(), String::new());
            Ok(Instance { id, region, state, provider_state, addresses: Vec::new(), names: Vec::new() })
        }

        async fn plan(&self, _: &Node, _: Mode) -> Result<Plan> {
            unreachable!("nobody asks")
        }

        async fn take(&self, _: Take) -> Result<BoxStream<'static, Result<Progress>>> {
            unreachable!("nobody asks")
        }
    }

    async fn seen(step: Step, script: impl IntoIterator<Item = Result<State>>) -> Vec<State> {
        let script = Script(Mutex::new(script.into_iter().collect()));
        let mut progress = follow(script, Node::default(), step, "r-1".to_owned());
        assert_eq!(progress.next().await, Some(Ok(Progress::Accepted { request_id: "r-1".to_owned() })));
        let state = |progress| match progress {
            Progress::Instance(instance) => instance.state,
            Progress::Accepted { .. } => panic!("a step is accepted once"),
        };
        progress.map_ok(state).try_collect().await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn each_change_is_told_once_until_the_step_has_shown() {
        use State::{Gone, Restarting, Running, Starting, Stopped, Stopping};
        let failed = || Err(Error::Unreachable("down".to_owned()));
        let stop = [Ok(Running), Ok(Stopping), failed(), Ok(Stopping), Ok(Stopped), Ok(Running)];
        assert_eq!(seen(Step::Stop, stop).await, [Running, Stopping, Stopped]);
        assert_eq!(seen(Step::Start, [Ok(Stopped), Ok(Starting), Ok(Running)]).await, [Stopped, Starting, Running]);
        assert_eq!(seen(Step::Reboot, [Ok(Restarting), Ok(Running), Ok(Stopped)]).await, [Restarting, Running]);
        assert_eq!(seen(Step::Start, [Ok(Gone)]).await, [Gone]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_never_shows_is_given_up() {
        assert_eq!(seen(Step::Stop, [Ok(State::Running)]).await, [State::Running]);
        assert_eq!(seen(Step::Stop, [Err(Error::Unreachable("down".to_owned()))]).await, []);
    }
}
