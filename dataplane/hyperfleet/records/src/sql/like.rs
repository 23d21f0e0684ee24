//! LIKE and ILIKE for SQLite as PostgreSQL has them: `%` any text, `_` any character, `\` takes the next as it is, and
//! ILIKE folds the case of all letters. SQLite's own LIKE folds that of ASCII, and always.

/// The regular expression that matches what a pattern does.
pub(super) fn regex(pattern: &str, any_case: bool) -> String {
    let mut regex = String::from(if any_case { "(?is)^" } else { "(?s)^" });
    let mut characters = pattern.chars();
    let mut last = None;
    while let Some(character) = characters.next() {
        match character {
            '%' if last == Some('%') => (),
            '%' => regex.push_str(".*"),
            '_' => regex.push('.'),
            '\\' => characters.next().into_iter().for_each(|next| push(&mut regex, next)),
            other => push(&mut regex, other),
        }
        last = Some(character);
    }
    regex.push('$');
    regex
}

/// Adds a character that stands for itself.
fn push(regex: &mut String, character: char) {
    if character.is_ascii() && !character.is_ascii_alphanumeric() {
        regex.push_str(&format!("\\x{{{:x}}}", u32::from(character)));
    } else {
        regex.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_regular_expression() {
        for (pattern, any_case, expected) in [
            ("a%%b_", false, "(?s)^a.*b.$"),
            ("ä", true, "(?is)^ä$"),
            ("\\%\\_\\\\", false, "(?s)^\\x{25}\\x{5f}\\x{5c}$"),
            ("a.b*", false, "(?s)^a\\x{2e}b\\x{2a}$"),
            ("\\\\%%", false, "(?s)^\\x{5c}.*$"),
        ] {
            assert_eq!(regex(pattern, any_case), expected, "{pattern}");
        }
    }
}
