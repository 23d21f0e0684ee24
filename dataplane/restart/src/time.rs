//! Times and durations as the objects hold them: RFC 3339 to the second, and Go's notation.

use std::{fmt, time::Duration};

use machinery::time::{Timestamp, parse_duration};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A time of day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub Timestamp);

/// How long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

// === impl Time ===

impl Time {
    /// So many seconds after 1970.
    pub fn from_unix(seconds: i64) -> Self {
        Self(Timestamp::from_unix(seconds))
    }

    /// This much later; to the second, rounded up.
    #[must_use]
    pub fn after(self, span: Span) -> Self {
        let seconds = span.0.as_secs() + u64::from(span.0.subsec_nanos() > 0);
        Self::from_unix(self.0.as_unix().saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; nothing if it is before.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.as_unix().saturating_sub(earlier.0.as_unix())).unwrap_or(0))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Timestamp::parse(&text).map(Self).ok_or_else(|| D::Error::custom("not an RFC 3339 time"))
    }
}

// === impl Span ===

impl Span {
    /// So many seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// Reads Go's notation; negative ones are none.
    pub fn parse(text: &str) -> Option<Self> {
        parse_duration(text).ok().flatten().map(Self)
    }
}

/// Go's notation, as `time.Duration` prints it: `1h0m5s`, `1.5s`, `0s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        if seconds >= 3600 {
            write!(f, "{}h", seconds / 3600)?;
        }
        if seconds >= 60 {
            write!(f, "{}m", seconds / 60 % 60)?;
        }
        match self.0.subsec_millis() {
            0 => write!(f, "{}s", seconds % 60),
            millis => write!(f, "{}.{}s", seconds % 60, format!("{millis:03}").trim_end_matches('0')),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a duration"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_as_go_writes_them() {
        for (millis, text) in [
            (0, "0s"),
            (1_500, "1.5s"),
            (45_000, "45s"),
            (60_000, "1m0s"),
            (1_800_000, "30m0s"),
            (5_400_250, "1h30m0.25s"),
        ] {
            let span = Span(Duration::from_millis(millis));
            assert_eq!((span.to_string().as_str(), Span::parse(text)), (text, Some(span)));
        }
        assert_eq!((Span::parse("-1s"), Span::parse("soon")), (None, None));
    }

    #[test]
    fn what_is_later_is_rounded_up_to_the_second() {
        let time = Time::from_unix(100);
        assert_eq!(time.after(Span(Duration::from_millis(1))), Time::from_unix(101));
        assert_eq!(time.after(Span::from_secs(5)).since(time), Duration::from_secs(5));
        assert_eq!(time.since(Time::from_unix(200)), Duration::ZERO);
    }
}
