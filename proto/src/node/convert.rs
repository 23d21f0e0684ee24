//! Between the seam's types and its wire.
//!
//! Outward nothing can fail. Inward a message may lack what proto3 cannot require: that is [`Error::Invalid`] in a
//! request, where nothing has been done yet, and [`Error::Ambiguous`] in what a step answers.

use super::{Error, Info, Instance, Mode, Node, Plan, Progress, Result, State, Step, Take, wire};

/// `field`, or the error that the request lacks it.
pub(super) fn required<T>(field: Option<T>, name: &str) -> Result<T> {
    field.ok_or_else(|| lacks(name))
}

fn lacks(name: &str) -> Error {
    Error::Invalid(format!("the message lacks its {name}"))
}

// === what there is ===

impl From<Info> for wire::InfoResponse {
    fn from(Info { provider, version }: Info) -> Self {
        Self { provider, version }
    }
}

impl From<wire::InfoResponse> for Info {
    fn from(wire::InfoResponse { provider, version }: wire::InfoResponse) -> Self {
        Self { provider, version }
    }
}

impl From<Node> for wire::Node {
    fn from(Node { name, provider_id, labels, annotations }: Node) -> Self {
        Self { name, provider_id, labels, annotations }
    }
}

impl From<wire::Node> for Node {
    fn from(wire::Node { name, provider_id, labels, annotations }: wire::Node) -> Self {
        Self { name, provider_id, labels, annotations }
    }
}

impl From<Instance> for wire::Instance {
    fn from(Instance { id, region, state, provider_state, addresses, names }: Instance) -> Self {
        Self { id, region, state: wire::instance::State::from(state).into(), provider_state, addresses, names }
    }
}

impl From<wire::Instance> for Instance {
    fn from(instance: wire::Instance) -> Self {
        let state = instance.state().into();
        let wire::Instance { id, region, provider_state, addresses, names, .. } = instance;
        Self { id, region, state, provider_state, addresses, names }
    }
}

impl From<State> for wire::instance::State {
    fn from(state: State) -> Self {
        match state {
            State::Running => Self::Running,
            State::Restarting => Self::Restarting,
            State::Stopping => Self::Stopping,
            State::Stopped => Self::Stopped,
            State::Starting => Self::Starting,
            State::Gone => Self::Gone,
            State::Other => Self::Other,
        }
    }
}

impl From<wire::instance::State> for State {
    fn from(state: wire::instance::State) -> Self {
        match state {
            wire::instance::State::Running => Self::Running,
            wire::instance::State::Restarting => Self::Restarting,
            wire::instance::State::Stopping => Self::Stopping,
            wire::instance::State::Stopped => Self::Stopped,
            wire::instance::State::Starting => Self::Starting,
            wire::instance::State::Gone => Self::Gone,
            wire::instance::State::Other | wire::instance::State::Unspecified => Self::Other,
        }
    }
}

// === what is asked ===

impl From<Mode> for wire::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Soft => Self::Soft,
            Mode::Hard => Self::Hard,
        }
    }
}

impl TryFrom<wire::Mode> for Mode {
    type Error = Error;

    fn try_from(mode: wire::Mode) -> Result<Self> {
        match mode {
            wire::Mode::Soft => Ok(Self::Soft),
            wire::Mode::Hard => Ok(Self::Hard),
            wire::Mode::Unspecified => Err(lacks("mode")),
        }
    }
}

impl From<Step> for wire::Step {
    fn from(step: Step) -> Self {
        match step {
            Step::Reboot => Self::Reboot,
            Step::Reset => Self::Reset,
            Step::Stop => Self::Stop,
            Step::Start => Self::Start,
        }
    }
}

impl TryFrom<wire::Step> for Step {
    type Error = Error;

    fn try_from(step: wire::Step) -> Result<Self> {
        match step {
            wire::Step::Reboot => Ok(Self::Reboot),
            wire::Step::Reset => Ok(Self::Reset),
            wire::Step::Stop => Ok(Self::Stop),
            wire::Step::Start => Ok(Self::Start),
            wire::Step::Unspecified => Err(lacks("step")),
        }
    }
}

impl From<Plan> for wire::PlanResponse {
    fn from(Plan { steps, verdict }: Plan) -> Self {
        Self { steps: steps.into_iter().map(|step| wire::Step::from(step).into()).collect(), verdict }
    }
}

impl TryFrom<wire::PlanResponse> for Plan {
    type Error = Error;

    fn try_from(plan: wire::PlanResponse) -> Result<Self> {
        Ok(Self { steps: plan.steps().map(Step::try_from).collect::<Result<_>>()?, verdict: plan.verdict })
    }
}

// === a step ===

impl From<Take> for wire::TakeRequest {
    fn from(Take { node, step, token, reason }: Take) -> Self {
        Self { node: Some(node.into()), step: wire::Step::from(step).into(), token, reason }
    }
}

impl TryFrom<wire::TakeRequest> for Take {
    type Error = Error;

    fn try_from(request: wire::TakeRequest) -> Result<Self> {
        let step = request.step().try_into()?;
        let wire::TakeRequest { node, token, reason, .. } = request;
        Ok(Self { node: required(node, "node")?.into(), step, token, reason })
    }
}

impl From<Progress> for wire::TakeResponse {
    fn from(progress: Progress) -> Self {
        use wire::take_response::{Accepted, Progress as Wire};
        let progress = match progress {
            Progress::Accepted { request_id } => Wire::Accepted(Accepted { request_id }),
            Progress::Instance(instance) => Wire::Instance(instance.into()),
        };
        Self { progress: Some(progress) }
    }
}

impl TryFrom<wire::TakeResponse> for Progress {
    type Error = Error;

    fn try_from(message: wire::TakeResponse) -> Result<Self> {
        use wire::take_response::{Accepted, Progress as Wire};
        match message.progress {
            Some(Wire::Accepted(Accepted { request_id })) => Ok(Self::Accepted { request_id }),
            Some(Wire::Instance(instance)) => Ok(Self::Instance(instance.into())),
            None => Err(Error::Ambiguous("the driver answered with an empty message".to_owned())),
        }
    }
}
