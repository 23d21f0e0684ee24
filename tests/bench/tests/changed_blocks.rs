//! The benchmarks for changed blocks as they are run, in little.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

#[test]
#[ignore = "heavy: a cluster, and some million entries every way there is"]
fn every_measure_says_something() {
    let output = Command::new(env!("CARGO_BIN_EXE_bench")).args(["cbt", "--quick"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = String::from_utf8(output.stdout).unwrap();
    let sections: Vec<&str> = report.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let expected = [
        "Streams of 262144 entries, 256 in a message",
        "Streams of 262144 entries, 1024 in a message",
        "Streams of 262144 entries, 16384 in a message",
        "Streams of 4 entries, 1 at a time",
        "Streams of 4 entries, 8 at a time",
        "Pages of 256 entries, of 262144",
        "Pages of 4096 entries, of 262144",
        "Pages of 65536 entries, of 262144",
        "262144 entries in one answer, a line each",
    ];
    assert_eq!(sections, expected);
    for (heading, columns) in [("million entries/s", "straight"), ("start: page, p50 ms", "aggregated")] {
        assert!(report.contains(&format!("| {heading} ")) && report.contains(&format!(" {columns} |")), "{report}");
    }
}
