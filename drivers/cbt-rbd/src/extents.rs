//! What `rbd diff --format json` prints, `[{"offset":0,"length":4096,"exists":"true"}, …]`, read as it comes.
//!
//! rbd prints what it has, well closed, also when it fails: a list is complete only if it also ended with success, which
//! is for whoever ran it to see.

use std::{
    fmt,
    io::{self, Read},
    ops::Range,
};

use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};

/// A range of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extent {
    /// In bytes.
    pub(crate) range: Range<u64>,
    /// Whether there is data; else it reads as zeros.
    pub(crate) exists: bool,
}

/// Hands over the extents of a list in their order, until `take` fails or the list ends.
pub(crate) fn read(from: impl Read, take: impl FnMut(Extent) -> io::Result<()>) -> Result<(), Fault> {
    let mut json = serde_json::Deserializer::from_reader(from);
    let mut failure = None;
    let list = List { take, failure: &mut failure, end: 0 };
    let outcome = json.deserialize_seq(list).and_then(|()| json.end());
    match (failure, outcome) {
        (Some(failure), _) => Err(Fault::Taker(failure)),
        (None, Err(error)) if error.is_eof() || error.is_io() => Err(Fault::CutOff(error.to_string())),
        (None, Err(error)) => Err(Fault::NoList(error.to_string())),
        (None, Ok(())) => Ok(()),
    }
}

/// Why a list was not read to its end.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It ends within.
    CutOff(String),
    /// It is none, or not in order.
    NoList(String),
    /// Whoever took the extents could not.
    Taker(io::Error),
}

struct List<'a, F> {
    take: F,
    /// Why `take` failed.
    failure: &'a mut Option<io::Error>,
    /// Where the last extent ended.
    end: u64,
}

#[derive(Deserialize)]
struct Record {
    offset: u64,
    length: u64,
    #[serde(deserialize_with = "exists")]
    exists: bool,
}

// === impl List ===

impl<'de, F: FnMut(Extent) -> io::Result<()>> Visitor<'de> for List<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of extents")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(Record { offset, length, exists }) = list.next_element()? {
            let end = offset.checked_add(length).filter(|end| *end > offset);
            let Some(end) = end else {
                return Err(de::Error::custom(format_args!("an extent of {length} bytes at {offset}")));
            };
            if offset < self.end {
                return Err(de::Error::custom(format_args!("an extent at {offset} after one to {}", self.end)));
            }
            self.end = end;
            if let Err(failure) = (self.take)(Extent { range: offset..end, exists }) {
                *self.failure = Some(failure);
                return Err(de::Error::custom("it could not be taken"));
            }
        }
        Ok(())
    }
}

/// A string to this day; a boolean is what it should be.
fn exists<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    struct Exists;

    impl Visitor<'_> for Exists {
        type Value = bool;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("true or false")
        }

        fn visit_bool<E: de::Error>(self, exists: bool) -> Result<bool, E> {
            Ok(exists)
        }

        fn visit_str<E: de::Error>(self, exists: &str) -> Result<bool, E> {
            exists.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(exists), &self))
        }
    }

    from.deserialize_any(Exists)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(text: &[u8]) -> Result<Vec<Extent>, Fault> {
        let mut extents = Vec::new();
        read(text, |extent| {
            extents.push(extent);
            Ok(())
        })
        .map(|()| extents)
    }

    fn print(extents: &[Extent]) -> String {
        let records = extents.iter().map(|Extent { range, exists }| {
            let length = range.end - range.start;
            format!(r#"{{"offset":{},"length":{length},"exists":"{exists}"}}"#, range.start)
        });
        format!("[{}]\n", records.collect::<Vec<_>>().join(","))
    }

    /// Gaps and lengths, which make a list in order.
    fn lists() -> impl Strategy<Value = Vec<Extent>> {
        prop::collection::vec((0..1_u64 << 40, 1..1_u64 << 40, any::<bool>()), 0..20).prop_map(|parts| {
            let mut end = 0;
            let mut extents = Vec::new();
            for (gap, length, exists) in parts {
                let start = end + gap;
                end = start + length;
                extents.push(Extent { range: start..end, exists });
            }
            extents
        })
    }

    #[test]
    fn an_empty_list_is_one() {
        assert_eq!(all(b"[]\n").unwrap(), []);
    }

    #[test]
    fn what_is_not_such_a_list_is_refused() {
        for text in [
            "",
            "null",
            "{}",
            "[",
            "[]]",
            "[] []",
            "[1]",
            r#"[{"offset":0,"length":1}]"#,
            r#"[{"offset":0,"length":1,"exists":"maybe"}]"#,
            r#"[{"offset":0,"length":1,"exists":7}]"#,
            r#"[{"offset":-1,"length":1,"exists":"true"}]"#,
            r#"[{"offset":0,"length":0,"exists":"true"}]"#,
            r#"[{"offset":18446744073709551615,"length":2,"exists":"true"}]"#,
            r#"[{"offset":9,"length":1,"exists":"true"},{"offset":9,"length":1,"exists":"true"}]"#,
            r#"[{"offset":9,"length":1,"exists":"true"},{"offset":8,"length":1,"exists":"true"}]"#,
        ] {
            assert!(all(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn what_takes_them_can_stop_it() {
        let text = print(&[Extent { range: 0..1, exists: true }, Extent { range: 5..9, exists: false }]);
        let mut seen = 0;
        let outcome = read(text.as_bytes(), |_| {
            seen += 1;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(matches!(outcome, Err(Fault::Taker(error)) if error.kind() == io::ErrorKind::StorageFull));
        assert_eq!(seen, 1);
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(extents in lists()) {
            prop_assert_eq!(all(print(&extents).as_bytes()).unwrap(), extents);
        }

        #[test]
        fn what_is_cut_off_is_never_a_list(extents in lists(), at in any::<prop::sample::Index>()) {
            let text = print(&extents);
            let text = text.trim_end();
            prop_assert!(matches!(all(&text.as_bytes()[..at.index(text.len())]), Err(Fault::CutOff(_))));
        }

        #[test]
        fn whatever_comes_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = all(&bytes);
        }

        #[test]
        fn a_damaged_list_is_in_order_or_refused(
            extents in lists(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
        ) {
            let mut text = print(&extents).into_bytes();
            let at = at.index(text.len());
            text[at] = byte;
            if let Ok(extents) = all(&text) {
                prop_assert!(extents.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start));
            }
        }
    }
}
