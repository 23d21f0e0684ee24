//! What tests of our kubectl plugins stand on: a server whose answers are scripted, and the plugin as a process.

mod https;
mod plugin;

pub use https::{Caller, Https, NAME};
pub use plugin::Plugin;
