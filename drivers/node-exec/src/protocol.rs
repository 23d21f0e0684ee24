//! `outrigger.node/v1`: requests, answers and refusals in JSON, and what they are in the words of the seam.

use std::collections::BTreeMap;

use proto::node::{Error, Instance, Mode, Node, Plan, State, Step, Take};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

const PROTOCOL: &str = "outrigger.node/v1";

/// The longest part of somebody else's message that is passed on.
const LONGEST: usize = 600;

/// What goes out.
#[derive(Debug, Serialize)]
pub(crate) struct Request<'a> {
    protocol: &'static str,
    #[serde(flatten)]
    pub(crate) call: Call<'a>,
    node: NodeObject<'a>,
}

/// What is asked.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "call", rename_all = "lowercase")]
pub(crate) enum Call<'a> {
    Describe,
    Plan { mode: &'static str },
    Take { step: &'static str, token: &'a str, reason: &'a str },
}

#[derive(Debug, Serialize)]
struct NodeObject<'a> {
    name: &'a str,
    #[serde(rename = "providerID")]
    provider_id: &'a str,
    labels: &'a BTreeMap<String, String>,
    annotations: &'a BTreeMap<String, String>,
}

/// The answer to `describe`.
#[derive(Debug, Deserialize)]
pub(crate) struct Described {
    instance: InstanceObject,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InstanceObject {
    id: String,
    #[serde(default)]
    region: String,
    state: StateName,
    provider_state: Option<String>,
    #[serde(default)]
    addresses: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum StateName {
    Running,
    Restarting,
    Stopping,
    Stopped,
    Starting,
    Gone,
    Other,
}

/// The answer to `plan`.
#[derive(Debug, Deserialize)]
pub(crate) struct Planned {
    steps: Vec<StepName>,
    #[serde(default)]
    verdict: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum StepName {
    Reboot,
    Reset,
    Stop,
    Start,
}

/// The answer to `take`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Taken {
    #[serde(rename = "requestID", default)]
    pub(crate) request_id: String,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    refused: Refused,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refused {
    kind: Kind,
    #[serde(default)]
    message: String,
    #[serde(default)]
    retry_after_seconds: u32,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum Kind {
    Invalid,
    NotFound,
    Forbidden,
    Conflict,
    Unsupported,
    Throttled,
    Unreachable,
}

// === impl Request ===

impl<'a> Request<'a> {
    pub(crate) fn describe(node: &'a Node) -> Self {
        Self::new(Call::Describe, node)
    }

    pub(crate) fn plan(node: &'a Node, mode: Mode) -> Self {
        let mode = match mode {
            Mode::Soft => "Soft",
            Mode::Hard => "Hard",
        };
        Self::new(Call::Plan { mode }, node)
    }

    pub(crate) fn take(take: &'a Take) -> Self {
        let step = match take.step {
            Step::Reboot => "Reboot",
            Step::Reset => "Reset",
            Step::Stop => "Stop",
            Step::Start => "Start",
        };
        Self::new(Call::Take { step, token: &take.token, reason: &take.reason }, &take.node)
    }

    fn new(call: Call<'a>, node: &'a Node) -> Self {
        let Node { name, provider_id, labels, annotations } = node;
        Self { protocol: PROTOCOL, call, node: NodeObject { name, provider_id, labels, annotations } }
    }

    /// As it is sent.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and maps of strings are JSON")
    }
}

// === impl Described, Planned ===

impl From<Described> for Instance {
    fn from(Described { instance }: Described) -> Self {
        let state = match instance.state {
            StateName::Running => State::Running,
            StateName::Restarting => State::Restarting,
            StateName::Stopping => State::Stopping,
            StateName::Stopped => State::Stopped,
            StateName::Starting => State::Starting,
            StateName::Gone => State::Gone,
            StateName::Other => State::Other,
        };
        Self {
            id: instance.id,
            region: instance.region,
            state,
            provider_state: instance.provider_state.unwrap_or_else(|| format!("{:?}", instance.state)),
            addresses: instance.addresses,
            names: instance.names,
        }
    }
}

impl From<Planned> for Plan {
    fn from(Planned { steps, verdict }: Planned) -> Self {
        let step = |step| match step {
            StepName::Reboot => Step::Reboot,
            StepName::Reset => Step::Reset,
            StepName::Stop => Step::Stop,
            StepName::Start => Step::Start,
        };
        Self { steps: steps.into_iter().map(step).collect(), verdict }
    }
}

/// Reads an answer. One that cannot be read says nothing of what was done.
pub(crate) fn read<T: DeserializeOwned>(who: &str, answer: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(answer)
        .map_err(|error| Error::Ambiguous(format!("{who}: the answer is not of {PROTOCOL}: {error}")))
}

/// Reads a refusal; `None` if there is none to read.
pub(crate) fn refusal(who: &str, answer: &[u8]) -> Option<Error> {
    let Refusal { refused } = serde_json::from_slice(answer).ok()?;
    let message = format!("{who}: {}", refused.message.chars().take(LONGEST).collect::<String>());
    Some(match refused.kind {
        Kind::Invalid => Error::Invalid(message),
        Kind::NotFound => Error::NotFound(message),
        Kind::Forbidden => Error::Forbidden(message),
        Kind::Conflict => Error::Conflict(message),
        Kind::Unsupported => Error::Unsupported(message),
        Kind::Throttled => Error::Throttled { message, retry_after: refused.retry_after_seconds },
        Kind::Unreachable => Error::Unreachable(message),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn node() -> Node {
        let labels = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        Node { name: "n".to_owned(), provider_id: "demo://1".to_owned(), labels, ..Node::default() }
    }

    fn sent(request: &Request<'_>) -> Value {
        serde_json::from_slice(&request.bytes()).unwrap()
    }

    #[test]
    fn requests_are_flat_objects() {
        let take = Take { node: node(), step: Step::Reset, token: "t".to_owned(), reason: "r".to_owned() };
        let object = json!({"name": "n", "providerID": "demo://1", "labels": {"a": "b"}, "annotations": {}});
        assert_eq!(
            sent(&Request::take(&take)),
            json!({"protocol": PROTOCOL, "call": "take", "step": "Reset", "token": "t", "reason": "r", "node": object})
        );
        assert_eq!(
            sent(&Request::plan(&take.node, Mode::Hard)),
            json!({"protocol": PROTOCOL, "call": "plan", "mode": "Hard", "node": object})
        );
        assert_eq!(
            sent(&Request::describe(&take.node)),
            json!({"protocol": PROTOCOL, "call": "describe", "node": object})
        );
    }

    #[test]
    fn answers_are_read() {
        let instance: Instance =
            read::<Described>("p", br#"{"instance": {"id": "1", "state": "Stopped"}}"#).unwrap().into();
        assert_eq!((instance.state, instance.provider_state.as_str()), (State::Stopped, "Stopped"));
        let plan: Plan = read::<Planned>("p", br#"{"steps": ["Stop", "Start"]}"#).unwrap().into();
        assert_eq!(plan.steps, [Step::Stop, Step::Start]);
        for wrong in [
            "",
            "{}",
            r#"{"instance": {"id": "1", "state": "up"}}"#,
            r#"{"instance": {"id": "1", "state": "Gone", "x": 1}}"#,
        ] {
            assert!(matches!(read::<Described>("p", wrong.as_bytes()), Err(Error::Ambiguous(_))), "{wrong}");
        }
    }

    #[test]
    fn refusals_are_of_a_known_kind() {
        let throttled = refusal("p", br#"{"refused": {"kind": "Throttled", "message": "m", "retryAfterSeconds": 7}}"#);
        assert_eq!(throttled, Some(Error::Throttled { message: "p: m".to_owned(), retry_after: 7 }));
        for none in ["", "{}", r#"{"refused": {"kind": "Ambiguous"}}"#, r#"{"refused": {"message": "m"}}"#] {
            assert_eq!(refusal("p", none.as_bytes()), None, "{none}");
        }
    }
}
