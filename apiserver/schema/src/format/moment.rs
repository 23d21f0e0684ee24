//! Formats of time: dates, times and durations.

/// Whether `text` is a full date of RFC 3339, and a day of the calendar.
pub(super) fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return false;
    }
    match (number(&bytes[..4]), number(&bytes[5..7]), number(&bytes[8..])) {
        (Some(year), Some(month), Some(day)) => is_day(year, month, day),
        _ => false,
    }
}

/// Whether `text` is a date and a time of RFC 3339. A second 60 is none, as Go has no leap seconds.
pub(crate) fn is_date_time(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let mut parts = text.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else { return false };
    is_date(date) && is_time(time)
}

fn is_time(time: &str) -> bool {
    let Some((clock, rest)) = time.split_at_checked(8) else { return false };
    let clock = clock.as_bytes();
    let below = |digits: &[u8], limit| number(digits).is_some_and(|value| value < limit);
    let whole = clock[2] == b':' && clock[5] == b':';
    let in_range = below(&clock[..2], 24) && below(&clock[3..5], 60) && below(&clock[6..], 60);
    whole && in_range && (is_zone(rest) || after_fraction(rest).is_some_and(is_zone))
}

/// What follows the fraction of a second. Like the kube-apiserver's, this takes any character for its point.
fn after_fraction(rest: &str) -> Option<&str> {
    let mut chars = rest.chars();
    chars.next()?;
    let digits = chars.as_str();
    let after = digits.trim_start_matches(|char: char| char.is_ascii_digit());
    (after.len() < digits.len()).then_some(after)
}

fn is_zone(zone: &str) -> bool {
    match zone.as_bytes() {
        b"z" => true,
        [b'+' | b'-', hours @ .., b':', m1, m2] => {
            hours.len() == 2 && number(hours).is_some() && number(&[*m1, *m2]).is_some()
        }
        _ => false,
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok()
}

fn is_day(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// Whether `text` is a duration as Go writes it (`1h30m`), or numbers with units in words (`3 weeks`).
pub(super) fn is_duration(text: &str) -> bool {
    is_go_duration(text) || has_counted_unit(text)
}

fn is_go_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let amount = rest.len() - rest.trim_start_matches(|char: char| char.is_ascii_digit() || char == '.').len();
        let (digits, after) = rest.split_at(amount);
        let unit = after.len() - after.trim_start_matches(|char: char| !char.is_ascii_digit() && char != '.').len();
        let (unit, after) = after.split_at(unit);
        let number = digits.bytes().any(|byte| byte.is_ascii_digit()) && digits.matches('.').count() <= 1;
        if !number || !["ns", "us", "µs", "μs", "ms", "s", "m", "h"].contains(&unit) {
            return false;
        }
        rest = after;
    }
    true
}

/// Whether a count that is followed by a unit of time occurs anywhere. Units are known by their beginning: `mins`.
fn has_counted_unit(text: &str) -> bool {
    const SHORT: [&str; 12] = ["ns", "us", "µs", "ms", "s", "m", "h", "hr", "d", "w", "wk", "min"];
    const LONG: [&str; 8] = ["nano", "micro", "milli", "sec", "min", "hour", "day", "week"];
    let is_letter = |char: char| char.is_ascii_alphabetic() || char == 'µ';
    let mut rest = text;
    while let Some(start) = rest.find(|char: char| char.is_ascii_digit()) {
        let after = rest[start..].trim_start_matches(|char: char| char.is_ascii_digit());
        if rest[start..rest.len() - after.len()].parse::<i64>().is_err() {
            return false;
        }
        let unit = after.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
        let end = unit.find(|char: char| !is_letter(char)).unwrap_or(unit.len());
        let word = unit[..end].to_lowercase();
        if SHORT.contains(&word.as_str()) || LONG.iter().any(|long| word.starts_with(long)) {
            return true;
        }
        rest = &unit[end..];
    }
    false
}
