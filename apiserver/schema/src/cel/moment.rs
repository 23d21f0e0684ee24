//! Times, durations and bytes, as expressions read and write them.

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::{civil, tz::TimeZone};

use super::value::Val;

/// A time, to the nanosecond, and how it was written: so many seconds east of UTC. That does not tell times apart.
#[derive(Clone, Copy, Debug)]
pub struct Timestamp {
    pub(super) time: jiff::Timestamp,
    east: i32,
}

/// So many nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub i64);

const SECOND: i64 = 1_000_000_000;
/// The first and the last second that a time may have.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_207_200;

/// The value of a text in a format of a schema; nothing if the format is read as text.
pub(super) fn of_format<'a>(format: &str, text: &str) -> Option<Val<'a>> {
    match format {
        "byte" => BASE64_STANDARD.decode(text).ok().map(|bytes| Val::Bytes(bytes.into())),
        "date" => {
            let day: civil::Date = text.parse().ok()?;
            Some(Val::Timestamp(day.to_zoned(TimeZone::UTC).ok()?.timestamp().into()))
        }
        "date-time" | "datetime" => read_timestamp(text).map(Val::Timestamp),
        "duration" => read_duration(text).or_else(|| long_duration(text)).map(Val::Duration),
        _ => None,
    }
}

/// Reads an RFC 3339 time of the years 1 to 9999.
pub(super) fn read_timestamp(text: &str) -> Option<Timestamp> {
    // What jiff reads besides: other separators, and times without an offset.
    let strict = crate::format::is_date_time(text) && text.as_bytes().get(10) == Some(&b'T');
    let time: jiff::Timestamp = text.parse().ok().filter(|_| strict)?;
    SECONDS.contains(&time.as_second()).then_some(Timestamp { time, east: east(text).unwrap_or_default() })
}

/// How far east of UTC a time was written, in seconds.
fn east(text: &str) -> Option<i32> {
    let at = text.rfind(['+', '-']).filter(|at| *at > "2006-01-02T".len())?;
    let (hours, minutes) = text[at + 1..].split_once(':')?;
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    Some(if text[at..].starts_with('-') { -seconds } else { seconds })
}

/// A time in seconds since 1970, if expressions can have it.
pub(super) fn of_seconds(seconds: i64) -> Option<Timestamp> {
    jiff::Timestamp::from_second(seconds).ok().filter(|_| SECONDS.contains(&seconds)).map(Timestamp::from)
}

/// Reads a duration in Go's notation, such as `1h30m` or `-1.5s`.
pub(super) fn read_duration(text: &str) -> Option<Duration> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(Duration(0));
    }
    let mut total: i128 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|one: char| !one.is_ascii_digit() && one != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|one: char| one.is_ascii_digit() || one == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || whole.len() > 19 || fraction.contains('.') {
            return None;
        }
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let places = fraction.len().min(15);
        let part: i128 = if places == 0 { 0 } else { fraction[..places].parse().ok()? };
        let scale = 10_i128.pow(u32::try_from(places).unwrap_or_default());
        total += whole * unit + part * unit / scale;
        rest = tail;
    }
    i64::try_from(total * sign).ok().map(Duration)
}

