//! An instance as CVM describes it.

use proto::node::{Instance, State};
use serde::Deserialize;

/// The answer to `DescribeInstances`, as far as it is read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Described {
    #[serde(default)]
    pub(crate) instance_set: Vec<Machine>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Machine {
    instance_id: String,
    instance_state: String,
    latest_operation: Option<String>,
    latest_operation_state: Option<String>,
    private_ip_addresses: Option<Vec<String>>,
    public_ip_addresses: Option<Vec<String>>,
    #[serde(rename = "IPv6Addresses")]
    ipv6_addresses: Option<Vec<String>>,
    host_name: Option<String>,
}

// === impl Machine ===

impl Machine {
    /// In the words of the seam.
    pub(crate) fn describe(self, region: String) -> Instance {
        let state = self.state();
        let addresses = [self.private_ip_addresses, self.public_ip_addresses, self.ipv6_addresses];
        Instance {
            id: self.instance_id,
            region,
            state,
            provider_state: self.instance_state,
            addresses: addresses.into_iter().flatten().flatten().collect(),
            names: self.host_name.into_iter().filter(|name| !name.is_empty()).collect(),
        }
    }

    pub(crate) fn is(&self, id: &str) -> bool {
        self.instance_id == id
    }

    fn state(&self) -> State {
        let operating = self.latest_operation_state.as_deref() == Some("OPERATING");
        match self.instance_state.as_str() {
            // A reboot that was accepted shows in the operation before it shows in the state.
            "RUNNING" if operating && self.latest_operation.as_deref() == Some("RebootInstances") => State::Restarting,
            "RUNNING" => State::Running,
            "REBOOTING" => State::Restarting,
            "STOPPING" => State::Stopping,
            "STOPPED" => State::Stopped,
            "STARTING" | "PENDING" => State::Starting,
            // SHUTDOWN is stopped and waiting to be destroyed.
            "SHUTDOWN" | "TERMINATING" | "LAUNCH_FAILED" => State::Gone,
            _ => State::Other,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn state(machine: serde_json::Value) -> State {
        serde_json::from_value::<Machine>(machine).unwrap().state()
    }

    #[test]
    fn a_reboot_that_is_under_way_is_a_restart() {
        let operation = |name: &str, operation: &str| json!({"InstanceState": "RUNNING", "LatestOperation": name, "LatestOperationState": operation});
        assert_eq!(state(operation("RebootInstances", "OPERATING")), State::Restarting);
        assert_eq!(state(operation("RebootInstances", "SUCCESS")), State::Running);
        assert_eq!(state(operation("ModifyInstancesAttribute", "OPERATING")), State::Running);
        assert_eq!(state(json!({"InstanceState": "REBOOTING"})), State::Restarting);
        assert_eq!(state(json!({"InstanceState": "RESCUE_MODE"})), State::Other);
    }

    #[test]
    fn what_is_null_is_nothing() {
        let machine = json!({
            "InstanceId": "ins-1", "InstanceState": "RUNNING", "PrivateIpAddresses": ["10.0.0.7"],
            "PublicIpAddresses": null, "IPv6Addresses": ["fd00::7"], "HostName": "worker-1", "Tags": []
        });
        let instance = serde_json::from_value::<Machine>(machine).unwrap().describe("ap-beijing".to_owned());
        assert_eq!(
            (instance.addresses, instance.names),
            (vec!["10.0.0.7".into(), "fd00::7".into()], vec!["worker-1".into()])
        );
    }
}
