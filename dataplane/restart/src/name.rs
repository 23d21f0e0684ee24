//! What a NodeRestart is called: `NODE-N`, the Nth of its node.
//!
//! The name is the lock: of two requests that both find the Nth ended, one creates the next, and the other is told that
//! it is there.

use sha2::{Digest, Sha256};

/// What a name may have: 253 bytes, less a dash and ten digits.
const NODE_LIMIT: usize = 253 - 11;

/// The name of the `number`th restart of a node.
pub(crate) fn name(node: &str, number: u32) -> String {
    format!("{}-{number}", stem(node))
}

/// The number in a name, if it is one of this node's.
pub(crate) fn number(name: &str, node: &str) -> Option<u32> {
    let digits = name.strip_prefix(&stem(node))?.strip_prefix('-')?;
    digits.parse().ok()
}

/// The node's name, or what stands for one that is too long.
fn stem(node: &str) -> String {
    if node.len() <= NODE_LIMIT {
        return node.to_owned();
    }
    let digest = Sha256::digest(node.as_bytes());
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_whose_and_which() {
        let long = "n".repeat(253);
        for node in ["a", "a-1", "ip-10-0-0-1.ec2.internal", &long] {
            assert_eq!(number(&name(node, 7), node), Some(7));
            assert!(name(node, u32::MAX).len() <= 253);
        }
        assert_eq!(number("a-1-7", "a"), None);
        assert_eq!(number("b-7", "a"), None);
        assert_ne!(name(&long, 1), name(&format!("{}x", &long[1..]), 1));
    }
}
