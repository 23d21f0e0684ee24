//! Tokens that cannot be made up: base64 of some fields and of their keyed hash.

use std::hash::{BuildHasher as _, RandomState};

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Makes tokens, and knows its own.
#[derive(Debug, Default)]
pub(crate) struct Mint {
    key: RandomState,
}

// === impl Mint ===

impl Mint {
    /// A token of some fields, none of which has a bar.
    pub(crate) fn token(&self, fields: &[&str]) -> String {
        let text = fields.join("|");
        STANDARD.encode(format!("{text}|{:016x}", self.key.hash_one(&text)))
    }

    /// The fields of a token.
    pub(crate) fn fields(&self, token: &str) -> Option<Vec<String>> {
        let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
        let (text, hash) = text.rsplit_once('|')?;
        let good = hash == format!("{:016x}", self.key.hash_one(text));
        good.then(|| text.split('|').map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_tokens_are_known() {
        let (mint, other) = (Mint::default(), Mint::default());
        let token = mint.token(&["page", "7"]);
        assert_eq!(mint.fields(&token), Some(vec!["page".to_owned(), "7".to_owned()]));
        assert_eq!(other.fields(&token), None);
        assert_eq!(mint.fields(&token[..token.len() - 4]), None);
    }
}
