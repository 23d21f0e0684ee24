//! Requests that schemathesis makes up from our own OpenAPI document: no server error, and no answer that it does not name.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::time::Duration;

use hyperfleet_tests::server::{Database, Server};
use kit::{Process, Python};

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,unsupported_method";

/// Runs it against a new server, and returns what it says when it finds something.
fn schemathesis(database: Database, flags: &[&str]) -> Result<(), String> {
    let mut server = Server::start(database, &[]).unwrap();
    let python = Python::find().unwrap();
    let mut args = vec!["-C".to_owned(), server.file("").display().to_string()];
    args.push(python.bin("schemathesis").display().to_string());
    args.extend(["run".to_owned(), format!("http://{}/openapi", server.target().authority)]);
    // One worker: with more, CPython 3.11 trips over its own parser now and then.
    args.extend(
        ["--workers=1", "--checks", CHECKS, "--no-color", "--generation-deterministic", "--warnings=off"]
            .map(str::to_owned),
    );
    args.extend(flags.iter().map(|&flag| flag.to_owned()));
    let mut process =
        Process::spawn("schemathesis", Path::new("env"), &args, &server.file("schemathesis.log")).unwrap();
    let status = process.wait(Duration::from_secs(900)).unwrap();
    server.process().ensure_running().unwrap();
    assert!(!server.log().contains("panicked"), "{}", server.log());
    let said = process.output();
    if !status.success() {
        return Err(said);
    }
    // Of a document that says nothing nothing can be wrong.
    let generated = said.lines().find_map(|line| line.trim().split_once(" generated")?.0.parse::<u32>().ok());
    assert!(generated.is_some_and(|generated| generated > 200), "{said}");
    Ok(())
}

#[test]
fn no_request_of_a_few_is_answered_otherwise_than_documented() {
    let flags = ["--phases=examples,coverage,fuzzing", "--max-examples=10"];
    schemathesis(Database::Sqlite, &flags).unwrap_or_else(|found| panic!("{found}"));
}

#[test]
#[ignore = "thousands of requests, for minutes"]
fn no_request_of_thousands_is_answered_otherwise_than_documented() {
    for database in [Database::Sqlite, Database::Postgres] {
        schemathesis(database, &["--max-time=120"]).unwrap_or_else(|found| panic!("{found}"));
    }
}
