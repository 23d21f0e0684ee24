//! The forms of a node's `spec.providerID` on Tencent Cloud.

use proto::node::Error;

/// An instance, and the zone that the providerID says it is in: a name, or the number that TKE writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProviderId<'a> {
    /// The instance.
    pub(crate) instance: &'a str,
    /// The zone; it may be empty.
    pub(crate) zone: &'a str,
}

/// Reads `qcloud:///800006/ins-…` and `tencentcloud:///ap-beijing-6/ins-…`.
pub(crate) fn parse(text: &str) -> Result<ProviderId<'_>, Error> {
    let path = text.strip_prefix("qcloud:///").or_else(|| text.strip_prefix("tencentcloud:///"));
    let parts = path.and_then(|path| path.split_once('/')).filter(|(_, id)| is_instance(id));
    parts.map(|(zone, instance)| ProviderId { instance, zone }).ok_or_else(|| {
        Error::Invalid(format!(
            "providerID {text:?} is not that of a CVM instance: qcloud:///ZONE/ins-… or tencentcloud:///ZONE/ins-…"
        ))
    })
}

fn is_instance(id: &str) -> bool {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    id.strip_prefix("ins-").is_some_and(|rest| (1..=32).contains(&rest.len()) && rest.bytes().all(plain))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let instance = "ins-3ven36lk";
        for (text, zone) in [
            ("qcloud:///100003/ins-3ven36lk", "100003"),
            ("tencentcloud:///ap-guangzhou-3/ins-3ven36lk", "ap-guangzhou-3"),
            ("qcloud:////ins-3ven36lk", ""),
        ] {
            assert_eq!(parse(text).unwrap(), ProviderId { instance, zone }, "{text}");
        }
    }

    #[test]
    fn everything_else_is_invalid() {
        for text in [
            "",
            "qcloud://",
            "qcloud:///ins-3ven36lk",
            "qcloud:///100003/",
            "qcloud:///100003/ins-",
            "qcloud:///100003/eks-3ven36lk",
            "qcloud:///100003/ins-3VEN36LK",
            "qcloud:///100003/ins-3ven36lk/x",
            "qcloud:///100003/kn-3ven36lk",
            "qcloud://100003/ins-3ven36lk",
            "aws:///eu-west-1a/i-0123456789abcdef0",
            "ins-3ven36lk",
        ] {
            assert!(matches!(parse(text), Err(Error::Invalid(_))), "{text}");
        }
    }
}
