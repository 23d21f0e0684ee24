//! Values as Go prints them, because Kubernetes' messages are made by Go's `fmt` and `strconv`; and as its structs hold
//! them ([`structs`]).

mod moment;
pub(crate) mod structs;

use std::fmt::{self, Write};

/// Text as `%q` prints it.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for char in self.0.chars() {
            match char {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\u{7}' => f.write_str("\\a")?,
                '\u{8}' => f.write_str("\\b")?,
                '\u{c}' => f.write_str("\\f")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '\u{b}' => f.write_str("\\v")?,
                char if is_print(char) => f.write_char(char)?,
                char if u32::from(char) < 0x80 => write!(f, "\\x{:02x}", u32::from(char))?,
                char if u32::from(char) < 0x1_0000 => write!(f, "\\u{:04x}", u32::from(char))?,
                char => write!(f, "\\U{:08x}", u32::from(char))?,
            }
        }
        f.write_char('"')
    }
}

/// Text as `%q` prints it.
pub fn quote(text: &str) -> String {
    Quoted(text).to_string()
}

/// Whether Go's `unicode.IsPrint` holds. The standard library's own table is behind `escape_debug`; it treats a
/// combining mark as printable only when something precedes it.
pub(crate) fn is_print(char: char) -> bool {
    if char.is_ascii() {
        return char == ' ' || char.is_ascii_graphic();
    }
    let mut after_letter = String::from("a");
    after_letter.push(char);
    after_letter.escape_debug().count() == 2
}

/// A float as JSON: digits without an exponent between 1e-6 and 1e21.
pub(crate) fn float_json(value: f64) -> String {
    let size = value.abs();
    let digits = Digits::of(value);
    if size != 0.0 && !(1e-6..1e21).contains(&size) { digits.exponent(1) } else { digits.plain() }
}

/// A float as `%v` prints it: digits without an exponent between 1e-4 and 1e21.
pub(crate) fn float(value: f64) -> String {
    Digits::of(value).general(21)
}

/// A float as `strconv` prints it with the format `g`: digits without an exponent between 1e-4 and 1e6.
pub(crate) fn float_g(value: f64) -> String {
    Digits::of(value).general(6)
}

/// The same for 32 bits.
pub(crate) fn float32_g(value: f32) -> String {
    Digits::parse(&format!("{value:e}")).general(6)
}

/// The shortest decimal digits that read back as a float: `0.DIGITS * 10^point`.
struct Digits {
    negative: bool,
    digits: String,
    point: i32,
}

impl Digits {
    /// The digits that `serde_json` finds: of two that are as near, the even one, as in Go. The standard library takes
    /// the larger.
    fn of(value: f64) -> Self {
        Self::parse(&serde_json::Value::from(value).to_string())
    }

    fn parse(text: &str) -> Self {
        let unsigned = text.trim_start_matches('-');
        let (mantissa, power) = unsigned.split_once('e').unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let zeros = all.bytes().take_while(|digit| *digit == b'0').count();
        let digits = all[zeros..].trim_end_matches('0').to_owned();
        let before = i32::try_from(whole.len()).unwrap_or_default() - i32::try_from(zeros).unwrap_or_default();
        let point = if digits.is_empty() { 0 } else { before + power.parse::<i32>().unwrap_or_default() };
        Self { negative: text.starts_with('-'), digits, point }
    }

    fn general(&self, exponent_from: i32) -> String {
        let fits = self.digits.is_empty() || (-4..exponent_from).contains(&(self.point - 1));
        if fits { self.plain() } else { self.exponent(2) }
    }

    /// `12.5`
    fn plain(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let (digits, point) = (&self.digits, usize::try_from(self.point).unwrap_or_default());
        match (digits.len(), point) {
            (0, _) => format!("{sign}0"),
            (_, 0) => format!("{sign}0.{}{digits}", "0".repeat(self.point.unsigned_abs() as usize)),
            (length, point) if length <= point => format!("{sign}{digits}{}", "0".repeat(point - length)),
            (_, point) => format!("{sign}{}.{}", &digits[..point], &digits[point..]),
        }
    }

    /// `1.25e+21`, `1.25e-07`: the exponent has a sign, and at least `small` digits when it is negative.
    fn exponent(&self, small: usize) -> String {
        let sign = if self.negative { "-" } else { "" };
        let (first, rest) = self.digits.split_at(1.min(self.digits.len()));
        let fraction = if rest.is_empty() { String::new() } else { format!(".{rest}") };
        match self.point - 1 {
            power if power < 0 => format!("{sign}{first}{fraction}e-{:0>small$}", -power),
            power => format!("{sign}{first}{fraction}e+{power:0>2}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_as_go_quotes_it() {
        let cases = [
            ("", "\"\""),
            ("a\"b\\", "\"a\\\"b\\\\\""),
            ("a\nb\tc\u{7}", "\"a\\nb\\tc\\a\""),
            ("\u{1}\u{7f}", "\"\\x01\\x7f\""),
            ("\u{80}\u{a0}\u{2028}", "\"\\u0080\\u00a0\\u2028\""),
            ("é日本\u{301}🎈", "\"é日本\u{301}🎈\""),
            ("\u{301}", "\"\u{301}\""),
            ("\u{10ffff}", "\"\\U0010ffff\""),
            ("a b", "\"a b\""),
        ];
        for (text, quoted) in cases {
            assert_eq!(quote(text), quoted, "{text:?}");
        }
    }

    #[test]
    fn floats_take_an_exponent_where_go_gives_one() {
        let cases = [
            (1.0, "1", "1"),
            (1.5, "1.5", "1.5"),
            (-0.25, "-0.25", "-0.25"),
            (1e20, "100000000000000000000", "100000000000000000000"),
            (1e21, "1e+21", "1e+21"),
            (1.5e300, "1.5e+300", "1.5e+300"),
            (1e-5, "0.00001", "1e-05"),
            (1.25e-7, "1.25e-7", "1.25e-07"),
            (1e-10, "1e-10", "1e-10"),
            (0.0, "0", "0"),
            (100.0, "100", "100"),
            (-1234.5, "-1234.5", "-1234.5"),
            (0.001, "0.001", "0.001"),
            // As near to .2 as to .3.
            (563_907_177_652_626.0 + 0.25, "563907177652626.2", "563907177652626.2"),
            (f64::MAX, "1.7976931348623157e+308", "1.7976931348623157e+308"),
            (5e-324, "5e-324", "5e-324"),
        ];
        for (value, json, verb) in cases {
            assert_eq!(float_json(value), json);
            assert_eq!(float(value), verb);
        }
        for (value, text) in [(1_234_567.5, "1.2345675e+06"), (1.5e5, "150000"), (1e-4, "0.0001"), (1e-5, "1e-05")] {
            assert_eq!(float_g(value), text);
        }
        assert_eq!(float32_g(0.1), "0.1");
    }
}
