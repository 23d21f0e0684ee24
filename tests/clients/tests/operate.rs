//! What an operator does with a database while it is served.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::{Command, Output};

use kit::{Outrigger, examples};

/// The binary, run to its end.
fn run(arguments: &[&str]) -> Output {
    Command::new(kit::binary().unwrap()).args(arguments).output().unwrap()
}

fn ok(arguments: &[&str]) -> String {
    let output = run(arguments);
    let (said, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {complaint}");
    said.into_owned()
}

fn fails(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_served_database_can_be_asked_checked_and_copied_but_not_served_twice() {
    let outrigger = Outrigger::standalone(&[], &[]).unwrap();
    outrigger.kubectl().unwrap().ok(&["create", "-f", text(&examples::path("tests/examples/fleet"))]).unwrap();
    let data = outrigger.folder().join("data");
    let names = "SELECT name FROM bundledeployments ORDER BY name";
    let expected = "name\nguestbook-manifests\ningress-nginx-helmop\nplatform-monitoring\n";

    assert_eq!(ok(&["sql", "--data-dir", text(&data), names]), expected);
    assert!(ok(&["check", "--data-dir", text(&data)]).contains("is sound"));
    let complaint = fails(&["sql", "--data-dir", text(&data), "DELETE FROM objects"]);
    assert!(complaint.contains("readonly"), "{complaint}");

    let copy = outrigger.folder().join("copy.db");
    ok(&["backup", "--data-dir", text(&data), text(&copy)]);
    assert_eq!(ok(&["sql", "--db", &format!("sqlite:{}", copy.display()), names]), expected);
    let complaint = fails(&["backup", "--data-dir", text(&data), text(&copy)]);
    assert!(complaint.contains("exists"), "{complaint}");

    let complaint = fails(&["--data-dir", text(&data), "--secure-port", "0"]);
    assert!(complaint.contains("one process at a time") && complaint.contains("--db"), "{complaint}");
}
