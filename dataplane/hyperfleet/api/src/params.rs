//! The query of a request, and what a list is asked for.
//!
//! By default a list reads its parameters as the first version does: what cannot be read is the default, `pageSize` wins over `size`, and
//! nothing is refused but an order or a search. Strict lists (`--strict-lists`) know `page`, `size` and `order` only, and refuse.

use hyperfleet_records::{Kind, Order, Query, Search};
use percent_encoding::percent_decode;

use crate::error::{Detail, Error, Result};

/// Longest search, in characters.
const SEARCH: usize = 4096;

/// Items of a page that is not asked for.
const SIZE: i64 = 100;
/// Items of a page at most.
const MOST: i64 = 65_500;

/// As above, for strict lists.
const STRICT_SIZE: i64 = 20;
const STRICT_MOST: i64 = 100;
const STRICT_PAGES: i64 = 100_000;

/// The parameters of a query, decoded, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Params(Vec<(String, String)>);

/// Which page, and how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paging {
    /// As it is told in the answer.
    pub(crate) page: i64,
    pub(crate) size: i64,
}

// === impl Params ===

impl Params {
    /// Reads a query. What is no UTF-8 is replaced.
    pub(crate) fn read(query: Option<&str>) -> Self {
        let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(key, value)| (decoded(key), decoded(value)))
                .collect(),
        )
    }

    /// Names and values.
    pub(crate) fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }

    /// The first value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// As [`Self::get`]; an empty value is none.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.trim().is_empty())
    }

    /// Which page is asked for.
    pub(crate) fn paging(&self, strict: bool) -> Result<Paging> {
        if strict {
            return self.strict_paging();
        }
        let number = |name: &str| self.get(name).and_then(|text| text.parse::<i64>().ok());
        let size = self.get("pageSize").or_else(|| self.get("size")).and_then(|text| text.parse::<i64>().ok());
        let size = match size.unwrap_or(SIZE) {
            size if (0..=MOST).contains(&size) => size,
            _ => MOST,
        };
        Ok(Paging { page: number("page").unwrap_or(1), size })
    }

    fn strict_paging(&self) -> Result<Paging> {
        let mut details = Vec::new();
        let mut number = |name: &str, default: i64, most: i64| match self.get(name) {
            None => default,
            Some(text) => match text.parse::<i64>() {
                Ok(number) if (1..=most).contains(&number) => number,
                _ => {
                    details.push(Detail {
                        field: name.to_owned(),
                        message: format!("{name} must be a number from 1 to {most}"),
                        constraint: Some("max"),
                    });
                    default
                }
            },
        };
        let paging = Paging { page: number("page", 1, STRICT_PAGES), size: number("size", STRICT_SIZE, STRICT_MOST) };
        if details.is_empty() { Ok(paging) } else { Err(Error::violations("Invalid pagination parameters", details)) }
    }

    /// What records to list.
    pub(crate) fn query(&self, kind: Kind, paging: Paging, strict: bool) -> Result<Query> {
        Ok(Query {
            search: self.search(kind)?,
            order: self.order(strict)?,
            offset: paging.offset(),
            limit: u64::try_from(paging.size).unwrap_or_default(),
        })
    }

    fn search(&self, kind: Kind) -> Result<Option<Search>> {
        let Some(text) = self.filled("search") else { return Ok(None) };
        if text.chars().count() > SEARCH {
            return Err(Error::bad_request(format!("search is longer than {SEARCH} characters")));
        }
        if text.contains('\0') {
            return Err(Error::bad_request("search holds a NUL"));
        }
        Ok(Some(Search::parse(text, kind)?))
    }

    /// `orderBy` names fields; `order` does too, or says the direction of those that have none.
    fn order(&self, strict: bool) -> Result<Vec<Order>> {
        let (by, order) = (self.filled("orderBy").filter(|_| !strict), self.filled("order"));
        let direction = order.map(str::trim).filter(|order| is_direction(order)).filter(|_| !strict);
        let descending = direction.is_some_and(|direction| direction.eq_ignore_ascii_case("desc"));
        match (by, order) {
            (Some(by), _) => orders(by, descending),
            (None, Some(order)) if direction.is_none() => orders(order, false),
            (None, Some(_)) => Ok(vec![Order { field: "created_time".to_owned(), descending }]),
            (None, None) => Ok(Vec::new()),
        }
    }
}

// === impl Paging ===

impl Paging {
    /// How many items are before the page.
    pub(crate) fn offset(self) -> u64 {
        let before = u64::try_from(self.page.saturating_sub(1)).unwrap_or_default();
        before.saturating_mul(u64::try_from(self.size).unwrap_or_default()).min(i64::MAX as u64)
    }
}

