//! The region of a node: from its providerID's zone, else from its labels, else from the configuration.
//!
//! Nothing of this needs to be trusted: an instance is asked for by its id, which is nobody's in another region.

use proto::node::{Error, Node};

/// The zone that the CSI driver of CBS writes, by name.
const CBS_ZONE: &str = "topology.com.tencent.cloud.csi.cbs/zone";
/// The standard labels. TKE writes zones as numbers and regions in short into them, other clusters by name.
const ZONE: &str = "topology.kubernetes.io/zone";
const REGION: &str = "topology.kubernetes.io/region";

/// The regions of TKE's zone numbers, by the first two of their six digits.
const NUMBERS: &[(&str, &str)] = &[
    ("10", "ap-guangzhou"),
    ("11", "ap-shenzhen-fsi"),
    ("15", "na-siliconvalley"),
    ("16", "ap-chengdu"),
    ("17", "eu-frankfurt"),
    ("18", "ap-seoul"),
    ("19", "ap-chongqing"),
    ("20", "ap-shanghai"),
    ("21", "ap-mumbai"),
    ("22", "na-ashburn"),
    ("23", "ap-bangkok"),
    ("25", "ap-tokyo"),
    ("30", "ap-hongkong"),
    ("33", "ap-nanjing"),
    ("40", "na-toronto"),
    ("46", "ap-beijing-fsi"),
    ("70", "ap-shanghai-fsi"),
    ("72", "ap-jakarta"),
    ("74", "sa-saopaulo"),
    ("80", "ap-beijing"),
    ("90", "ap-singapore"),
];

/// The region of a node whose providerID says `zone`, or the configured one.
pub(crate) fn of(node: &Node, zone: &str, configured: Option<&str>) -> Result<String, Error> {
    let label = |name: &str| node.labels.get(name).map(String::as_str);
    let found = of_zone(zone)
        .or_else(|| label(CBS_ZONE).and_then(of_zone))
        .or_else(|| label(ZONE).and_then(of_zone))
        .or_else(|| label(REGION).filter(|region| is_region(region)))
        .or(configured);
    found.map(str::to_owned).ok_or_else(|| {
        Error::Invalid(format!(
            "the region of providerID {:?} is not known: set the driver's --tencent-region",
            node.provider_id
        ))
    })
}

/// The region of a zone by its name, such as `ap-beijing-6`, or by its number, such as `800006`.
fn of_zone(zone: &str) -> Option<&str> {
    if zone.len() == 6 && zone.bytes().all(|c| c.is_ascii_digit()) {
        return NUMBERS.iter().find(|(prefix, _)| zone.starts_with(prefix)).map(|(_, region)| *region);
    }
    let (region, number) = zone.rsplit_once('-')?;
    let numbered = !number.is_empty() && number.bytes().all(|c| c.is_ascii_digit());
    Some(region).filter(|region| numbered && is_region(region))
}

/// Such as `ap-guangzhou` or `ap-shanghai-fsi`.
pub(crate) fn is_region(name: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|c| c.is_ascii_lowercase());
    name.contains('-') && name.len() <= 40 && name.split('-').all(word)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn zones_have_regions_by_name_and_by_number() {
        let cases = [
            ("ap-beijing-6", Some("ap-beijing")),
            ("ap-shanghai-fsi-1", Some("ap-shanghai-fsi")),
            ("na-siliconvalley-2", Some("na-siliconvalley")),
            ("800006", Some("ap-beijing")),
            ("100003", Some("ap-guangzhou")),
            ("200002", Some("ap-shanghai")),
            ("990001", None),
            ("80006", None),
            ("ap-beijing", None),
            ("ap-beijing-", None),
            ("beijing-6", None),
            ("AP-beijing-6", None),
            ("", None),
        ];
        for (zone, region) in cases {
            assert_eq!(of_zone(zone), region, "{zone}");
        }
    }

    #[test]
    fn the_zone_comes_before_the_labels_and_these_before_the_configuration() {
        let mut node = Node::default();
        let error = of(&node, "990001", None).unwrap_err();
        assert!(matches!(&error, Error::Invalid(why) if why.contains("--tencent-region")), "{error}");
        assert_eq!(of(&node, "990001", Some("ap-taipei")).unwrap(), "ap-taipei");
        for (label, value, region) in [
            (REGION, "bj", "ap-taipei"),
            (REGION, "ap-nanjing", "ap-nanjing"),
            (ZONE, "330001", "ap-nanjing"),
            (ZONE, "ap-tokyo-1", "ap-tokyo"),
            (CBS_ZONE, "ap-chengdu-1", "ap-chengdu"),
        ] {
            node.labels.insert(label.to_owned(), value.to_owned());
            assert_eq!(of(&node, "990001", Some("ap-taipei")).unwrap(), region, "{label}={value}");
        }
        assert_eq!(of(&node, "800006", Some("ap-taipei")).unwrap(), "ap-beijing");
    }
}
