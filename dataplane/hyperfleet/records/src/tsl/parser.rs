//! From tokens to the syntax tree, by recursive descent: OR binds least, then AND, NOT, comparisons, arithmetic.

use super::{
    Arithmetic, Error, Expression, Field, Literal, MAX_DEPTH, Operand,
    lexer::{Keyword, Kind, Token, tokens},
};

/// Reads a search.
pub(crate) fn parse(text: &str) -> Result<Expression, Error> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0, length: text.chars().count() };
    let expression = parser.or()?;
    match parser.tokens.get(parser.next) {
        None => Ok(expression),
        Some(_) => Err(parser.unexpected("AND, OR or the end")),
    }
}

/// The tokens, and how far they are read.
struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    /// Of the text, in characters.
    length: usize,
}

// === impl Parser ===

impl Parser {
    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    /// Where the next token begins, or the text ends.
    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.length + 1, |token| token.at)
    }

    fn take(&mut self, kind: &Kind) -> bool {
        let found = self.peek() == Some(kind);
        self.next += usize::from(found);
        found
    }

    fn take_keyword(&mut self, keyword: Keyword) -> bool {
        self.take(&Kind::Keyword(keyword))
    }

    fn unexpected(&self, expected: &str) -> Error {
        let reason = match self.peek() {
            Some(_) => format!("expected {expected}"),
            None => format!("expected {expected}, but the search ends"),
        };
        Error { reason, at: self.at() }
    }

    /// Parses something one level deeper.
    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth == MAX_DEPTH {
            return Err(Error { reason: format!("nested deeper than {MAX_DEPTH} levels"), at: self.at() });
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn or(&mut self) -> Result<Expression, Error> {
        let mut parts = vec![self.and()?];
        while self.take_keyword(Keyword::Or) {
            parts.push(self.and()?);
        }
        Ok(one_or(parts, Expression::Or))
    }

    fn and(&mut self) -> Result<Expression, Error> {
        let mut parts = vec![self.not()?];
        while self.take_keyword(Keyword::And) {
            parts.push(self.not()?);
        }
        Ok(one_or(parts, Expression::And))
    }

    fn not(&mut self) -> Result<Expression, Error> {
        match self.take_keyword(Keyword::Not) {
            true => Ok(Expression::Not(Box::new(self.deeper(Self::not)?))),
            false => self.primary(),
        }
    }

    /// A parenthesis holds a condition, or is the begin of arithmetic: what follows it tells.
    fn primary(&mut self) -> Result<Expression, Error> {
        if self.peek() != Some(&Kind::Open('(')) {
            return self.comparison();
        }
        match self.operand_in_parentheses() {
            true => self.comparison(),
            false => {
                self.next += 1;
                let inner = self.deeper(Self::or)?;
                match self.take(&Kind::Close(')')) {
                    true => Ok(inner),
                    false => Err(self.unexpected("AND, OR or )")),
                }
            }
        }
    }

    /// Whether the parenthesis here holds nothing but names, literals, arithmetic and parentheses.
    fn operand_in_parentheses(&self) -> bool {
        let mut open = 0;
        for token in &self.tokens[self.next..] {
            match token.kind {
                Kind::Open('(') => open += 1,
                Kind::Close(')') if open == 1 => return true,
                Kind::Close(')') => open -= 1,
                Kind::Name(_) | Kind::Text(_) | Kind::Number(..) | Kind::Arithmetic(_) => (),
                _ => return false,
            }
        }
        false
    }

    fn comparison(&mut self) -> Result<Expression, Error> {
        let operand = self.sum()?;
        let at = self.at();
        match self.peek() {
            Some(&Kind::Compare(comparison)) => {
                self.next += 1;
                Ok(Expression::Compare(operand, comparison, self.sum()?))
            }
            Some(Kind::Regex) => Err(Error { reason: "~= and ~! are not supported: use LIKE or ILIKE".to_owned(), at }),
            Some(Kind::Keyword(Keyword::Is)) => {
                self.next += 1;
                self.is(operand)
            }
            _ => {
                let negated = self.take_keyword(Keyword::Not);
                self.worded(operand, negated)
            }
        }
    }

    fn is(&mut self, operand: Operand) -> Result<Expression, Error> {
        let negated = self.take_keyword(Keyword::Not);
        match self.take_keyword(Keyword::Null) {
            true => Ok(Expression::IsNull { operand, negated }),
            false => Ok(Expression::Is { operand, literal: self.literal("NULL, NOT or a value")?, negated }),
        }
    }

    fn worded(&mut self, operand: Operand, negated: bool) -> Result<Expression, Error> {
        for (keyword, any_case) in [(Keyword::Like, false), (Keyword::Ilike, true)] {
            if self.take_keyword(keyword) {
                let pattern = self.pattern()?;
                return Ok(Expression::Like { operand, pattern, any_case, negated });
            }
        }
        if self.take_keyword(Keyword::In) {
            return Ok(Expression::In { operand, list: self.list()?, negated });
        }
        if self.take_keyword(Keyword::Between) {
            let low = self.literal("a value")?;
            if !self.take_keyword(Keyword::And) {
                return Err(self.unexpected("AND"));
            }
            return Ok(Expression::Between { operand, low, high: self.literal("a value")?, negated });
        }
        Err(self.unexpected("a comparison, LIKE, ILIKE, IN, BETWEEN or IS"))
    }

    fn pattern(&mut self) -> Result<String, Error> {
        let at = self.at();
        let pattern = self.literal("a pattern")?.text().to_owned();
        let escapes = pattern.chars().rev().take_while(|&character| character == '\\').count();
        match escapes % 2 {
            0 => Ok(pattern),
            _ => Err(Error { reason: "the pattern ends with an escape: double the \\".to_owned(), at }),
        }
    }

    fn list(&mut self) -> Result<Vec<Literal>, Error> {
        let close = match self.peek() {
            Some(Kind::Open('(')) => Kind::Close(')'),
            Some(Kind::Open('[')) => Kind::Close(']'),
            _ => return Err(self.unexpected("( or [")),
        };
        self.next += 1;
        let mut list = Vec::new();
        if self.take(&close) {
            return Ok(list);
        }
        loop {
            list.push(self.literal("a value")?);
            if self.take(&close) {
                return Ok(list);
            }
            if !self.take(&Kind::Comma) {
                return Err(self.unexpected("a comma or the end of the list"));
            }
        }
    }

    fn literal(&mut self, expected: &str) -> Result<Literal, Error> {
        let sign = match self.peek() {
            Some(Kind::Arithmetic(Arithmetic::Subtract)) => Some("-"),
            Some(Kind::Arithmetic(Arithmetic::Add)) => Some(""),
            _ => None,
        };
        let place = self.next + usize::from(sign.is_some());
        let literal = match self.tokens.get(place).map(|token| &token.kind) {
            Some(Kind::Number(text, value)) => {
                let negative = sign == Some("-");
                Literal::Number(format!("{}{text}", sign.unwrap_or("")), if negative { -value } else { *value })
            }
            Some(Kind::Text(text)) if sign.is_none() => Literal::Text(text.clone()),
            Some(Kind::Keyword(Keyword::True)) if sign.is_none() => Literal::Boolean(true),
            Some(Kind::Keyword(Keyword::False)) if sign.is_none() => Literal::Boolean(false),
            _ => return Err(self.unexpected(expected)),
        };
        self.next = place + 1;
        Ok(literal)
    }

    fn sum(&mut self) -> Result<Operand, Error> {
        self.chain(&[Arithmetic::Add, Arithmetic::Subtract], Self::product)
    }

    fn product(&mut self) -> Result<Operand, Error> {
        self.chain(&[Arithmetic::Multiply, Arithmetic::Divide, Arithmetic::Remainder], Self::factor)
    }

    /// Operands with operators between them, from left to right: each makes the tree one deeper.
    fn chain(
        &mut self,
        operators: &[Arithmetic],
        operand: fn(&mut Self) -> Result<Operand, Error>,
    ) -> Result<Operand, Error> {
        let mut left = operand(self)?;
        let mut length = 0;
        while let Some(&Kind::Arithmetic(operator)) = self.peek().filter(|kind| is_one_of(kind, operators)) {
            length += 1;
            if self.depth + length > MAX_DEPTH {
                return Err(Error { reason: format!("more than {MAX_DEPTH} operators in a row"), at: self.at() });
            }
            self.next += 1;
            left = Operand::Arithmetic(Box::new(left), operator, Box::new(operand(self)?));
        }
        Ok(left)
    }

    fn factor(&mut self) -> Result<Operand, Error> {
        let at = self.at();
        match self.peek() {
            Some(Kind::Name(name)) => {
                let name = name.clone();
                self.next += 1;
                Ok(Operand::Field(Field { name, at }))
            }
            Some(Kind::Open('(')) => {
                self.next += 1;
                let inner = self.deeper(Self::sum)?;
                match self.take(&Kind::Close(')')) {
                    true => Ok(inner),
                    false => Err(self.unexpected(")")),
                }
            }
            _ => self.literal("a field or a value").map(Operand::Literal),
        }
    }
}

