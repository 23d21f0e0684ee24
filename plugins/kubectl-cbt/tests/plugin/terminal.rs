//! What people see who look.

use super::{
    plugin_of,
    server::{Server, Trouble},
};

#[test]
fn on_a_terminal_a_bar_tells_how_far_it_is() {
    let server = Server::start(0..200);
    server.now().data = [Trouble::Later(429, 2)].into();
    let output = plugin_of(&server).on_terminal("pull week image");
    let seen = &output.stdout;
    assert_eq!(output.code, 0, "{seen}");
    for word in ["blocks, ", "/s)", "% ", " left", "\r", "\u{1b}["] {
        assert!(seen.contains(word), "{word:?} is not in {seen:?}");
    }
    assert!(seen.contains("Error from server (Later): on purpose: 429; trying again in 2 s\r\n"), "{seen:?}");
    assert!(seen.ends_with("image: 200 blocks, 102300 bytes of week\r\n"), "the bar is gone: {seen:?}");
}

#[test]
fn entries_on_a_terminal_have_no_bar_between_them() {
    let server = Server::start(0..100);
    let output = plugin_of(&server).on_terminal("get week");
    assert_eq!(output.stdout.lines().count(), 101, "{:?}", output.stdout);
    assert!(!output.stdout.contains('\u{1b}') && !output.stdout.contains("left"), "{:?}", output.stdout);
}

#[test]
fn elsewhere_there_is_no_bar() {
    let server = Server::start(0..100);
    let plugin = plugin_of(&server);
    for line in ["get week -o summary", "map week", "pull week image"] {
        let output = plugin.run(line);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{line}");
        assert!(!output.stdout.contains('\u{1b}') && !output.stdout.contains('\r'), "{line}: {output:?}");
    }
}
