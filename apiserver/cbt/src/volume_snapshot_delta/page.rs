//! Which blocks a query asks for.
//!
//! A query that asks for blocks in a way that nobody understands is refused: an object without blocks would look like a
//! volume without changes.

use machinery::status::{Cause, Status};

/// Asks for blocks.
pub(super) const FETCH: &str = "fetchcbd";
/// How many.
pub(super) const LIMIT: &str = "limit";
/// From which one on.
pub(super) const OFFSET: &str = "offset";

/// Entries when nobody says how many.
const DEFAULT_LIMIT: u64 = 256;

type Query = [(String, String)];

/// A page of the blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    /// The index of the first block that may be in it.
    pub(super) offset: u64,
    /// Entries at most; 0 is all.
    pub(super) limit: u64,
}

// === impl Page ===

impl Page {
    /// The page that is asked for; `None` when no blocks are.
    pub(super) fn parse(query: &Query) -> Result<Option<Self>, Status> {
        misspelt(query)?;
        let fetch = value(query, FETCH, boolean)?;
        let (offset, limit) = (value(query, OFFSET, number)?, value(query, LIMIT, number)?);
        let page = || Self { offset: offset.unwrap_or(0), limit: limit.unwrap_or(DEFAULT_LIMIT) };
        Ok((fetch == Some(true)).then(page))
    }

    /// Whether a list of `count` entries is all that there is.
    pub(super) fn is_all(self, count: u64) -> bool {
        self.offset == 0 && (self.limit == 0 || count < self.limit)
    }
}

/// What is not counted in a query that asks for no blocks, where it may have been meant to.
pub(super) fn ignored(query: &Query) -> Option<String> {
    let given = |name: &str| query.iter().any(|(given, _)| given == name);
    let forgotten = !given(FETCH) && (given(OFFSET) || given(LIMIT));
    forgotten.then(|| format!("{OFFSET} and {LIMIT} say nothing without {FETCH}=true"))
}

/// Refuses to be asked for blocks where there are none.
pub(super) fn refuse(query: &Query) -> Result<(), Status> {
    misspelt(query)?;
    match query.iter().any(|(name, _)| name == FETCH) {
        true => Err(refusal(FETCH, "only a GET of one VolumeSnapshotDelta takes it")),
        false => Ok(()),
    }
}

fn misspelt(query: &Query) -> Result<(), Status> {
    let begins = |name: &&String| {
        name.get(..FETCH.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(FETCH)) && *name != FETCH
    };
    match query.iter().map(|(name, _)| name).find(begins) {
        Some(name) => Err(refusal(name, &format!("there is no such parameter: write {FETCH}=true"))),
        None => Ok(()),
    }
}

/// The value of a parameter. It may be said twice, not contradicted.
fn value<T: PartialEq>(query: &Query, name: &str, parse: fn(&str) -> Result<T, String>) -> Result<Option<T>, Status> {
    let mut found = None;
    for (_, text) in query.iter().filter(|(given, _)| given == name) {
        let value = parse(text).map_err(|problem| refusal(name, &problem))?;
        match &found {
            Some(other) if *other != value => return Err(refusal(name, "it is given twice, with different values")),
            _ => found = Some(value),
        }
    }
    Ok(found)
}

/// What Go's `strconv.ParseBool` takes.
fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

fn number(text: &str) -> Result<u64, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let negative = text.strip_prefix('-').is_some_and(|rest| rest.parse::<u64>().is_ok());
    match text.parse() {
        Ok(number) if digits => Ok(number),
        _ if digits => Err(format!("{text:?} is out of range: the largest is {}", u64::MAX)),
        _ if negative => Err(format!("{text:?} is negative")),
        _ => Err(format!("{text:?} is not a number")),
    }
}

fn refusal(name: &str, problem: &str) -> Status {
    let mut status = Status::bad_request(&format!("{name:?}: {problem}"));
    let cause = Cause { reason: "FieldValueInvalid".to_owned(), message: problem.to_owned(), field: name.to_owned() };
    status.details.get_or_insert_default().causes.push(cause);
    status
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn query(text: &str) -> Vec<(String, String)> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .collect()
    }

    #[test]
    fn pages_are_read() {
        let page = |offset, limit| Some(Page { offset, limit });
        for (text, expected) in [
            ("", None),
            ("fetchcbd=false&limit=4", None),
            ("limit=4&offset=1", None),
            ("fetchcbd=true", page(0, 256)),
            ("fetchcbd=1&limit=0", page(0, 0)),
            ("fetchcbd=T&offset=7&limit=10&pretty=false&other=x", page(7, 10)),
            ("fetchcbd=true&fetchcbd=True&limit=9&limit=9", page(0, 9)),
            ("fetchcbd=true&limit=18446744073709551615", page(0, u64::MAX)),
            ("fetchcbd=true&offset=007", page(7, 256)),
        ] {
            assert_eq!(Page::parse(&query(text)).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_nobody_understands_is_refused_by_name() {
        for (text, name) in [
            ("fetchCBD=true", "fetchCBD"),
            ("FETCHCBD=true", "FETCHCBD"),
            ("fetchcbd-true", "fetchcbd-true"),
            ("fetchcbds=true", "fetchcbds"),
            ("fetchcbd=true&fetchcbd2=1", "fetchcbd2"),
            ("fetchcbd", "fetchcbd"),
            ("fetchcbd=yes", "fetchcbd"),
            ("fetchcbd=tRUE", "fetchcbd"),
            ("fetchcbd=true&fetchcbd=false", "fetchcbd"),
            ("fetchcbd=true&limit=-1", "limit"),
            ("fetchcbd=true&limit=", "limit"),
            ("fetchcbd=true&limit=+1", "limit"),
            ("fetchcbd=true&limit=1e3", "limit"),
            ("fetchcbd=true&limit=18446744073709551616", "limit"),
            ("fetchcbd=true&limit=1&limit=2", "limit"),
            ("fetchcbd=true&offset=x", "offset"),
            ("fetchcbd=true&offset=1&offset=2", "offset"),
            ("offset=-5", "offset"),
            ("limit=many", "limit"),
        ] {
            let status = Page::parse(&query(text)).unwrap_err();
            assert_eq!(status.code, 400, "{text}");
            assert!(status.message.starts_with(&format!("{name:?}: ")), "{text}: {}", status.message);
            assert_eq!(status.details.unwrap().causes[0].field, name, "{text}");
        }
        assert!(number("-3").unwrap_err().contains("negative"));
        assert!(number("99999999999999999999").unwrap_err().contains("out of range"));
    }

    #[test]
    fn elsewhere_only_the_asking_is_refused() {
        for text in ["fetchcbd=true", "fetchcbd=false", "fetchCBD=true"] {
            assert_eq!(refuse(&query(text)).unwrap_err().code, 400, "{text}");
        }
        assert!(refuse(&query("limit=500&offset=x")).is_ok(), "these have other meanings, or none");
    }

    #[test]
    fn a_forgotten_word_is_pointed_out() {
        assert!(ignored(&query("limit=5")).is_some());
        assert!(ignored(&query("limit=5&fetchcbd=false")).is_none() && ignored(&query("")).is_none());
    }

    #[test]
    fn a_list_that_is_not_full_is_all_there_is() {
        let page = |offset, limit| Page { offset, limit };
        assert!(page(0, 0).is_all(9) && page(0, 10).is_all(9) && page(0, 10).is_all(0));
        assert!(!page(0, 9).is_all(9) && !page(1, 0).is_all(9));
    }
}
