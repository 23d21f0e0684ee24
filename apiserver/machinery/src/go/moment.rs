//! Times in metadata: read as Go reads RFC 3339, and refused in its words.

use crate::{go, time::Timestamp};

const LAYOUT: &str = "2006-01-02T15:04:05Z07:00";

/// The time in UTC, to the second, or Go's complaint.
pub(super) fn parse(text: &str) -> Result<Timestamp, String> {
    let mut rest = text;
    let mut month_days = (0, 0, 0);
    let complain = |rest: &str, part: &str| {
        let (text, layout, rest, part) = (go::quote(text), go::quote(LAYOUT), go::quote(rest), go::quote(part));
        format!("parsing time {text} as {layout}: cannot parse {rest} as {part}")
    };
    // Each number of the layout, what follows it, and its range.
    let parts = [
        ("2006", "-", 0, 9999, "year"),
        ("01", "-", 1, 12, "month"),
        ("02", "T", 1, 31, "day"),
        ("15", ":", 0, 23, "hour"),
        ("04", ":", 0, 59, "minute"),
        ("05", "", 0, 59, "second"),
    ];
    for (part, after, min, max, name) in parts {
        let digits = rest.get(..part.len()).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let number: u32 = digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| complain(rest, part))?;
        rest = &rest[part.len()..];
        if number < min || number > max {
            return Err(out_of_range(text, name));
        }
        match name {
            "year" => month_days.0 = number,
            "month" => month_days.1 = number,
            "day" => month_days.2 = number,
            _ => {}
        }
        rest = rest.strip_prefix(after).ok_or_else(|| complain(rest, after))?;
    }
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        rest = if digits == 0 { rest } else { &fraction[digits..] };
    }
    if !is_zone(rest) {
        return Err(complain(rest, "Z07:00"));
    }
    let (year, month, day) = month_days;
    if day > days_of(year, month) {
        return Err(out_of_range(text, "day"));
    }
    Timestamp::parse(&text.replacen(',', ".", 1)).ok_or_else(|| complain(rest, "Z07:00"))
}

fn out_of_range(text: &str, part: &str) -> String {
    format!("parsing time {}: {part} out of range", go::quote(text))
}

/// `Z`, or `+07:00`.
fn is_zone(text: &str) -> bool {
    match text.as_bytes() {
        [b'Z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].into_iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

fn days_of(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn times_come_out_in_utc_to_the_second() {
        let cases = [
            ("2026-11-20T23:27:40Z", "2026-11-20T23:27:40Z"),
            ("2020-01-01T01:00:00.5+01:00", "2020-01-01T00:00:00Z"),
            ("2024-02-29T00:00:00.999999999Z", "2024-02-29T00:00:00Z"),
        ];
        for (text, time) in cases {
            assert_eq!(parse(text).unwrap().to_string(), time);
        }
    }

    #[test]
    fn complaints_are_gos() {
        let as_layout = |text: &str, rest: &str, part: &str| {
            format!("parsing time \"{text}\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"{rest}\" as \"{part}\"")
        };
        let cases = [
            ("abc", as_layout("abc", "abc", "2006")),
            ("", as_layout("", "", "2006")),
            ("2020-01-01", as_layout("2020-01-01", "", "T")),
            ("2020-1-01T00:00:00Z", as_layout("2020-1-01T00:00:00Z", "1-01T00:00:00Z", "01")),
            ("2020-01-01T00:00:00", as_layout("2020-01-01T00:00:00", "", "Z07:00")),
            ("2020-01-01T00:00:00z", as_layout("2020-01-01T00:00:00z", "z", "Z07:00")),
            ("2020-13-01T01:00:00Z", "parsing time \"2020-13-01T01:00:00Z\": month out of range".to_owned()),
            ("2023-02-29T01:00:00Z", "parsing time \"2023-02-29T01:00:00Z\": day out of range".to_owned()),
            ("2020-01-01T24:00:00Z", "parsing time \"2020-01-01T24:00:00Z\": hour out of range".to_owned()),
        ];
        for (text, complaint) in cases {
            assert_eq!(parse(text).unwrap_err(), complaint);
        }
    }
}
