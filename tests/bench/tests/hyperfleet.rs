//! The benchmarks of HyperFleet's API as they are run, in little.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

#[test]
#[ignore = "heavy: four servers, each asked everything"]
fn every_measure_says_something_of_every_target() {
    let output = Command::new(env!("CARGO_BIN_EXE_bench")).args(["hyperfleet", "--quick"]).output().unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}\n{report}", String::from_utf8_lossy(&output.stderr));
    let sections: Vec<&str> = report.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let expected = [
        "Get a cluster",
        "List 20, each page in its turn",
        "List 100, each page in its turn",
        "Search by name",
        "Search by label, 20 of one in a hundred",
        "Post a status",
        "Post a cluster",
    ];
    assert_eq!(sections, expected);
    let rates: Vec<&str> = report.lines().filter(|line| line.starts_with("| requests/s ")).collect();
    assert_eq!(rates.len(), 2 * expected.len());
    assert!(rates.iter().all(|row| !row.contains("| – ") && row.matches('|').count() == 9), "{report}");
}
