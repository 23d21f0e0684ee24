//! The ways to answer with blocks.

use machinery::{negotiate, status::Status};

use crate::entries::Style;

/// The blocks as text, or as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Representation {
    /// The object as JSON, with the blocks in it.
    Json,
    /// The same, indented.
    Pretty,
    /// The object as YAML, with the blocks in it.
    Yaml,
    /// Each block as JSON on a line.
    Lines,
    /// The driver's messages.
    Messages,
}

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";
const LINES: &str = "application/x-ndjson";
const MESSAGES: &str = proto::cbt::MEDIA_TYPE;
const OFFERS: [&str; 4] = [JSON, YAML, LINES, MESSAGES];

// === impl Representation ===

impl Representation {
    /// The one that an `Accept` header asks for, or 406.
    pub(super) fn choose(accept: &str, pretty: bool) -> Result<Self, Status> {
        match negotiate::choose(accept, &OFFERS) {
            Some(JSON) if pretty => Ok(Self::Pretty),
            Some(JSON) => Ok(Self::Json),
            Some(YAML) => Ok(Self::Yaml),
            Some(LINES) => Ok(Self::Lines),
            Some(_) => Ok(Self::Messages),
            None => Err(Status::not_acceptable(&OFFERS)),
        }
    }

    /// How its entries are written; `None` when they are not.
    pub(super) fn style(self) -> Option<Style> {
        match self {
            Self::Json => Some(Style::Json),
            Self::Pretty => Some(Style::Pretty),
            Self::Yaml => Some(Style::Yaml),
            Self::Lines => Some(Style::Lines),
            Self::Messages => None,
        }
    }

    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Json | Self::Pretty => JSON,
            Self::Yaml => YAML,
            Self::Lines => LINES,
            Self::Messages => MESSAGES,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_can_be_made_is_made() {
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
        for (accept, expected) in [
            ("", Representation::Json),
            ("application/json, */*", Representation::Json),
            ("application/yaml", Representation::Yaml),
            ("application/x-ndjson", Representation::Lines),
            ("application/vnd.outrigger.cbt.v1+protobuf, application/json", Representation::Messages),
            (&format!("{table},application/json"), Representation::Json),
        ] {
            assert_eq!(Representation::choose(accept, false).unwrap(), expected, "{accept}");
        }
        assert_eq!(Representation::choose("*/*", true).unwrap(), Representation::Pretty);
        for accept in [table, "application/vnd.kubernetes.protobuf", "text/html"] {
            let status = Representation::choose(accept, false).unwrap_err();
            assert_eq!(status.code, 406, "{accept}");
            assert!(OFFERS.iter().all(|offer| status.message.contains(offer)), "{}", status.message);
        }
    }
}
