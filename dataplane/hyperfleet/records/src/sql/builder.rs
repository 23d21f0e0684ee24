//! Puts a statement together.

use super::Dialect;
use crate::database::{Statement, Value};

/// A statement in the making.
pub(super) struct Builder {
    pub(super) dialect: Dialect,
    text: String,
    values: Vec<Value>,
}

// === impl Builder ===

impl Builder {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, text: String::new(), values: Vec::new() }
    }

    /// Adds text, which nobody but us has written.
    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a place for a value.
    pub(super) fn bind(&mut self, value: Value) -> &mut Self {
        self.values.push(value);
        let place = self.values.len().to_string();
        self.push("$").push(&place)
    }

    pub(super) fn bind_text(&mut self, text: &str) -> &mut Self {
        self.bind(Value::text(text))
    }

    /// Adds what `parts` add, with `between` between them.
    pub(super) fn join<T>(&mut self, parts: &[T], between: &str, mut add: impl FnMut(&mut Self, &T)) -> &mut Self {
        for (place, part) in parts.iter().enumerate() {
            if place > 0 {
                self.push(between);
            }
            add(self, part);
        }
        self
    }

    /// Takes the text made so far. The values stay, and so do their places.
    pub(super) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// Another statement with the values so far.
    pub(super) fn beside(&self, text: String) -> Statement {
        Statement::made(text, self.values.clone())
    }

    pub(super) fn build(self) -> Statement {
        Statement::made(self.text, self.values)
    }
}