/// Reads what formats take besides: a number and a unit in words, such as `3 days`.
fn long_duration(text: &str) -> Option<Duration> {
    let text = text.trim().to_lowercase();
    let at = text.find(|one: char| !one.is_ascii_digit())?;
    let (number, unit) = text.split_at(at);
    let seconds = match unit.trim().trim_end_matches('s') {
        "d" | "day" => 86_400,
        "w" | "wk" | "week" => 7 * 86_400,
        "hr" | "hour" => 3600,
        "min" | "minute" => 60,
        "sec" | "second" => 1,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(seconds)?.checked_mul(SECOND).map(Duration)
}

/// As text: RFC 3339, as far from UTC as it was written, with as much of the second as there is.
pub(super) fn write_timestamp(time: Timestamp) -> String {
    match jiff::tz::Offset::from_seconds(time.east).ok().filter(|_| time.east != 0) {
        Some(offset) => time.time.display_with_offset(offset).to_string(),
        None => time.time.to_string(),
    }
}

/// As text: seconds.
pub(super) fn write_duration(duration: Duration) -> String {
    let (sign, size) = (if duration.0 < 0 { "-" } else { "" }, i128::from(duration.0).unsigned_abs());
    let (whole, part) = (size / 1_000_000_000, size % 1_000_000_000);
    if part == 0 {
        return format!("{sign}{whole}s");
    }
    let part = format!("{part:09}");
    format!("{sign}{whole}.{}s", part.trim_end_matches('0'))
}

pub(super) fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// A zone by its name, or by its distance from UTC, such as `+01:00`.
pub(super) fn zone(name: &str) -> Option<TimeZone> {
    let offset = name.strip_prefix(['+', '-']).unwrap_or(name);
    if let Some((hours, minutes)) = offset.split_once(':') {
        let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
        let seconds = hours * 3600 + minutes * 60;
        let seconds = if name.starts_with('-') { -seconds } else { seconds };
        return Some(TimeZone::fixed(jiff::tz::Offset::from_seconds(seconds).ok()?));
    }
    if matches!(name, "" | "UTC") { Some(TimeZone::UTC) } else { TimeZone::get(name).ok() }
}

// === impl Timestamp ===

impl Timestamp {
    /// The time so many nanoseconds later, if expressions can have it.
    pub(super) fn later(self, nanoseconds: i128) -> Option<Self> {
        let time = jiff::Timestamp::from_nanosecond(self.time.as_nanosecond() + nanoseconds).ok()?;
        SECONDS.contains(&time.as_second()).then_some(Self { time, ..self })
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(time: jiff::Timestamp) -> Self {
        Self { time, east: 0 }
    }
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        self.time == other.time
    }
}

impl Eq for Timestamp {}

impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.time.cmp(&other.time)
    }
}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

// === impl Duration ===

impl Duration {
    /// The duration, if it can be had.
    pub(super) fn of(nanoseconds: i128) -> Option<Self> {
        i64::try_from(nanoseconds).ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_can_be_read(nanoseconds: i64, seconds in SECONDS) {
            prop_assert_eq!(read_duration(&write_duration(Duration(nanoseconds))), Some(Duration(nanoseconds)));
            let time = of_seconds(seconds);
            prop_assert!(time.is_some());
            prop_assert_eq!(time.and_then(|time| read_timestamp(&write_timestamp(time))), time);
        }
    }

    #[test]
    fn durations_are_read_and_written_as_go_does() {
        for (text, nanoseconds, written) in [
            ("1h30m", 5_400 * SECOND, "5400s"),
            ("-1.5s", -1_500_000_000, "-1.5s"),
            ("0", 0, "0s"),
            ("+3ms", 3_000_000, "0.003s"),
            (".5s", 500_000_000, "0.5s"),
            ("1us", 1_000, "0.000001s"),
        ] {
            assert_eq!(read_duration(text), Some(Duration(nanoseconds)), "{text}");
            assert_eq!(write_duration(Duration(nanoseconds)), written, "{text}");
        }
        for text in ["", "1", "s", "1x", ".s", "1.2.3s", "9223372037s", "1h ", "--1s"] {
            assert_eq!(read_duration(text), None, "{text}");
        }
        assert_eq!(long_duration("3 days"), Some(Duration(3 * 86_400 * SECOND)));
    }

    #[test]
    fn times_are_those_of_rfc_3339() {
        let time = read_timestamp("2026-01-02T03:04:05.25+01:00").map(write_timestamp);
        assert_eq!(time.as_deref(), Some("2026-01-02T03:04:05.25+01:00"));
        assert_eq!(read_timestamp("2026-01-02T03:04:05+01:00"), read_timestamp("2026-01-02T02:04:05Z"));
        for text in ["2026-01-02", "2026-01-02 03:04:05Z", "2026-01-02T03:04:05", "x", ""] {
            assert_eq!(read_timestamp(text), None, "{text}");
        }
    }
}
