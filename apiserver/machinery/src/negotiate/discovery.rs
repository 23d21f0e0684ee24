//! The Accept header of discovery: one document for all groups, or the documents that clients had before.

use super::{
    Encoding, MEDIA_TYPES,
    accept::{Clause, clauses, convert, encodings, status, streams},
};
use crate::status::Status;

/// How to answer `/api` and `/apis`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Discovery {
    /// A list of groups.
    Legacy(Encoding),
    /// Everything: `APIGroupDiscoveryList`.
    Aggregated(DiscoveryVersion, Encoding),
}

/// The version of `apidiscovery.k8s.io`; the documents differ in nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DiscoveryVersion {
    /// `v2`
    V2,
    /// `v2beta1`, which kube-apiservers before 1.30 ask for.
    V2Beta1,
}

/// How to answer discovery. `aggregated` says whether the path has an aggregated form: only `/api` and `/apis` do.
///
/// A client that can read the aggregated form gets it, wherever in its header it says so, as Go does.
pub fn discovery(header: &str, aggregated: bool) -> Result<Discovery, Status> {
    let asked = clauses(header).into_iter().find_map(|clause| {
        let encoding = encodings(&clause).first().copied().filter(|encoding| streams(&clause, *encoding))?;
        match convert(&clause)? {
            ("APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2") => Some((DiscoveryVersion::V2, encoding)),
            ("APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2beta1") => Some((DiscoveryVersion::V2Beta1, encoding)),
            _ => None,
        }
    });
    if let Some((version, encoding)) = asked.filter(|_| aggregated) {
        return Ok(Discovery::Aggregated(version, encoding));
    }
    let plain = header.trim().is_empty() || clauses(header).iter().any(is_plain);
    match plain {
        true => Ok(Discovery::Legacy(status(header, false).encoding)),
        false => Err(Status::not_acceptable(&MEDIA_TYPES)),
    }
}

fn is_plain(clause: &Clause<'_>) -> bool {
    convert(clause).is_none() && encodings(clause).iter().any(|encoding| streams(clause, *encoding))
}

// === impl DiscoveryVersion ===

impl DiscoveryVersion {
    /// The `Content-Type`, which repeats the request's parameters: a client that does not find them asks the old way.
    pub fn content_type(self, encoding: Encoding) -> String {
        let version = match self {
            Self::V2 => "v2",
            Self::V2Beta1 => "v2beta1",
        };
        format!("{};g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList", encoding.media_type())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const V2: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    const V2BETA1: &str = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
    const V9: &str = "application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList";

    #[test]
    fn the_aggregated_form_goes_to_those_who_can_read_it() {
        use Discovery::{Aggregated, Legacy};
        let cases = [
            (String::new(), Legacy(Encoding::Json)),
            ("*/*".to_owned(), Legacy(Encoding::Json)),
            ("application/yaml".to_owned(), Legacy(Encoding::Yaml)),
            ("application/vnd.kubernetes.protobuf, */*".to_owned(), Legacy(Encoding::Protobuf)),
            (V2.replace("/json", "/yaml"), Aggregated(DiscoveryVersion::V2, Encoding::Yaml)),
            (V2.to_owned(), Aggregated(DiscoveryVersion::V2, Encoding::Json)),
            (V2BETA1.to_owned(), Aggregated(DiscoveryVersion::V2Beta1, Encoding::Json)),
            (format!("{V2},{V2BETA1},application/json"), Aggregated(DiscoveryVersion::V2, Encoding::Json)),
            (format!("{V2};profile=nopeer,application/json;q=0.9"), Aggregated(DiscoveryVersion::V2, Encoding::Json)),
            (format!("{V9},application/json"), Legacy(Encoding::Json)),
        ];
        for (header, expected) in cases {
            assert_eq!(discovery(&header, true).unwrap(), expected, "{header}");
        }
    }

    #[test]
    fn what_cannot_be_served_is_not_acceptable() {
        for (header, aggregated) in [(V9, true), (V2, false), ("text/html", true)] {
            assert_eq!(discovery(header, aggregated).unwrap_err().code, 406, "{header}");
        }
        assert_eq!(discovery(&format!("{V2},application/json"), false).unwrap(), Discovery::Legacy(Encoding::Json));
    }
}
