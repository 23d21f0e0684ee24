//! Formats of numbers that carry their own check digit.

/// Whether `text` is an ISBN of either length.
pub(super) fn is_isbn(text: &str) -> bool {
    is_isbn10(text) || is_isbn13(text)
}

/// Whether `text` is an ISBN of ten digits; the last may be `X`.
pub(super) fn is_isbn10(text: &str) -> bool {
    let plain = without_separators(text);
    if plain.len() != 10 {
        return false;
    }
    let digit = |(index, char): (usize, char)| match char {
        'X' if index == 9 => Some(10),
        char => char.to_digit(10),
    };
    let digits: Option<Vec<u32>> = plain.chars().enumerate().map(digit).collect();
    digits
        .is_some_and(|digits| (1..).zip(&digits).map(|(weight, digit)| weight * digit).sum::<u32>().is_multiple_of(11))
}

/// Whether `text` is an ISBN of thirteen digits.
pub(super) fn is_isbn13(text: &str) -> bool {
    let plain = without_separators(text);
    let digits: Option<Vec<u32>> = plain.chars().map(|char| char.to_digit(10)).collect();
    let weighed = |digits: &[u32]| [1, 3].iter().cycle().zip(digits).map(|(weight, digit)| weight * digit).sum::<u32>();
    digits.is_some_and(|digits| digits.len() == 13 && weighed(&digits).is_multiple_of(10))
}

/// Whether the digits in `text` are the number of a card of a known brand.
pub(super) fn is_credit_card(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|char| char.to_digit(10)).collect();
    is_of_a_brand(&digits) && passes_luhn(&digits)
}

fn is_of_a_brand(digits: &[u32]) -> bool {
    match digits {
        [4, ..] => matches!(digits.len(), 13 | 16),
        [5, 1..=5, ..] | [6, 0, 1, 1, ..] | [6, 5, ..] => digits.len() == 16,
        [3, 4 | 7, ..] => digits.len() == 15,
        [3, 0, 0..=5, ..] | [3, 6 | 8, ..] => digits.len() == 14,
        [2, 1, 3, 1, ..] | [1, 8, 0, 0, ..] => digits.len() == 15,
        [3, 5, ..] => digits.len() == 16,
        _ => false,
    }
}

/// Every second digit from the right counts double, and its digits are added.
fn passes_luhn(digits: &[u32]) -> bool {
    let value = |(index, digit): (usize, &u32)| match index % 2 {
        0 => *digit,
        _ => digit * 2 / 10 + digit * 2 % 10,
    };
    digits.iter().rev().enumerate().map(value).sum::<u32>().is_multiple_of(10)
}

fn without_separators(text: &str) -> String {
    text.chars().filter(|char| !matches!(char, '-' | ' ' | '\t' | '\n' | '\r' | '\u{c}')).collect()
}
