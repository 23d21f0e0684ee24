//! `kubectl restart` as its users run it, against a server that is scripted.
#![expect(clippy::unwrap_used, reason = "tests")]

mod exits;
mod logins;
mod server;
mod terminal;

use plugin_testing::Plugin;
use serde_json::{Value, json};

use server::Server;

/// The plugin for a server.
fn plugin_of(server: &Server) -> Plugin {
    Plugin::new(env!("CARGO_BIN_EXE_kubectl-restart"), server.https())
}

/// The states of a restart that goes well.
fn well() -> Vec<Value> {
    vec![
        json!({ "phase": "Draining", "drain": { "total": 2, "left": 1 } }),
        json!({ "phase": "Sent" }),
        json!({ "phase": "Succeeded" }),
    ]
}
