//! The machine behind a node, as its providerID and its labels say: for people to read, and nothing that is acted on.

use std::collections::BTreeMap;

/// The labels that name a region, newest first.
const REGION: [&str; 2] = ["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"];

/// A machine. What is not known is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Machine {
    /// Whose it is.
    pub provider: String,
    /// The provider's id of it.
    pub instance: String,
    /// Where it is.
    pub region: String,
}

// === impl Machine ===

impl Machine {
    /// Reads a providerID in any of its providers' forms; a label has the last word about the region.
    pub(crate) fn of(provider_id: &str, labels: &BTreeMap<String, String>) -> Self {
        let mut machine = match provider_id.split_once("://") {
            Some((scheme, path)) => Self::with_scheme(scheme, path),
            None => Self::bare(provider_id),
        };
        if let Some(region) = REGION.iter().find_map(|label| labels.get(*label)) {
            machine.region = region.clone();
        }
        machine
    }

    fn with_scheme(scheme: &str, path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let last = parts.last().copied().unwrap_or_default();
        let (provider, instance, region) = match (scheme, parts.as_slice()) {
            ("aws", [zone, _]) => ("aws", last.to_owned(), region_of(zone)),
            ("qcloud" | "tencentcloud", [zone, _]) => ("tencent", last.to_owned(), tencent_region(zone)),
            ("qcloud" | "tencentcloud", _) => ("tencent", last.to_owned(), ""),
            ("hcloud", [server]) if server.starts_with("bm-") => ("hrobot", server["bm-".len()..].to_owned(), ""),
            ("alicloud", [both]) => return Self::alibaba(both),
            ("gce", [_, zone, _]) => ("gce", last.to_owned(), zone.rsplit_once('-').map_or("", |(region, _)| region)),
            ("azure", [.., set, "virtualMachines", number]) if is_scale_set(&parts) => {
                ("azure", format!("{set}/{number}"), "")
            }
            ("openstack", [region, _]) => ("openstack", last.to_owned(), *region),
            (scheme, _) => (scheme, last.to_owned(), ""),
        };
        Self { provider: provider.to_owned(), instance, region: region.to_owned() }
    }

    fn bare(id: &str) -> Self {
        match id {
            "" => Self::default(),
            _ if id.starts_with("i-") => {
                Self { provider: "aws".to_owned(), instance: id.to_owned(), ..Self::default() }
            }
            _ if id.starts_with("ocid1.") => {
                Self { provider: "oci".to_owned(), instance: id.to_owned(), ..Self::default() }
            }
            _ if id.contains(".i-") => Self::alibaba(id),
            _ => Self { instance: id.to_owned(), ..Self::default() },
        }
    }

    /// `REGION.INSTANCE`.
    fn alibaba(both: &str) -> Self {
        let (region, instance) = both.split_once('.').unwrap_or(("", both));
        Self { provider: "alibaba".to_owned(), instance: instance.to_owned(), region: region.to_owned() }
    }
}

/// The region of an availability zone or local zone of AWS: up to and with its first digit.
fn region_of(zone: &str) -> &str {
    zone.find(|letter: char| letter.is_ascii_digit()).map_or("", |at| &zone[..=at])
}

/// The region of a zone of Tencent Cloud, such as `ap-beijing-6`; a zone in numbers does not say it.
fn tencent_region(zone: &str) -> &str {
    zone.rsplit_once('-').map_or("", |(region, _)| region)
}

fn is_scale_set(parts: &[&str]) -> bool {
    parts.iter().any(|part| part.eq_ignore_ascii_case("virtualMachineScaleSets"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(id: &str) -> (String, String, String) {
        let Machine { provider, instance, region } = Machine::of(id, &BTreeMap::new());
        (provider, instance, region)
    }

    #[test]
    fn every_providers_form_is_read() {
        const SET: &str =
            "azure:///subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets";
        let scale_set = format!("{SET}/pool/virtualMachines/3");
        let cases = [
            ("aws:///eu-west-1a/i-0123", ("aws", "i-0123", "eu-west-1")),
            ("aws:///us-west-2-lax-1a/i-0123", ("aws", "i-0123", "us-west-2")),
            ("aws:////i-0123", ("aws", "i-0123", "")),
            ("i-0123", ("aws", "i-0123", "")),
            ("aws:///eu-west-1a/fargate-10.0.0.1", ("aws", "fargate-10.0.0.1", "eu-west-1")),
            ("qcloud:///800006/ins-1", ("tencent", "ins-1", "")),
            ("tencentcloud:///ap-beijing-6/ins-1", ("tencent", "ins-1", "ap-beijing")),
            ("cn-hangzhou.i-x", ("alibaba", "i-x", "cn-hangzhou")),
            ("alicloud://cn-hangzhou.i-x", ("alibaba", "i-x", "cn-hangzhou")),
            ("gce://project/europe-west1-b/node-1", ("gce", "node-1", "europe-west1")),
            (&scale_set, ("azure", "pool/3", "")),
            ("hcloud://bm-42", ("hrobot", "42", "")),
            ("hcloud://42", ("hcloud", "42", "")),
            ("openstack:///5f1e", ("openstack", "5f1e", "")),
            ("openstack://RegionOne/5f1e", ("openstack", "5f1e", "RegionOne")),
            ("redfish://rack-7/System-1", ("redfish", "System-1", "")),
            ("ocid1.instance.oc1.x", ("oci", "ocid1.instance.oc1.x", "")),
            ("something", ("", "something", "")),
            ("", ("", "", "")),
        ];
        for (id, (provider, instance, region)) in cases {
            assert_eq!(of(id), (provider.to_owned(), instance.to_owned(), region.to_owned()), "{id}");
        }
    }

    #[test]
    fn a_label_has_the_last_word_about_the_region() {
        let labels = BTreeMap::from([(REGION[0].to_owned(), "bj".to_owned())]);
        assert_eq!(Machine::of("qcloud:///800006/ins-1", &labels).region, "bj");
    }
}
