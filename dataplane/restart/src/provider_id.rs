//! The forms of `spec.providerID`: whose machine a node is.
//!
//! To add a provider: its form in [`KNOWN`], and a line in the table of the test. A scheme that is not known is a provider
//! of its own name, for drivers that an operator brings.

/// Whose machine it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Provider {
    /// The name that `--node-driver` has for it.
    pub name: String,
    /// Whether the form is a known one, so that only a driver may be missing.
    pub known: bool,
}

/// Why there is nothing to restart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// The node has none.
    #[error("the node has no spec.providerID: its kubelet or cloud controller sets it (kubelet --provider-id)")]
    Missing,
    /// It is a Fargate node.
    #[error("{0:?} is a Fargate node, which has no machine: delete its pod instead")]
    Fargate(String),
    /// It looks like nothing that is known.
    #[error("{0:?} is no known form of a providerID")]
    Unknown(String),
}

/// A form: its scheme (empty for those without), whose it is, and whether what follows the scheme is of that form.
type Form = (&'static str, &'static str, fn(&str) -> bool);

const KNOWN: &[Form] = &[
    ("aws", "aws", |rest| matches!(parts(rest)[..], ["", _zone, id] if prefixed(id, "i-"))),
    ("", "aws", |id| prefixed(id, "i-")),
    ("qcloud", "tencent", |rest| matches!(parts(rest)[..], ["", _zone, id] if prefixed(id, "ins-"))),
    ("tencentcloud", "tencent", |rest| matches!(parts(rest)[..], ["", _zone, id] if prefixed(id, "ins-"))),
    ("alicloud", "alibaba", alibaba),
    ("", "alibaba", alibaba),
    ("gce", "gce", |rest| matches!(parts(rest)[..], [project, zone, name] if filled(&[project, zone, name]))),
    ("azure", "azure", azure),
    ("hcloud", "hrobot", |rest| rest.strip_prefix("bm-").is_some_and(numeric)),
    ("hcloud", "hcloud", numeric),
    ("hrobot", "hrobot", numeric),
    ("openstack", "openstack", |rest| matches!(parts(rest)[..], [_region, id] if uuid(id))),
    ("vsphere", "vsphere", uuid),
    ("metal3", "metal3", |rest| filled(&parts(rest))),
    ("kind", "kind", |rest| matches!(parts(rest)[..], [_engine, cluster, node] if filled(&[cluster, node]))),
    ("", "oci", oci),
    ("oci", "oci", oci),
    ("digitalocean", "digitalocean", numeric),
];

/// Whose machine `provider_id` is.
pub(crate) fn provider(provider_id: &str) -> Result<Provider, Error> {
    if provider_id.is_empty() {
        return Err(Error::Missing);
    }
    let (scheme, rest) = provider_id.split_once("://").unwrap_or(("", provider_id));
    if scheme == "aws" && rest.rsplit('/').next().is_some_and(|last| last.starts_with("fargate-")) {
        return Err(Error::Fargate(provider_id.to_owned()));
    }
    let mut forms = KNOWN.iter().filter(|(known, ..)| *known == scheme).peekable();
    let own = forms.peek().is_none() && word(scheme) && !rest.is_empty();
    match forms.find(|(.., fits)| fits(rest)) {
        Some((_, name, _)) => Ok(Provider { name: (*name).to_owned(), known: true }),
        None if own => Ok(Provider { name: scheme.to_owned(), known: false }),
        None => Err(Error::Unknown(provider_id.to_owned())),
    }
}

fn parts(rest: &str) -> Vec<&str> {
    rest.split('/').collect()
}

fn filled(parts: &[&str]) -> bool {
    parts.iter().all(|part| !part.is_empty())
}

fn prefixed(id: &str, prefix: &str) -> bool {
    id.strip_prefix(prefix)
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

fn numeric(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())
}

