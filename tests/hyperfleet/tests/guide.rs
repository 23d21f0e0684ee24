//! docs/hyperfleet.md to the letter: every command of it that asks the API, in its order, in one shell.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

use hyperfleet_tests::server::{Database, Server};

const GUIDE: &str = include_str!("../../../docs/hyperfleet.md");

/// The blocks of a language below a heading.
fn blocks<'a>(heading: &str, language: &str) -> Vec<&'a str> {
    let (_, rest) = GUIDE.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let fence = format!("```{language}\n");
    section.split(fence.as_str()).skip(1).map(|block| block.split("\n```").next().unwrap()).collect()
}

/// Runs the blocks that use curl, against a server, in one shell that stops at the first failure; what they print.
fn run(blocks: &[&str], server: &Server) -> String {
    let asking: Vec<&str> = blocks.iter().copied().filter(|block| block.contains("curl")).collect();
    assert!(!asking.is_empty());
    let ports = server.ports();
    let script = asking
        .join("\n")
        .replace("localhost:8000", &format!("127.0.0.1:{}", ports.api))
        .replace("localhost:8083", &format!("127.0.0.1:{}", ports.health))
        .replace("localhost:8080", &format!("127.0.0.1:{}", ports.metrics))
        // What the API refuses is a failure, too.
        .replace("curl -s", "curl -sS --fail-with-body");
    let output = Command::new("bash").args(["-eu", "-o", "pipefail", "-c", &script]).output().unwrap();
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}\n{said}\n{complained}");
    said.into_owned()
}

#[test]
fn the_first_steps_work_on_both_databases() {
    for (_, database) in Database::ALL {
        let server = Server::start(database, &[]).unwrap();
        let said = run(&blocks("Try it", "sh"), &server);
        for shown in blocks("Try it", "text") {
            assert!(said.contains(shown), "{shown} is not in {said}");
        }
    }
}

#[test]
fn every_other_command_is_answered() {
    let server = Server::start(Database::Sqlite, &[]).unwrap();
    let mut script = blocks("Try it", "sh");
    for heading in ["Lists and searches", "Deletion", "Errors", "Look after it"] {
        script.extend(blocks(heading, "sh"));
    }
    run(&script, &server);
}
