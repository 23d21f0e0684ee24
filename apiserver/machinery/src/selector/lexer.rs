//! The words of a label selector.

/// One word. Its text is what an error message quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    End,
    Close,
    Comma,
    Not,
    DoubleEquals,
    Equals,
    Greater,
    Identifier,
    In,
    Less,
    NotEquals,
    NotIn,
    Open,
}

/// The words of `selector`, ended by one [`Kind::End`]. A NUL ends a selector early, as it does in Go.
pub(super) fn tokens(selector: &str) -> Vec<Token<'_>> {
    let mut rest = selector.split('\0').next().unwrap_or_default();
    let mut tokens = Vec::new();
    loop {
        rest = rest.trim_start_matches(is_space);
        let token = next(rest);
        rest = &rest[token.text.len()..];
        tokens.push(token);
        if token.kind == Kind::End {
            return tokens;
        }
    }
}

fn next(rest: &str) -> Token<'_> {
    const SYMBOLS: [(&str, Kind); 9] = [
        ("==", Kind::DoubleEquals),
        ("!=", Kind::NotEquals),
        ("=", Kind::Equals),
        ("!", Kind::Not),
        ("(", Kind::Open),
        (")", Kind::Close),
        (",", Kind::Comma),
        (">", Kind::Greater),
        ("<", Kind::Less),
    ];
    if let Some((text, kind)) = SYMBOLS.into_iter().find(|(text, _)| rest.starts_with(text)) {
        return Token { kind, text };
    }
    let end = rest.find(|char| is_space(char) || "=!(),><".contains(char)).unwrap_or(rest.len());
    let text = &rest[..end];
    let kind = match text {
        "" => Kind::End,
        "in" => Kind::In,
        "notin" => Kind::NotIn,
        _ => Kind::Identifier,
    };
    Token { kind, text }
}

fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\r' | '\n')
}
