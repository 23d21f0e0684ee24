//! The order of keys: numbers by value, letters after everything else.

/// The keys in Go's order.
///
/// That order is no order where numbers meet letters (`a12` < `a1b` < `a2` < `a12`), so this is a merge sort of our own:
/// the standard library's may panic on such a comparison.
pub(super) fn sorted<T>(mut entries: Vec<(&str, T)>) -> Vec<(&str, T)> {
    if entries.len() < 2 {
        return entries;
    }
    let right = entries.split_off(entries.len() / 2);
    let (mut left, mut right) = (sorted(entries).into_iter().peekable(), sorted(right).into_iter().peekable());
    let mut merged = Vec::with_capacity(left.len() + right.len());
    while let (Some((a, _)), Some((b, _))) = (left.peek(), right.peek()) {
        merged.extend(if less(b, a) { right.next() } else { left.next() });
    }
    merged.extend(left.chain(right));
    merged
}

fn less(a: &str, b: &str) -> bool {
    let (mut before_a, mut before_b) = (a.chars(), b.chars());
    let mut nonzero = false;
    loop {
        let (rest_a, rest_b) = (before_a.as_str(), before_b.as_str());
        let (Some(a), Some(b)) = (before_a.next(), before_b.next()) else { return rest_a.len() < rest_b.len() };
        if a == b {
            // Whether a run of digits that began alike has had one that counts.
            nonzero = a.is_ascii_digit() && (nonzero || a != '0');
            continue;
        }
        return match (a.is_alphabetic(), b.is_alphabetic()) {
            (true, true) => a < b,
            (false, false) => {
                let first = i64::from(nonzero && (a == '0' || b == '0'));
                let (number_a, number_b) = (number(rest_a, first), number(rest_b, first));
                if number_a == number_b { a < b } else { number_a < number_b }
            }
            (_, b_is_letter) => b_is_letter,
        };
    }
}

/// The value and the length of the digits that `text` begins with.
fn number(text: &str, first: i64) -> (i64, usize) {
    let digits = text.bytes().take_while(u8::is_ascii_digit);
    digits.fold((first, 0), |(value, length), digit| {
        (value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')), length + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_and_letters_come_last() {
        let keys = [
            ".", "_", "1", "2", "10", "A", "B", "a", "a_", "a2", "a10", "a010", "aa", "b", "b-1", "b.1", "f:a", "k:{",
            "v:1",
        ];
        let mut shuffled: Vec<_> = keys.iter().rev().map(|key| (*key, ())).collect();
        shuffled.rotate_left(5);
        let names: Vec<_> = sorted(shuffled).into_iter().map(|(key, ())| key).collect();
        let expected = [
            ".", "_", "1", "2", "10", "A", "B", "a", "a_", "a2", "a10", "a010", "aa", "b", "b-1", "b.1", "f:a", "k:{",
            "v:1",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn keys_without_an_order_are_sorted_all_the_same() {
        let keys: Vec<String> = (0..2000).map(|n| format!("a{}{}", n % 13, ["b", "", "1", "_"][n % 4])).collect();
        assert_eq!(sorted(keys.iter().map(|key| (key.as_str(), ())).collect()).len(), 2000);
    }
}
