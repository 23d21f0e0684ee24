//! The forms of a node's `spec.providerID` on AWS, as the cloud provider for AWS writes and reads them.

use proto::node::Error;

/// An instance, and the zone that the providerID says it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProviderId<'a> {
    /// The instance.
    pub(crate) instance: &'a str,
    /// The zone; there may be none.
    pub(crate) zone: Option<&'a str>,
}

/// Reads `aws:///ZONE/i-…`, `aws:////i-…` and `i-…`.
pub(crate) fn parse(text: &str) -> Result<ProviderId<'_>, Error> {
    let (zone, id) = match text.strip_prefix("aws:///") {
        Some(path) => path.split_once('/').ok_or_else(|| unknown(text))?,
        None => ("", text),
    };
    if id.starts_with("fargate-") {
        return Err(Error::Invalid(format!(
            "providerID {text:?} is a Fargate node, which has no instance that can be restarted"
        )));
    }
    if !is_instance(id) {
        return Err(unknown(text));
    }
    Ok(ProviderId { instance: id, zone: Some(zone).filter(|zone| !zone.is_empty()) })
}

/// Instance ids have 8 or 17 hexadecimal digits; nobody promises that there will never be another length.
fn is_instance(id: &str) -> bool {
    let hex = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    id.strip_prefix("i-").is_some_and(|digits| (8..=32).contains(&digits.len()) && digits.bytes().all(hex))
}

fn unknown(text: &str) -> Error {
    Error::Invalid(format!("providerID {text:?} is not that of an EC2 instance: aws:///ZONE/i-…, aws:////i-… or i-…"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_an_instance_are_read() {
        let cases = [
            ("aws:///eu-west-1a/i-0123456789abcdef0", Some("eu-west-1a")),
            ("aws:////i-0123456789abcdef0", None),
            ("i-0123456789abcdef0", None),
        ];
        for (text, zone) in cases {
            assert_eq!(parse(text).unwrap(), ProviderId { instance: "i-0123456789abcdef0", zone }, "{text}");
        }
        assert_eq!(parse("i-12345678").unwrap().instance, "i-12345678");
    }

    #[test]
    fn everything_else_is_invalid() {
        let others = [
            "",
            "aws://",
            "aws:///",
            "aws:///eu-west-1a",
            "aws:///eu-west-1a/",
            "aws:///eu-west-1a/i-",
            "aws:///eu-west-1a/i-0123",
            "aws:///eu-west-1a/i-0123456789ABCDEF0",
            "aws:///eu-west-1a/i-0123456789abcdef0/i-0123456789abcdef0",
            "aws:///eu-west-1a/i-01234567&DryRun=false",
            "aws://eu-west-1a/i-0123456789abcdef0",
            "aws:///eu-west-1a/vol-0123456789abcdef0",
            "AWS:///eu-west-1a/i-0123456789abcdef0",
            "gce://project/zone/i-0123456789abcdef0",
            "i-0123456789abcdef0\n",
        ];
        for text in others {
            assert!(matches!(parse(text), Err(Error::Invalid(_))), "{text}");
        }
    }

    #[test]
    fn fargate_is_refused_by_its_name() {
        for text in ["aws:///eu-west-1a/fargate-10.0.0.1", "aws:////fargate-ip-10-0-0-1.eu-west-1.compute.internal"] {
            assert!(matches!(parse(text), Err(Error::Invalid(why)) if why.contains("Fargate")), "{text}");
        }
    }
}
