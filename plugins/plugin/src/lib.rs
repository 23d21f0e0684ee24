//! What our kubectl plugins share: kubectl's connection flags under kubectl's names, and errors in kubectl's words.

mod connection;
mod kubeconfig;
mod login;
mod refusal;
mod shown;

pub use connection::{Connection, ConnectionArgs};
pub use login::LoginError;
pub use refusal::{Refusal, answer};
pub use shown::{plain, shown};
