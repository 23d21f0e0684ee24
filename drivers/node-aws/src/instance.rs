//! An instance as EC2 describes it.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{self, InstanceStateName};
use proto::node::{Instance, State};

/// In the words of the seam.
pub(crate) fn describe(instance: &types::Instance, region: String) -> Instance {
    let name = instance.state().and_then(types::InstanceState::name);
    Instance {
        id: instance.instance_id().unwrap_or_default().to_owned(),
        region,
        state: name.map_or(State::Other, state),
        provider_state: name.map_or_else(String::new, |name| name.as_str().to_owned()),
        addresses: addresses(instance),
        names: names(instance),
    }
}

fn state(name: &InstanceStateName) -> State {
    match name {
        InstanceStateName::Pending => State::Starting,
        InstanceStateName::Running => State::Running,
        InstanceStateName::Stopping => State::Stopping,
        InstanceStateName::Stopped => State::Stopped,
        // What shuts down is being terminated: it does not come back.
        InstanceStateName::ShuttingDown | InstanceStateName::Terminated => State::Gone,
        _ => State::Other,
    }
}

/// Each once: those of the instance, and those of all its interfaces.
fn addresses(instance: &types::Instance) -> Vec<String> {
    let own = [instance.private_ip_address(), instance.public_ip_address(), instance.ipv6_address()];
    let interfaces = instance.network_interfaces().iter().flat_map(|interface| {
        let private = interface.private_ip_addresses().iter().flat_map(|address| {
            let public = address.association().and_then(|association| association.public_ip());
            [address.private_ip_address(), public]
        });
        let ipv6 = interface.ipv6_addresses().iter().map(|address| address.ipv6_address());
        private.chain(ipv6)
    });
    once(own.into_iter().chain(interfaces))
}

fn names(instance: &types::Instance) -> Vec<String> {
    let own = [instance.private_dns_name(), instance.public_dns_name()];
    let interfaces = instance.network_interfaces().iter().flat_map(|interface| {
        interface
            .private_ip_addresses()
            .iter()
            .map(|address| address.private_dns_name())
            .chain([interface.private_dns_name()])
    });
    once(own.into_iter().chain(interfaces))
}

/// What is there and not empty, in its order, each once.
fn once<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    texts.flatten().filter(|text| !text.is_empty() && seen.insert(*text)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{InstanceNetworkInterface, InstancePrivateIpAddress, InstanceState};

    use super::*;

    #[test]
    fn every_address_and_name_is_told_once() {
        let address = |ip: &str, name: &str| {
            InstancePrivateIpAddress::builder().private_ip_address(ip).private_dns_name(name).build()
        };
        let interface = InstanceNetworkInterface::builder()
            .private_ip_addresses(address("10.0.0.1", "ip-10-0-0-1.ec2.internal"))
            .private_ip_addresses(address("10.0.0.2", "ip-10-0-0-2.ec2.internal"))
            .build();
        let instance = types::Instance::builder()
            .instance_id("i-0123456789abcdef0")
            .state(InstanceState::builder().name(InstanceStateName::Running).build())
            .private_ip_address("10.0.0.1")
            .public_ip_address("192.0.2.1")
            .private_dns_name("ip-10-0-0-1.ec2.internal")
            .public_dns_name("")
            .network_interfaces(interface)
            .build();
        let described = describe(&instance, "eu-west-1".to_owned());
        assert_eq!(described.addresses, ["10.0.0.1", "192.0.2.1", "10.0.0.2"]);
        assert_eq!(described.names, ["ip-10-0-0-1.ec2.internal", "ip-10-0-0-2.ec2.internal"]);
        assert_eq!((described.state, described.provider_state.as_str()), (State::Running, "running"));
    }

    #[test]
    fn a_state_without_a_word_of_ours_is_other() {
        let described = describe(&types::Instance::builder().build(), String::new());
        assert_eq!((described.state, described.provider_state.as_str()), (State::Other, ""));
        assert_eq!(state(&"hibernating".into()), State::Other);
        assert_eq!(state(&InstanceStateName::ShuttingDown), State::Gone);
    }
}
