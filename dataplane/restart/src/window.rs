//! Windows: the hours in which a restart may begin.

use jiff::{Timestamp, civil::Weekday, tz::TimeZone};

use crate::{node_restart::Window, time::Time};

const DAY: i64 = 24 * 60;
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Minutes since midnight of `HH:MM`.
pub(crate) fn minutes(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':').filter(|(hours, minutes)| hours.len() == 2 && minutes.len() == 2)?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
    let (hours, minutes): (i64, i64) = (digits(hours)?, digits(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// Whether this is how a day is called.
pub(crate) fn is_day(text: &str) -> bool {
    DAYS.contains(&text)
}

// === impl Window ===

impl Window {
    /// Whether it is open.
    pub(crate) fn open(&self, now: Time) -> bool {
        self.opens(now) == now
    }

    /// The first time from `now` on at which it is open. A window that never opens is open in a week.
    pub(crate) fn opens(&self, now: Time) -> Time {
        let (Some(start), Some(end)) = (minutes(&self.start), minutes(&self.end)) else { return now };
        let length = if end > start { end - start } else { end - start + DAY };
        let at = now.0.as_unix();
        let midnight = at.div_euclid(DAY * 60) * DAY * 60;
        // It may have opened yesterday; the same day of the next week is the last that it can open on.
        for day in -1..=7 {
            let midnight = midnight + day * DAY * 60;
            let opens = midnight + start * 60;
            if self.has(midnight) && at < opens + length * 60 {
                return Time::from_unix(opens.max(at));
            }
        }
        Time::from_unix(at + 7 * DAY * 60)
    }

    /// Whether it opens on the day that begins at `midnight`.
    fn has(&self, midnight: i64) -> bool {
        let day = Timestamp::from_second(midnight).unwrap_or_default().to_zoned(TimeZone::UTC).weekday();
        self.days.is_empty() || self.days.iter().any(|name| *name == word(day))
    }
}

fn word(day: Weekday) -> &'static str {
    DAYS[usize::from(day.to_monday_zero_offset().unsigned_abs()) % DAYS.len()]
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use machinery::time::Timestamp;

    use super::*;

    fn time(text: &str) -> Time {
        Time(Timestamp::parse(text).unwrap())
    }

    fn window(start: &str, end: &str, days: &[&str]) -> Window {
        Window { start: start.into(), end: end.into(), days: days.iter().map(|&day| day.into()).collect() }
    }

    /// 2026-11-21 is a Saturday.
    #[test]
    fn a_window_opens_when_its_hours_and_days_say() {
        let night = window("22:00", "05:00", &[]);
        let friday_night = window("22:00", "05:00", &["Fri"]);
        let noon = window("12:00", "13:00", &["Mon", "Sat"]);
        let all_day = window("00:00", "00:00", &[]);
        for (window, now, opens) in [
            (&night, "2026-11-21T21:59:59Z", "2026-11-21T22:00:00Z"),
            (&night, "2026-11-21T22:00:00Z", "2026-11-21T22:00:00Z"),
            (&night, "2026-11-21T04:59:59Z", "2026-11-21T04:59:59Z"),
            (&night, "2026-11-21T05:00:00Z", "2026-11-21T22:00:00Z"),
            (&friday_night, "2026-11-21T04:00:00Z", "2026-11-21T04:00:00Z"),
            (&friday_night, "2026-11-21T23:00:00Z", "2026-11-27T22:00:00Z"),
            (&noon, "2026-11-21T12:30:00Z", "2026-11-21T12:30:00Z"),
            (&noon, "2026-11-21T13:00:00Z", "2026-11-23T12:00:00Z"),
            (&noon, "2026-11-23T13:00:00Z", "2026-11-28T12:00:00Z"),
            (&all_day, "2026-11-21T13:00:00Z", "2026-11-21T13:00:00Z"),
        ] {
            assert_eq!(window.opens(time(now)), time(opens), "{window:?} at {now}");
        }
    }

    #[test]
    fn hours_are_two_digits_each() {
        for (text, expected) in [
            ("00:00", Some(0)),
            ("23:59", Some(1439)),
            ("24:00", None),
            ("12:60", None),
            ("1:00", None),
            ("+1:00", None),
            ("", None),
        ] {
            assert_eq!(minutes(text), expected, "{text}");
        }
    }
}
