//! Quantities: numbers with the suffixes of Kubernetes, such as `1.5Gi` or `100m`.

/// So many billionths, and whether they were written as whole numbers. That does not tell quantities apart.
#[derive(Clone, Copy, Debug)]
pub(in crate::cel) struct Quantity {
    billionths: i128,
    whole: bool,
}

const ONE: i128 = 1_000_000_000;
/// What no quantity exceeds, either way.
const MAX: i128 = (i64::MAX as i128) * ONE;

const FORMAT: &str = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const NUMERIC: &str = "unable to parse numeric part of quantity";
const SUFFIX: &str = "unable to parse quantity's suffix";

// === impl Quantity ===

impl Quantity {
    /// Reads one. Billionths that are begun count as whole.
    pub(in crate::cel) fn read(text: &str) -> Result<Self, &'static str> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let end = unsigned.find(|one: char| !one.is_ascii_digit() && one != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        if number.is_empty() {
            return Err(FORMAT);
        }
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if fraction.contains('.') || whole.is_empty() && fraction.is_empty() {
            return Err(if fraction.contains('.') { FORMAT } else { NUMERIC });
        }
        let scale = Scale::read(suffix)?;
        let size = scale.of(whole, fraction).map_or(MAX, |size| size.min(MAX));
        let is_whole = fraction.is_empty() && !matches!(scale, Scale::Ten(..0));
        Ok(Self { billionths: if negative { -size } else { size }, whole: is_whole })
    }

    /// As a whole number, if it was written as one.
    pub(in crate::cel) fn as_integer(self) -> Option<i64> {
        if self.whole { i64::try_from(self.billionths / ONE).ok() } else { None }
    }

    /// As a number.
    #[expect(clippy::cast_precision_loss, reason = "that is what it is for")]
    pub(in crate::cel) fn as_float(self) -> f64 {
        match self.as_integer() {
            Some(whole) => whole as f64,
            None => self.billionths as f64 / ONE as f64,
        }
    }

    /// -1, 0 or 1.
    pub(in crate::cel) fn sign(self) -> i64 {
        i64::try_from(self.billionths.signum()).unwrap_or_default()
    }

    /// Of a whole number.
    pub(in crate::cel) fn of(whole: i64) -> Self {
        Self { billionths: i128::from(whole) * ONE, whole: true }
    }

    /// The sum.
    pub(in crate::cel) fn plus(self, other: Self) -> Self {
        Self { billionths: self.billionths + other.billionths, whole: self.whole && other.whole }
    }

    /// The difference.
    pub(in crate::cel) fn minus(self, other: Self) -> Self {
        Self { billionths: self.billionths - other.billionths, whole: self.whole && other.whole }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.billionths == other.billionths
    }
}

impl Eq for Quantity {}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.billionths.cmp(&other.billionths)
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// What a suffix multiplies by.
enum Scale {
    Ten(i32),
    Two(u32),
}

// === impl Scale ===

impl Scale {
    fn read(suffix: &str) -> Result<Self, &'static str> {
        Ok(match suffix {
            "n" => Self::Ten(-9),
            "u" => Self::Ten(-6),
            "m" => Self::Ten(-3),
            "" => Self::Ten(0),
            "k" => Self::Ten(3),
            "M" => Self::Ten(6),
            "G" => Self::Ten(9),
            "T" => Self::Ten(12),
            "P" => Self::Ten(15),
            "E" => Self::Ten(18),
            "Ki" => Self::Two(10),
            "Mi" => Self::Two(20),
            "Gi" => Self::Two(30),
            "Ti" => Self::Two(40),
            "Pi" => Self::Two(50),
            "Ei" => Self::Two(60),
            other => {
                let exponent = other.strip_prefix(['e', 'E']).ok_or_else(|| problem(other))?;
                Self::Ten(exponent.parse().map_err(|_| problem(other))?)
            }
        })
    }

    /// The billionths of a number, rounded up; nothing if there are too many.
    fn of(&self, whole: &str, fraction: &str) -> Option<i128> {
        let digits = format!("{whole}{fraction}");
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Some(0);
        }
        // So many digits are enough for what fits.
        let kept = digits.get(..digits.len().min(30))?;
        let dropped = i32::try_from(digits.len() - kept.len()).ok()?;
        let inexact = digits[kept.len()..].bytes().any(|digit| digit != b'0');
        let number: i128 = kept.parse().ok()?;
        let places = i32::try_from(fraction.len()).ok()?;
        let (factor, ten) = match self {
            Self::Ten(ten) => (1, *ten),
            Self::Two(two) => (1_i128.checked_shl(*two)?, 0),
        };
        let power = 9_i32.checked_add(ten)?.checked_sub(places)?.checked_add(dropped)?;
        let scaled = number.checked_mul(factor);
        if power >= 0 {
            return scaled?.checked_mul(10_i128.checked_pow(u32::try_from(power).ok()?)?);
        }
        let divisor = 10_i128.checked_pow(power.unsigned_abs());
        let Some(divisor) = divisor else { return Some(1) };
        let scaled = scaled?;
        let rest = i128::from(scaled % divisor != 0 || inexact);
        Some(scaled / divisor + rest)
    }
}

/// What is wrong with a suffix.
fn problem(suffix: &str) -> &'static str {
    let letters = suffix.trim_start_matches(|one: char| "eEinumkKMGTP".contains(one));
    let digits = letters.strip_prefix(['-', '+']).unwrap_or(letters);
    if digits.bytes().all(|one| one.is_ascii_digit()) { SUFFIX } else { FORMAT }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read() {
        for (text, billionths) in [
            ("0", 0),
            ("1", ONE),
            ("-1.5", -ONE * 3 / 2),
            ("100m", ONE / 10),
            ("1k", 1000 * ONE),
            ("1Ki", 1024 * ONE),
            ("1.5Gi", 1_610_612_736 * ONE),
            ("1e3", 1000 * ONE),
            ("1E-3", ONE / 1000),
            ("1E", 1_000_000_000_000_000_000 * ONE),
            ("0.1n", 1),
            ("1e-30", 1),
            ("9Ei", MAX),
            ("1e40", MAX),
            (".5", ONE / 2),
            ("5.", 5 * ONE),
        ] {
            assert_eq!(Quantity::read(text).map(|quantity| quantity.billionths), Ok(billionths), "{text}");
        }
        for (text, why) in [
            ("", FORMAT),
            ("x", FORMAT),
            ("1x", FORMAT),
            ("1.2.3", FORMAT),
            ("1 ", FORMAT),
            ("1ki", SUFFIX),
            ("1mm", SUFFIX),
            (".", NUMERIC),
        ] {
            assert_eq!(Quantity::read(text), Err(why), "{text}");
        }
    }
}
