//! The benchmarks for tokens as they are run, in little.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

#[test]
#[ignore = "heavy: a cluster, and seconds of load on it"]
fn every_measure_says_something() {
    let output = Command::new(env!("CARGO_BIN_EXE_bench")).args(["tokens", "--quick"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = String::from_utf8(output.stdout).unwrap();
    let sections: Vec<&str> = report.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(sections.len(), 3, "{report}");
    assert_eq!(report.lines().filter(|line| line.starts_with("| answers/s ")).count(), 3, "{report}");
}