fn is_one_of(kind: &Kind, operators: &[Arithmetic]) -> bool {
    matches!(kind, Kind::Arithmetic(operator) if operators.contains(operator))
}

fn one_or(mut parts: Vec<Expression>, all: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.len() {
        1 => parts.remove(0),
        _ => all(parts),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tsl::Comparison;

    fn field(name: &str, at: usize) -> Operand {
        Operand::Field(Field { name: name.to_owned(), at })
    }

    fn text(text: &str) -> Literal {
        Literal::Text(text.to_owned())
    }

    fn equal(name: &str, at: usize, value: &str) -> Expression {
        Expression::Compare(field(name, at), Comparison::Equal, Operand::Literal(text(value)))
    }

    #[test]
    fn and_binds_closer_than_or_and_not_closest() {
        let parsed = parse("not a='1' AND b='2' or c='3'").unwrap();
        let not = Expression::Not(Box::new(equal("a", 5, "1")));
        let expected = Expression::Or(vec![Expression::And(vec![not, equal("b", 15, "2")]), equal("c", 24, "3")]);
        assert_eq!(parsed, expected);
    }

    #[test]
    fn every_operator_is_read() {
        let (operand, list) = (field("a", 1), vec![text("x"), Literal::Number("-2".to_owned(), -2.0)]);
        for (source, expected) in [
            ("a in ('x', -2)", Expression::In { operand: operand.clone(), list: list.clone(), negated: false }),
            ("a NOT IN ['x',-2]", Expression::In { operand: operand.clone(), list, negated: true }),
            ("a in ()", Expression::In { operand: operand.clone(), list: Vec::new(), negated: false }),
            ("a is null", Expression::IsNull { operand: operand.clone(), negated: false }),
            ("a is not null", Expression::IsNull { operand: operand.clone(), negated: true }),
            ("a is true", Expression::Is { operand: operand.clone(), literal: Literal::Boolean(true), negated: false }),
            ("a is not 'x'", Expression::Is { operand: operand.clone(), literal: text("x"), negated: true }),
            (
                "a not between 'x' and 'y'",
                Expression::Between { operand: operand.clone(), low: text("x"), high: text("y"), negated: true },
            ),
            (
                "a not ilike '%it''s%'",
                Expression::Like { operand, pattern: "%it's%".to_owned(), any_case: true, negated: true },
            ),
        ] {
            assert_eq!(parse(source).unwrap(), expected, "{source}");
        }
    }

    #[test]
    fn a_parenthesis_is_a_condition_or_arithmetic() {
        assert!(matches!(parse("(a + 1) * 2 > 3").unwrap(), Expression::Compare(Operand::Arithmetic(..), ..)));
        assert_eq!(parse("((a = 'x'))").unwrap(), equal("a", 3, "x"));
        assert!(matches!(parse("(a) = (b)").unwrap(), Expression::Compare(..)));
    }

    #[test]
    fn arithmetic_goes_from_left_to_right_and_products_first() {
        let Expression::Compare(sum, ..) = parse("a - 1 - b * 2 = 0").unwrap() else { panic!("no comparison") };
        let Operand::Arithmetic(left, Arithmetic::Subtract, right) = sum else { panic!("no difference") };
        assert!(matches!(*left, Operand::Arithmetic(_, Arithmetic::Subtract, _)));
        assert!(matches!(*right, Operand::Arithmetic(_, Arithmetic::Multiply, _)));
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        for (text, at, part) in [
            ("", 1, "the search ends"),
            ("name", 5, "comparison"),
            ("name = ", 8, "the search ends"),
            ("name = 'a' name", 12, "AND, OR or the end"),
            ("(name = 'a'", 12, "AND, OR or )"),
            ("a) or (b", 2, "comparison"),
            ("name ~= 'x'", 6, "LIKE"),
            ("name in 'x'", 9, "( or ["),
            ("name in ('x' 'y')", 14, "comma"),
            ("name between 1 or 2", 16, "AND"),
            ("name like 'x\\'", 11, "escape"),
            ("name is", 8, "NULL"),
            ("not", 4, "the search ends"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.at, at, "{text:?}: {error}");
            assert!(error.reason.contains(part), "{text:?}: {error}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        for (open, close) in [("(", ")"), ("not ", "")] {
            let nested = |depth: usize| format!("{}a = 1{}", open.repeat(depth), close.repeat(depth));
            assert!(parse(&nested(MAX_DEPTH)).is_ok());
            assert!(parse(&nested(MAX_DEPTH + 1)).unwrap_err().reason.contains("nested"));
        }
        let sum = |length: usize| format!("a{} = 1", " + 1".repeat(length));
        assert!(parse(&sum(MAX_DEPTH)).is_ok());
        assert!(parse(&sum(MAX_DEPTH + 1)).is_err());
        assert!(parse(&["a=1"; 580].join(" or ")).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in ".{0,200}") {
            parse(&text).ok();
        }

        #[test]
        fn no_row_of_words_is_too_much(
            words in prop::collection::vec(prop::sample::select(vec![
                "a", "labels.x-y", "'b'", "1", "-", "+", "*", "(", ")", "[", "]", ",", "=", "<>", "~=",
                "not", "and", "or", "in", "like", "ilike", "between", "is", "null", "true", "\"", "`", "'", ".5", "1e9",
            ]), 0..60),
        ) {
            parse(&words.join(" ")).ok();
        }
    }
}
