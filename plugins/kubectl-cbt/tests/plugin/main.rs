//! `kubectl cbt` as its users run it, against a server that is scripted.
#![expect(clippy::unwrap_used, reason = "tests")]

mod lists;
mod pulls;
mod server;
mod terminal;
mod usage;

use plugin_testing::Plugin;

use server::Server;

/// The plugin for a server.
fn plugin_of(server: &Server) -> Plugin {
    Plugin::new(env!("CARGO_BIN_EXE_kubectl-cbt"), server.https())
}
