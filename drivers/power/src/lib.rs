//! What the drivers of machines share.
//!
//! | module | what |
//! |---|---|
//! | [`http`] | one HTTP exchange with a provider, and how sure one can be of what became of it |
//! | [`Secret`] | a password, a key or a token, which nothing prints |
//! | [`follow()`] | an instance after a step, each time that it changes |
//! | [`asked()`] | what a question's failure means, which changes nothing |

mod follow;
pub mod http;
mod secret;

use proto::node::Error;

pub use follow::follow;
pub use secret::{Secret, SecretError};

/// The failure of a question. A question changes nothing, so nothing about it is ambiguous: it can be asked again.
#[must_use]
pub fn asked(error: Error) -> Error {
    match error {
        Error::Ambiguous(message) => Error::Unreachable(message),
        error => error,
    }
}
