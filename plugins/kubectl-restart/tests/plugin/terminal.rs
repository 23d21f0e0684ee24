//! What people see who look.

use serde_json::json;

use super::{plugin_of, server::Server};

#[test]
fn on_a_terminal_one_line_changes() {
    let server = Server::start();
    server
        .script(&[json!({ "phase": "Draining", "drain": { "total": 5, "left": 3 } }), json!({ "phase": "Succeeded" })]);
    let output = plugin_of(&server).on_terminal("a --wait");
    let seen = output.stdout;
    assert_eq!(output.code, 0, "{seen}");
    assert!(seen.contains("node/a") && seen.contains('\r'), "{seen:?}");
    assert!(seen.ends_with("node/a restarted\r\n"), "{seen:?}");
    assert!(!seen.contains("node/a: Draining"), "no plain lines: {seen:?}");
}