/// Reads `name desc, created_time`.
fn orders(text: &str, descending: bool) -> Result<Vec<Order>> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(|part| order(part, descending)).collect()
}

fn order(text: &str, descending: bool) -> Result<Order> {
    let bad = || Error::bad_request(format!("bad order value '{text}'"));
    let mut words = text.split_ascii_whitespace();
    let field = words.next().ok_or_else(bad)?;
    let descending = match words.next() {
        None => descending,
        Some(word) if is_direction(word) => word.eq_ignore_ascii_case("desc"),
        Some(_) => return Err(bad()),
    };
    match words.next() {
        None if field.matches('.').count() <= 2 => Ok(Order { field: field.to_owned(), descending }),
        _ => Err(bad()),
    }
}

fn is_direction(word: &str) -> bool {
    word.eq_ignore_ascii_case("asc") || word.eq_ignore_ascii_case("desc")
}

fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode(spaced.as_bytes()).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn paging(query: &str) -> (i64, i64, u64) {
        let paging = Params::read(Some(query)).paging(false).unwrap();
        (paging.page, paging.size, paging.offset())
    }

    fn order_of(query: &str, strict: bool) -> Result<Vec<(String, bool)>> {
        let orders = Params::read(Some(query)).order(strict)?;
        Ok(orders.into_iter().map(|Order { field, descending }| (field, descending)).collect())
    }

    #[test]
    fn pages_are_read_as_the_first_version_reads_them() {
        assert_eq!(paging(""), (1, 100, 0));
        assert_eq!(paging("page=3&pageSize=10"), (3, 10, 20));
        assert_eq!(paging("size=7"), (1, 7, 0));
        assert_eq!(paging("size=7&pageSize=9"), (1, 9, 0));
        assert_eq!(paging("page=x&pageSize=y"), (1, 100, 0));
        assert_eq!(paging("pageSize=0"), (1, 0, 0));
        assert_eq!(paging("pageSize=-1"), (1, 65_500, 0));
        assert_eq!(paging("pageSize=65501"), (1, 65_500, 0));
        assert_eq!(paging("page=0"), (0, 100, 0));
        assert_eq!(paging("page=-5"), (-5, 100, 0));
        assert_eq!(paging("page=9223372036854775807"), (i64::MAX, 100, i64::MAX as u64));
        assert_eq!(paging("page=99999999999999999999"), (1, 100, 0));
    }

    #[test]
    fn strict_pages_are_refused_with_every_parameter_that_is_wrong() {
        let strict = |query: &str| Params::read(Some(query)).paging(true);
        assert_eq!(strict("pageSize=50").unwrap(), Paging { page: 1, size: 20 });
        assert_eq!(strict("size=100&page=100000").unwrap(), Paging { page: 100_000, size: 100 });
        let refused = strict("size=101&page=0").unwrap_err();
        assert_eq!(refused.details.iter().map(|detail| detail.field.as_str()).collect::<Vec<_>>(), ["page", "size"]);
        assert!(strict("size=x").is_err());
    }

    #[test]
    fn orders_are_fields_with_directions() {
        let pair = |field: &str, descending| (field.to_owned(), descending);
        assert_eq!(order_of("", false).unwrap(), []);
        assert_eq!(order_of("orderBy=name", false).unwrap(), [pair("name", false)]);
        assert_eq!(
            order_of("orderBy=name+desc,created_time", false).unwrap(),
            [pair("name", true), pair("created_time", false)]
        );
        assert_eq!(order_of("orderBy=name&order=desc", false).unwrap(), [pair("name", true)]);
        assert_eq!(order_of("order=asc", false).unwrap(), [pair("created_time", false)]);
        assert_eq!(order_of("order=name%20DESC", false).unwrap(), [pair("name", true)]);
        assert_eq!(order_of("orderBy=name", true).unwrap(), []);
        assert_eq!(order_of("order=name", true).unwrap(), [pair("name", false)]);
        for bad in ["orderBy=name up", "orderBy=name desc x", "orderBy=a.b.c.d"] {
            assert!(order_of(bad, false).unwrap_err().reason.starts_with("bad order value '"), "{bad}");
        }
        assert_eq!(order_of("orderBy=name up", false).unwrap_err().reason, "bad order value 'name up'");
    }

    #[test]
    fn queries_are_decoded() {
        let params = Params::read(Some("search=name%3D%27a%27+and+x&&flag&a=1&a=2"));
        assert_eq!(params.get("search"), Some("name='a' and x"));
        assert_eq!((params.get("flag"), params.get("a"), params.get("b")), (Some(""), Some("1"), None));
    }
}
