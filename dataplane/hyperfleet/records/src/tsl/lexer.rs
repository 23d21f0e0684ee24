//! From text to tokens.

use super::{Arithmetic, Comparison, Error, MAX_LENGTH};

/// A token and where it begins, in characters from 1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) at: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Keyword(Keyword),
    Name(String),
    Text(String),
    Number(String, f64),
    Compare(Comparison),
    Arithmetic(Arithmetic),
    /// `~=` or `~!`.
    Regex,
    /// `(`, or the `[` of a list.
    Open(char),
    /// `)` or `]`.
    Close(char),
    Comma,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyword {
    And,
    Between,
    False,
    Ilike,
    In,
    Is,
    Like,
    Not,
    Null,
    Or,
    True,
}

const KEYWORDS: [(&str, Keyword); 11] = [
    ("and", Keyword::And),
    ("between", Keyword::Between),
    ("false", Keyword::False),
    ("ilike", Keyword::Ilike),
    ("in", Keyword::In),
    ("is", Keyword::Is),
    ("like", Keyword::Like),
    ("not", Keyword::Not),
    ("null", Keyword::Null),
    ("or", Keyword::Or),
    ("true", Keyword::True),
];

/// The characters of a text, and how far they are read.
struct Lexer {
    characters: Vec<char>,
    next: usize,
}

/// All tokens of a text.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, Error> {
    let characters: Vec<char> = text.chars().take(MAX_LENGTH + 1).collect();
    if characters.len() > MAX_LENGTH {
        return Err(Error { reason: format!("the search is longer than {MAX_LENGTH} characters"), at: MAX_LENGTH + 1 });
    }
    if let Some(at) = characters.iter().position(|&character| character == '\0') {
        return Err(Error { reason: "a NUL character is in the search".to_owned(), at: at + 1 });
    }
    let mut lexer = Lexer { characters, next: 0 };
    let mut tokens: Vec<Token> = Vec::new();
    while let Some(at) = lexer.skip_space() {
        // Behind IN a bracket opens a list, elsewhere it quotes a name.
        let list = tokens.last().is_some_and(|token| token.kind == Kind::Keyword(Keyword::In));
        let kind = lexer.token(list)?;
        tokens.push(Token { kind, at: at + 1 });
    }
    Ok(tokens)
}

// === impl Lexer ===

impl Lexer {
    /// Where the next token begins.
    fn skip_space(&mut self) -> Option<usize> {
        while self.peek()?.is_whitespace() {
            self.next += 1;
        }
        Some(self.next)
    }

    fn peek(&self) -> Option<char> {
        self.characters.get(self.next).copied()
    }

    fn take(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        self.next += usize::from(found);
        found
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let rest = &self.characters[self.next..];
        let taken: String = rest.iter().take_while(|&&character| belongs(character)).collect();
        self.next += taken.chars().count();
        taken
    }

    fn error(&self, at: usize, reason: impl Into<String>) -> Error {
        Error { reason: reason.into(), at: at + 1 }
    }

    fn token(&mut self, list: bool) -> Result<Kind, Error> {
        let at = self.next;
        let first = self.characters[at];
        if first.is_ascii_digit() || (first == '.' && self.digit_follows()) {
            return self.number();
        }
        if first.is_ascii_alphabetic() || first == '_' {
            return Ok(self.word());
        }
        self.next += 1;
        match first {
            '\'' => self.quoted('\'').map(Kind::Text),
            '"' | '`' => self.quoted(first).map(Kind::Name),
            '[' if !list => self.quoted(']').map(Kind::Name),
            '(' | '[' => Ok(Kind::Open(first)),
            ')' | ']' => Ok(Kind::Close(first)),
            ',' => Ok(Kind::Comma),
            '+' => Ok(Kind::Arithmetic(Arithmetic::Add)),
            '-' => Ok(Kind::Arithmetic(Arithmetic::Subtract)),
            '*' => Ok(Kind::Arithmetic(Arithmetic::Multiply)),
            '/' => Ok(Kind::Arithmetic(Arithmetic::Divide)),
            '%' => Ok(Kind::Arithmetic(Arithmetic::Remainder)),
            '=' => Ok(Kind::Compare(Comparison::Equal)),
            '!' if self.take('=') => Ok(Kind::Compare(Comparison::NotEqual)),
            '<' if self.take('>') => Ok(Kind::Compare(Comparison::NotEqual)),
            '<' if self.take('=') => Ok(Kind::Compare(Comparison::LessOrEqual)),
            '<' => Ok(Kind::Compare(Comparison::Less)),
            '>' if self.take('=') => Ok(Kind::Compare(Comparison::GreaterOrEqual)),
            '>' => Ok(Kind::Compare(Comparison::Greater)),
            '~' if self.take('=') || self.take('!') => Ok(Kind::Regex),
            other => Err(self.error(at, format!("unexpected {other:?}"))),
        }
    }