fn word(scheme: &str) -> bool {
    !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn uuid(id: &str) -> bool {
    uuid::Uuid::try_parse(id).is_ok() && id.len() == 36
}

fn oci(id: &str) -> bool {
    id.starts_with("ocid1.instance.")
}

fn alibaba(rest: &str) -> bool {
    rest.split_once('.').is_some_and(|(region, id)| {
        region.contains('-')
            && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && prefixed(id, "i-")
    })
}

/// `/subscriptions/S/resourceGroups/R/providers/Microsoft.Compute/virtualMachines/V`, or of a scale set.
fn azure(rest: &str) -> bool {
    let rest = rest.to_ascii_lowercase();
    let path = parts(&rest);
    let ["", "subscriptions", s, "resourcegroups", r, "providers", "microsoft.compute", machine @ ..] = &path[..]
    else {
        return false;
    };
    filled(&[s, r])
        && match machine {
            ["virtualmachines", name] => !name.is_empty(),
            ["virtualmachinescalesets", set, "virtualmachines", number] => filled(&[set, number]),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_somebodys() {
        let uuid = "0c5f8f5e-4d67-4f37-9d61-6a0b6d3f4f11";
        let vm = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute";
        let cases = [
            ("aws:///eu-west-1a/i-0123456789abcdef0".to_owned(), "aws"),
            ("aws:////i-0123456789abcdef0".to_owned(), "aws"),
            ("i-0123456789abcdef0".to_owned(), "aws"),
            ("qcloud:///100003/ins-abcdef12".to_owned(), "tencent"),
            ("tencentcloud:///ap-beijing-6/ins-abcdef12".to_owned(), "tencent"),
            ("cn-hangzhou.i-bp67acfmxazb4p".to_owned(), "alibaba"),
            ("alicloud://cn-hangzhou.i-bp67acfmxazb4p".to_owned(), "alibaba"),
            ("gce://project/europe-west1-b/node-1".to_owned(), "gce"),
            (format!("azure://{vm}/virtualMachines/vm-1"), "azure"),
            (format!("azure://{}/virtualmachinescalesets/set/virtualMachines/7", vm.to_uppercase()), "azure"),
            ("hcloud://42".to_owned(), "hcloud"),
            ("hcloud://bm-42".to_owned(), "hrobot"),
            ("hrobot://42".to_owned(), "hrobot"),
            (format!("openstack:///{uuid}"), "openstack"),
            (format!("openstack://region/{uuid}"), "openstack"),
            (format!("vsphere://{uuid}"), "vsphere"),
            (format!("metal3://{uuid}"), "metal3"),
            ("metal3://metal3/host-1/machine-1".to_owned(), "metal3"),
            ("kind://docker/kind/kind-worker".to_owned(), "kind"),
            ("ocid1.instance.oc1.phx.abc".to_owned(), "oci"),
            ("digitalocean://42".to_owned(), "digitalocean"),
        ];
        for (text, name) in cases {
            assert_eq!(provider(&text), Ok(Provider { name: name.to_owned(), known: true }), "{text}");
        }
    }

    #[test]
    fn a_scheme_that_is_not_known_is_a_provider_of_that_name() {
        for (text, name) in [("proxmox://cluster/100", "proxmox"), ("redfish://bmc-1/Systems/1", "redfish")] {
            assert_eq!(provider(text), Ok(Provider { name: name.to_owned(), known: false }));
        }
    }

    #[test]
    fn what_has_no_machine_is_refused() {
        assert_eq!(provider(""), Err(Error::Missing));
        for text in ["aws:///eu-west-1a/fargate-10.0.0.1", "aws:///eu-west-1a/0123/fargate-ip-10-0-0-1.internal"] {
            assert_eq!(provider(text), Err(Error::Fargate(text.to_owned())));
        }
        for text in [
            "aws:///eu-west-1a/x-1",
            "aws:///eu-west-1a/i-",
            "aws://eu-west-1a/i-0123",
            "i-0123/4",
            "nonsense",
            "://x",
            "aws://",
            "what ever://x",
            "gce://project/zone",
            "azure:///subscriptions/s/resourceGroups/rg",
            "hcloud://x",
            "vsphere://42",
            "openstack:///42",
            "cn-hangzhou.x-1",
            "digitalocean://",
        ] {
            assert_eq!(provider(text), Err(Error::Unknown(text.to_owned())), "{text}");
        }
    }
}
