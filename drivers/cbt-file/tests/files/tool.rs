//! The tools of other worlds.

use std::{ffi::OsStr, process::Command};

/// Runs a tool to its good end, and gives what it said.
pub(crate) fn run<A: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = A>) -> String {
    let mut command = Command::new(program);
    let output = command.args(args).output().unwrap_or_else(|error| panic!("{program} cannot be run: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {stderr}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