    fn digit_follows(&self) -> bool {
        self.characters.get(self.next + 1).is_some_and(char::is_ascii_digit)
    }

    /// What stands between quotes; the closing one, doubled, is one of it (a bracket cannot be).
    fn quoted(&mut self, close: char) -> Result<String, Error> {
        let start = self.next - 1;
        let mut text = String::new();
        loop {
            text += &self.take_while(|character| character != close);
            if !self.take(close) {
                return Err(self.error(start, format!("a {close} is missing for what begins")));
            }
            if close == ']' || !self.take(close) {
                return Ok(text);
            }
            text.push(close);
        }
    }

    /// A keyword or a name. The name of a label has what label keys have.
    fn word(&mut self) -> Kind {
        let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '.');
        let mut word = self.take_while(plain);
        if word.starts_with("labels.") {
            word += &self.take_while(|character| plain(character) || matches!(character, '-' | '/'));
        }
        match KEYWORDS.iter().find(|(text, _)| word.eq_ignore_ascii_case(text)) {
            Some(&(_, keyword)) => Kind::Keyword(keyword),
            None => Kind::Name(word),
        }
    }

    fn number(&mut self) -> Result<Kind, Error> {
        let at = self.next;
        let digits = |character: char| character.is_ascii_digit();
        let mut text = self.take_while(digits);
        if self.take('.') {
            text.push('.');
            text += &self.take_while(digits);
        }
        let before = self.next;
        if let Some(e) = self.peek().filter(|e| matches!(e, 'e' | 'E')) {
            self.next += 1;
            let sign = self.take_while(|character| matches!(character, '+' | '-'));
            let exponent = self.take_while(digits);
            match exponent.is_empty() || sign.len() > 1 {
                true => self.next = before,
                false => text.extend([e.to_string(), sign, exponent]),
            }
        }
        if self.peek().is_some_and(|next| next.is_alphanumeric() || next == '_') {
            return Err(self.error(at, "a number runs into a word: quote it, or put a space between"));
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Kind::Number(text, value)),
            _ => Err(self.error(at, "a number is out of range")),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        tokens(text).unwrap().into_iter().map(|token| token.kind).collect()
    }

    fn name(text: &str) -> Kind {
        Kind::Name(text.to_owned())
    }

    #[test]
    fn names_may_be_quoted_and_labels_have_what_label_keys_have() {
        assert_eq!(kinds("\"a \"\"b\""), [name("a \"b")]);
        assert_eq!(kinds("`c` [d e]"), [name("c"), name("d e")]);
        assert_eq!(kinds("labels.example.com/a-b"), [name("labels.example.com/a-b")]);
        assert_eq!(kinds("spec.a-b"), [name("spec.a"), Kind::Arithmetic(Arithmetic::Subtract), name("b")]);
    }

    #[test]
    fn keywords_are_so_in_any_case_and_only_whole() {
        assert_eq!(kinds("And"), [Kind::Keyword(Keyword::And)]);
        assert_eq!(kinds("android"), [name("android")]);
    }

    #[test]
    fn a_bracket_opens_a_list_behind_in_only() {
        assert_eq!(kinds("in ["), [Kind::Keyword(Keyword::In), Kind::Open('[')]);
        assert!(tokens("= [").is_err());
    }

    #[test]
    fn numbers_have_fractions_and_exponents_and_nothing_else_behind_them() {
        let number = |text: &str, value| Kind::Number(text.to_owned(), value);
        assert_eq!(
            kinds("1 .5 2. 1.5e-3"),
            [number("1", 1.0), number(".5", 0.5), number("2.", 2.0), number("1.5e-3", 0.0015)]
        );
        assert!(tokens("1x").is_err() && tokens("1e999").is_err() && tokens("1e").is_err());
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        for (text, at) in [("a = 'b", 5), ("a ? b", 3), ("ä = 1", 1), ("a\0", 2)] {
            assert_eq!(tokens(text).unwrap_err().at, at, "{text:?}");
        }
        assert_eq!(tokens(&"a".repeat(MAX_LENGTH + 1)).unwrap_err().at, MAX_LENGTH + 1);
        assert!(tokens(&"ä".repeat(MAX_LENGTH + 1)).is_err());
    }
}
