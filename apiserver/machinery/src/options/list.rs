//! Options of `list`, `watch` and `deletecollection`.

use super::{query, valid};
use crate::{
    field::{self, ErrorList},
    selector::{FieldSelector, LabelSelector},
    status::Status,
};

/// How to read a collection, or what comes after it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// At most so many objects; `None` is all.
    pub limit: Option<u64>,
    /// Goes on where another list ended.
    pub continue_: Option<String>,
    /// Which revision; `Some(0)` is any.
    pub resource_version: Option<u64>,
    /// What the revision means.
    pub resource_version_match: Option<Match>,
    /// Which labels.
    pub labels: LabelSelector,
    /// Which fields.
    pub fields: FieldSelector,
    /// A watch says now and then how far it is.
    pub allow_watch_bookmarks: bool,
    /// A watch begins with what is there.
    pub send_initial_events: bool,
    /// A watch ends after so many seconds.
    pub timeout_seconds: Option<u64>,
}

/// What the revision of a list means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// Exactly as of it.
    Exact,
    /// As of it or of later.
    NotOlderThan,
}

// === impl ListOptions ===

impl ListOptions {
    /// Reads the query of a list. `selectable` are the fields that may be selected by.
    pub fn parse(query: &[(String, String)], selectable: &[String]) -> Result<Self, Status> {
        let (matching, initial) = (query::text(query, "resourceVersionMatch"), query::flag(query, "sendInitialEvents"));
        let options = Self::read(query, selectable, matching)?;
        let mut errors = ErrorList::new();
        if let Some(matching) = matching {
            let given = query::text(query, "resourceVersion");
            if given.is_none() {
                errors.push(forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided"));
            }
            if options.continue_.is_some() {
                errors.push(forbidden("resourceVersionMatch is forbidden when continue is provided"));
            }
            if options.resource_version_match.is_none() {
                errors.push(field::Error::not_supported(MATCH, matching, ["Exact", "NotOlderThan", ""]));
            }
            if options.resource_version_match == Some(Match::Exact) && given == Some("0") {
                errors.push(forbidden("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""));
            }
        }
        if initial.is_some() {
            errors.push(field::Error::forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
        }
        valid("ListOptions", errors)?;
        let resource_version = query::revision(query, "invalid resource version: ")?;
        Self { resource_version, ..options }.with_continue()
    }

    /// Reads the query of a watch.
    ///
    /// A watch from no revision, or from 0, begins with what is there: it is a WatchList in all but name, and the
    /// kube-apiserver makes it one before it looks any further.
    pub fn parse_watch(query: &[(String, String)], selectable: &[String]) -> Result<Self, Status> {
        let (given, initial) = (query::text(query, "resourceVersionMatch"), query::flag(query, "sendInitialEvents"));
        let from_state = matches!(query::text(query, "resourceVersion"), None | Some("0"));
        let (matching, initial) = match (given, initial) {
            (None, None) if from_state => (Some("NotOlderThan"), Some(true)),
            asked => asked,
        };
        let options = Self::read(query, selectable, matching)?;
        let mut errors = ErrorList::new();
        if initial.is_some() && matching != Some("NotOlderThan") {
            errors.push(forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
        }
        if let Some(matching) = matching {
            if initial.is_none() {
                errors.push(forbidden(
                    "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
                ));
            }
            if matching != "NotOlderThan" {
                errors.push(field::Error::not_supported(MATCH, matching, ["NotOlderThan"]));
            }
            if options.continue_.is_some() {
                errors.push(forbidden("resourceVersionMatch is forbidden when continue is provided"));
            }
        }
        valid("ListOptions", errors)?;
        let resource_version = query::revision(query, "")?;
        Ok(Self { send_initial_events: initial.unwrap_or(false), resource_version, ..options })
    }

    /// Whether only some objects are asked for.
    pub fn selects(&self) -> bool {
        !self.labels.requirements.is_empty() || !self.fields.requirements.is_empty()
    }

    fn read(query: &[(String, String)], selectable: &[String], matching: Option<&str>) -> Result<Self, Status> {
        let positive = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok()).filter(|n| *n > 0);
        let (limit, timeout) = (query::integer(query, "limit")?, query::integer(query, "timeoutSeconds")?);
        let refused = |message: String| Status::bad_request(&message);
        let labels = LabelSelector::parse(query::first(query, "labelSelector").unwrap_or_default()).map_err(refused)?;
        let fields = FieldSelector::parse(query::first(query, "fieldSelector").unwrap_or_default()).map_err(refused)?;
        supported(&fields, selectable)?;
        Ok(Self {
            limit: positive(limit),
            continue_: query::text(query, "continue").map(str::to_owned),
            resource_version_match: match matching {
                Some("Exact") => Some(Match::Exact),
                Some("NotOlderThan") => Some(Match::NotOlderThan),
                _ => None,
            },
            labels,
            fields,
            allow_watch_bookmarks: query::flag(query, "allowWatchBookmarks").unwrap_or(false),
            timeout_seconds: positive(timeout),
            ..Self::default()
        })
    }

    fn with_continue(self) -> Result<Self, Status> {
        match (&self.continue_, self.resource_version) {
            (Some(_), Some(1..)) => {
                Err(Status::bad_request("specifying resource version is not allowed when using continue"))
            }
            _ => Ok(self),
        }
    }
}

const MATCH: &str = "resourceVersionMatch";

fn forbidden(detail: &str) -> field::Error {
    field::Error::forbidden(MATCH, detail)
}

fn supported(fields: &FieldSelector, selectable: &[String]) -> Result<(), Status> {
    match fields.requirements.iter().find(|requirement| !selectable.contains(&requirement.field)) {
        Some(unknown) => Err(Status::bad_request(&format!("field label not supported: {}", unknown.field))),
        None => Ok(()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn query(text: &str) -> Vec<(String, String)> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        pairs.map(|pair| pair.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())).unwrap()).collect()
    }

    fn list(text: &str) -> Result<ListOptions, String> {
        ListOptions::parse(&query(text), &[]).map_err(|status| format!("{} {}", status.code, status.message))
    }

    fn watch(text: &str) -> Result<ListOptions, String> {
        ListOptions::parse_watch(&query(text), &[]).map_err(|status| format!("{} {}", status.code, status.message))
    }

    #[test]
    fn what_makes_no_sense_for_a_list_is_refused() {
        let invalid = "422 ListOptions.meta.k8s.io \"\" is invalid: ";
        let cases = [
            ("limit=abc", "400 strconv.ParseInt: parsing \"abc\": invalid syntax".to_owned()),
            (
                "resourceVersion=abc",
                "400 invalid resource version: resourceVersion: Invalid value: \"abc\": strconv.ParseUint: parsing \"abc\": invalid syntax".to_owned(),
            ),
            (
                "resourceVersion=-5",
                "400 invalid resource version: resourceVersion: Invalid value: \"-5\": strconv.ParseUint: parsing \"-5\": invalid syntax".to_owned(),
            ),
            ("fieldSelector=spec.size=1", "400 field label not supported: spec.size".to_owned()),
            ("continue=x&resourceVersion=5", "400 specifying resource version is not allowed when using continue".to_owned()),
            (
                "resourceVersionMatch=Exact",
                format!("{invalid}resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"),
            ),
            (
                "resourceVersionMatch=Foo&resourceVersion=371",
                format!("{invalid}resourceVersionMatch: Unsupported value: \"Foo\": supported values: \"Exact\", \"NotOlderThan\", \"\""),
            ),
            (
                "resourceVersionMatch=Exact&resourceVersion=0",
                format!("{invalid}resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""),
            ),
            (
                "resourceVersionMatch=NotOlderThan&resourceVersion=0&continue=x",
                format!("{invalid}resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided"),
            ),
            (
                "sendInitialEvents=true",
                format!("{invalid}sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"),
            ),
        ];
        for (text, refusal) in cases {
            assert_eq!(list(text).unwrap_err(), refusal, "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_for_a_watch_is_refused() {
        let invalid = "422 ListOptions.meta.k8s.io \"\" is invalid: ";
        let cases = [
            (
                "continue=x",
                "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided",
            ),
            (
                "resourceVersionMatch=NotOlderThan&resourceVersion=0",
                "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            ),
            (
                "sendInitialEvents=true",
                "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            ),
            (
                "sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=371",
                "[resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan, resourceVersionMatch: Unsupported value: \"Exact\": supported values: \"NotOlderThan\"]",
            ),
        ];
        for (text, refusal) in cases {
            assert_eq!(watch(text).unwrap_err(), format!("{invalid}{refusal}"), "{text}");
        }
    }

    #[test]
    fn a_watch_from_nowhere_begins_with_what_is_there() {
        assert!(watch("").unwrap().send_initial_events);
        assert!(watch("resourceVersion=0").unwrap().send_initial_events);
        assert!(!watch("resourceVersion=7").unwrap().send_initial_events);
        assert!(
            !watch("resourceVersionMatch=NotOlderThan&sendInitialEvents=false&resourceVersion=0")
                .unwrap()
                .send_initial_events
        );
    }

    #[test]
    fn numbers_below_one_ask_for_nothing() {
        assert_eq!(list("limit=-1&timeoutSeconds=0").unwrap(), ListOptions::default());
        assert_eq!(list("limit=5").unwrap().limit, Some(5));
    }
}
