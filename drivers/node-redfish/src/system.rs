//! A `ComputerSystem` of Redfish, as far as it is read.

use proto::node::{Instance, State, Step};
use serde::Deserialize;

/// The answer to a question for a system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct System {
    id: String,
    power_state: Option<String>,
    host_name: Option<String>,
    actions: Actions,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Actions {
    #[serde(rename = "#ComputerSystem.Reset")]
    reset: Reset,
}

/// How a system is reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Reset {
    /// Where to send it.
    pub(crate) target: Option<String>,
    /// Which it offers, when it says so itself.
    #[serde(rename = "ResetType@Redfish.AllowableValues")]
    pub(crate) types: Option<Vec<String>>,
    /// Where it says so otherwise.
    #[serde(rename = "@Redfish.ActionInfo")]
    pub(crate) info: Option<String>,
}

/// An `ActionInfo`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ActionInfo {
    parameters: Vec<Parameter>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Parameter {
    name: String,
    allowable_values: Option<Vec<String>>,
}

/// The resets that a system offers; `None` if it does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer(pub(crate) Option<Vec<String>>);

// === impl System ===

impl System {
    /// In the words of the seam; `node` is the name that the operator has for it.
    pub(crate) fn describe(&self, node: Option<&str>) -> Instance {
        let host_name = self.host_name.as_deref().filter(|name| !name.is_empty() && Some(*name) != node);
        Instance {
            id: self.id.clone(),
            region: String::new(),
            state: self.state(),
            provider_state: self.power_state.clone().unwrap_or_else(|| "unknown".to_owned()),
            addresses: Vec::new(),
            names: node.into_iter().chain(host_name).map(str::to_owned).collect(),
        }
    }

    pub(crate) fn reset(&self) -> &Reset {
        &self.actions.reset
    }

    fn state(&self) -> State {
        match self.power_state.as_deref() {
            Some("On") => State::Running,
            Some("Off") => State::Stopped,
            Some("PoweringOn") => State::Starting,
            Some("PoweringOff") => State::Stopping,
            _ => State::Other,
        }
    }
}

// === impl ActionInfo ===

impl ActionInfo {
    /// The values of `ResetType`.
    pub(crate) fn types(self) -> Option<Vec<String>> {
        self.parameters.into_iter().find(|parameter| parameter.name == "ResetType")?.allowable_values
    }
}

// === impl Offer ===

impl Offer {
    /// The reset that takes a step. A system that does not say what it offers is asked for the usual one.
    pub(crate) fn reset(&self, step: Step) -> Option<&'static str> {
        let wanted: &[&'static str] = match step {
            Step::Reboot => &["GracefulRestart"],
            Step::Reset => &["ForceRestart", "PowerCycle"],
            Step::Stop => &["ForceOff"],
            Step::Start => &["On", "ForceOn"],
        };
        match &self.0 {
            None => wanted.first().copied(),
            Some(types) => wanted.iter().copied().find(|wanted| types.iter().any(|offered| offered == wanted)),
        }
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        match &self.0 {
            None => "the BMC does not say which resets it offers".to_owned(),
            Some(types) => format!("the BMC offers {}", types.join(", ")),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn offer(types: &[&str]) -> Offer {
        Offer(Some(types.iter().map(|&name| name.to_owned()).collect()))
    }

    #[test]
    fn a_step_takes_what_is_offered() {
        assert_eq!(offer(&["On", "ForceOff", "GracefulRestart"]).reset(Step::Reboot), Some("GracefulRestart"));
        assert_eq!(offer(&["On", "ForceOff"]).reset(Step::Reboot), None);
        assert_eq!(offer(&["PowerCycle", "ForceRestart"]).reset(Step::Reset), Some("ForceRestart"));
        assert_eq!(offer(&["PowerCycle"]).reset(Step::Reset), Some("PowerCycle"));
        assert_eq!(offer(&[]).reset(Step::Stop), None);
        assert_eq!(offer(&["ForceOn"]).reset(Step::Start), Some("ForceOn"));
        assert_eq!(Offer(None).reset(Step::Reset), Some("ForceRestart"));
    }

    #[test]
    fn a_system_says_little_and_that_is_read() {
        let system: System = serde_json::from_value(json!({
            "Id": "1", "PowerState": "On", "HostName": "worker-1.example", "Status": {"Health": "OK"},
            "Actions": {"#ComputerSystem.Reset": {"target": "/t", "ResetType@Redfish.AllowableValues": ["On"]}, "Oem": {}}
        }))
        .unwrap();
        let instance = system.describe(Some("worker-1"));
        assert_eq!((instance.id.as_str(), instance.state), ("1", State::Running));
        assert_eq!(instance.names, ["worker-1", "worker-1.example"]);
        assert_eq!(system.reset().target.as_deref(), Some("/t"));
        let silent: System = serde_json::from_value(json!({"Id": "1"})).unwrap();
        assert_eq!((silent.describe(None).state, silent.reset()), (State::Other, &Reset::default()));
    }

    #[test]
    fn an_action_info_is_read() {
        let info: ActionInfo = serde_json::from_value(json!({
            "Parameters": [{"Name": "Other"}, {"Name": "ResetType", "DataType": "String", "AllowableValues": ["On"]}]
        }))
        .unwrap();
        assert_eq!(info.types(), Some(vec!["On".to_owned()]));
    }
}
