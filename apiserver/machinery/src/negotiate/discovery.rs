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
    Aggregated(DiscoveryVersion),
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
        let json = encodings(&clause).first() == Some(&Encoding::Json) && streams(&clause, Encoding::Json);
        match convert(&clause).filter(|_| json)? {
            ("APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2") => Some(DiscoveryVersion::V2),
            ("APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2beta1") => Some(DiscoveryVersion::V2Beta1),
            _ => None,
        }
    });
    if let Some(version) = asked.filter(|_| aggregated) {
        return Ok(Discovery::Aggregated(version));
    }
    let plain = header.trim().is_empty() || clauses(header).iter().any(is_plain);
    match status(header, false).encoding {
        encoding @ (Encoding::Json | Encoding::Yaml) if plain => Ok(Discovery::Legacy(encoding)),
        _ if plain && clauses(header).iter().any(accepts_json) => Ok(Discovery::Legacy(Encoding::Json)),
        _ => Err(Status::not_acceptable(&MEDIA_TYPES)),
    }
}

fn is_plain(clause: &Clause<'_>) -> bool {
    convert(clause).is_none() && encodings(clause).iter().any(|encoding| streams(clause, *encoding))
}

/// Whether a plain clause takes JSON, for clients that would rather have protobuf, which discovery is not written in.
fn accepts_json(clause: &Clause<'_>) -> bool {
    is_plain(clause) && encodings(clause).contains(&Encoding::Json)
}

// === impl DiscoveryVersion ===

impl DiscoveryVersion {
    /// The `Content-Type`, which repeats the request's parameters: a client that does not find them asks the old way.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::V2 => "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
            Self::V2Beta1 => "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
        }
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
            ("application/vnd.kubernetes.protobuf, */*".to_owned(), Legacy(Encoding::Json)),
            (V2.to_owned(), Aggregated(DiscoveryVersion::V2)),
            (V2BETA1.to_owned(), Aggregated(DiscoveryVersion::V2Beta1)),
            (format!("{V2},{V2BETA1},application/json"), Aggregated(DiscoveryVersion::V2)),
            (format!("{V2};profile=nopeer,application/json;q=0.9"), Aggregated(DiscoveryVersion::V2)),
            (format!("{V9},application/json"), Legacy(Encoding::Json)),
        ];
        for (header, expected) in cases {
            assert_eq!(discovery(&header, true).unwrap(), expected, "{header}");
        }
    }

    #[test]
    fn what_cannot_be_served_is_not_acceptable() {
        for (header, aggregated) in
            [(V9, true), (V2, false), ("text/html", true), ("application/vnd.kubernetes.protobuf", true)]
        {
            assert_eq!(discovery(header, aggregated).unwrap_err().code, 406, "{header}");
        }
        assert_eq!(discovery(&format!("{V2},application/json"), false).unwrap(), Discovery::Legacy(Encoding::Json));
    }
}
