//! What is listed.

use crate::{
    Error, Kind, Result,
    filter::{self, Filter},
    tsl,
};

/// What to list, and which part of it.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Which records; `None` is all.
    pub search: Option<Search>,
    /// In which order; behind it the id decides, and without any the newest come first.
    pub order: Vec<Order>,
    /// How many to leave out.
    pub offset: u64,
    /// At most so many.
    pub limit: u64,
}

/// A search that was read: its fields are known.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    pub(crate) filter: Filter,
}

/// A field to order by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// A field that [`Search`] knows too.
    pub field: String,
    /// Greatest first.
    pub descending: bool,
}

/// A part of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The part.
    pub items: Vec<T>,
    /// How many there are in all.
    pub total: u64,
}

// === impl Search ===

impl Search {
    /// Reads TSL text. An unknown field or a syntax error is [`Error::BadRequest`], with the place.
    pub fn parse(text: &str, kind: Kind) -> Result<Self> {
        let expression = tsl::parse(text);
        let expression =
            expression.map_err(|error| Error::BadRequest(format!("the search cannot be read: {error}")))?;
        Ok(Self { filter: filter::resolve(&expression, kind, false)? })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_a_search_has_its_place() {
        let error = Search::parse("name = 'a' and nope = 1", Kind::Cluster).unwrap_err().to_string();
        assert!(
            error.contains("\"nope\"") && error.contains("at character 16") && error.contains("created_time"),
            "{error}"
        );
        let error = Search::parse("name =", Kind::Cluster).unwrap_err().to_string();
        assert!(error.contains("at character 7"), "{error}");
    }
}
