//! The kinds of tokens as clients have them, over the log in memory: the same data as in Secrets, without a cluster.
#![expect(clippy::unwrap_used, reason = "tests")]

mod ownership;
mod plaintext;
mod rotate;
mod seals;
mod support;
mod verbs;
