//! Entries, whatever breaks on the way.

use serde_json::Value;

use super::{
    plugin_of,
    server::{Server, Trouble},
};

/// The blocks of JSON lines.
fn blocks(lines: &str) -> Vec<u64> {
    let block = |line: &str| serde_json::from_str::<Value>(line).unwrap()["block"].as_u64().unwrap();
    lines.lines().map(block).collect()
}

#[test]
fn every_kind_of_break_is_gone_on_from() {
    let truth: Vec<u64> = (0..300).map(|n| n * 3).collect();
    let troubles = [
        Trouble::Hangup,
        Trouble::Cut(0),
        Trouble::Cut(300),
        Trouble::Cut(1),
        Trouble::Cut(90),
        Trouble::Cut(400),
        Trouble::Later(503, 1),
        Trouble::Later(429, 1),
        Trouble::Cut(1000),
        Trouble::Code(500, "InternalError"),
        Trouble::Code(502, "InternalError"),
        Trouble::Cut(201),
        Trouble::Code(504, "Timeout"),
    ];
    let server = Server::start(truth.clone());
    server.now().lists = troubles.into();
    let output = plugin_of(&server).run("get week -o json --page 100");
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(blocks(&output.stdout), truth);
    assert!(server.now().lists.is_empty(), "all of it happened");
}

#[test]
fn what_is_refused_for_good_is_asked_for_once() {
    for (code, reason) in [(400, "BadRequest"), (403, "Forbidden"), (404, "NotFound"), (409, "Conflict")] {
        let server = Server::start(0..9);
        server.now().lists = [Trouble::Code(code, reason)].into();
        for command in ["get week", "map week", "pull week image"] {
            server.now().lists = [Trouble::Code(code, reason)].into();
            server.now().seen.clear();
            let plugin = plugin_of(&server);
            let output = plugin.run(command);
            assert_eq!(output.code, 1, "{command}: {output:?}");
            assert_eq!(output.stderr, format!("Error from server ({reason}): on purpose: {code}\n"), "{command}");
            assert_eq!(server.seen("fetchcbd"), 1, "{command}");
            assert!(!plugin.scratch.file("image").exists());
        }
    }
}

#[test]
fn a_server_that_stays_away_is_given_up() {
    let server = Server::start(0..9);
    server.now().lists = vec![Trouble::Code(503, "ServiceUnavailable"); 9].into();
    let output = plugin_of(&server).run("get week");
    assert_eq!((output.code, server.seen("fetchcbd")), (1, 6), "{output:?}");
    assert!(output.stderr.contains("; trying again in 2 s\n"), "long waits are said: {output:?}");
    server.now().lists = [Trouble::Later(503, 86_400)].into();
    assert_eq!(plugin_of(&server).run("get week").code, 1, "nobody waits for a day");
    let [port] = kit::free_ports().unwrap();
    let nobody = plugin_of(&server).run(&format!("get week --server https://127.0.0.1:{port}"));
    assert!(nobody.code == 1 && nobody.stderr.contains("Connection refused"), "{nobody:?}");
}

#[test]
fn pages_are_one_list() {
    let truth: Vec<u64> = (0..50).map(|n| n * n).collect();
    let server = Server::start(truth.clone());
    let plugin = plugin_of(&server);
    for page in [1, 7, 10, 25, 50, 51] {
        for (offset, limit) in [(0, 50), (0, 51), (0, 0), (9, 10), (10, 20), (25, 7), (2401, 5), (2402, 5)] {
            if page == 1 && limit > 10 {
                continue;
            }
            let line = format!("get week -o json --page {page} --offset {offset} --limit {limit}");
            let expected: Vec<u64> = truth.iter().copied().filter(|block| *block >= offset).take(limit).collect();
            assert_eq!(blocks(&plugin.run(&line).stdout), expected, "{line}");
        }
    }
}

#[test]
fn each_output_has_its_form() {
    let server = Server::start([0, 7, 4000]);
    let plugin = plugin_of(&server);
    let table = plugin.run("get week").stdout;
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["BLOCK", "OFFSET", "SIZE"]);
    assert_eq!(rows[2..], [["7", "3584", "512"], ["4000", "2048000", "512"]]);
    let json = plugin.run("get week -o json").stdout;
    assert_eq!(json.lines().nth(1), Some(r#"{"block":7,"byteOffset":3584,"sizeBytes":512}"#));
    assert_eq!(plugin.run("get week -o summary").stdout, "3 blocks, 1.50 KiB\n");
    assert_eq!(plugin.run("list").stdout, "NAME\nweek\n");
    assert_eq!(plugin.run("list -o wide").stdout, "NAME   MODE\nweek   block\n");
}

#[test]
fn nothing_changed_is_drawn_too() {
    let server = Server::start([]);
    let plugin = plugin_of(&server);
    let map = plugin.run("map week --rows 2 --columns 8").stdout;
    assert!(map.starts_with("week: 0 blocks, 0 B of 1.00 MiB\n       0 B ········\n"), "{map}");
    assert_eq!(plugin.run("map week --picture map.png").code, 0);
    assert!(std::fs::read(plugin.scratch.file("map.png")).unwrap().starts_with(b"\x89PNG"));
    assert_eq!(plugin.run("get week -o summary").stdout, "0 blocks, 0 B\n");
}

#[test]
fn who_stops_reading_ends_it_quietly() {
    let server = Server::start(0..20_000);
    let output = plugin_of(&server).shell("{ \"$0\" get week --page 5000; echo \"ended: $?\" >&2; } | head -n 2");
    assert_eq!(output.stdout.lines().count(), 2);
    assert_eq!(output.stderr, "ended: 0\n");
}

#[test]
fn a_server_that_does_not_know_blocks_is_told_from_an_empty_list() {
    let server = Server::start(0..3);
    server.now().lists = [Trouble::Length(3)].into();
    let output = plugin_of(&server).run("get week");
    assert_eq!((output.code, server.seen("fetchcbd")), (1, 1), "{output:?}");
    let json = plugin_of(&server);
    server.now().blocks = vec![9, 8];
    let unordered = json.run("get week -o json");
    assert_eq!((unordered.code, unordered.stdout.as_str()), (1, ""), "{unordered:?}");
    assert!(unordered.stderr.contains("out of order"), "{unordered:?}");
}
