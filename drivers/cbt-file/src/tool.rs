//! A program that answers on its standard output, and ends.

use std::{
    ffi::OsStr,
    fs,
    io::{self, BufReader},
    os::unix::fs::FileExt,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

use proto::cbt::{Error, Result};

use crate::{cancel::Cancel, patient::Patient};

/// How long a tool may say nothing.
const PATIENCE: Duration = Duration::from_secs(120);
/// How much of what it complains about is passed on, in bytes.
const COMPLAINT: usize = 512;

/// A running tool; it is killed when this is dropped.
pub(crate) struct Tool {
    name: &'static str,
    child: Child,
    complaints: fs::File,
    cancel: Cancel,
}

/// What a tool says.
pub(crate) type Output = BufReader<Patient<ChildStdout>>;

// === impl Tool ===

impl Tool {
    /// Starts a tool of a Debian package.
    pub(crate) fn start<A: AsRef<OsStr>>(
        (name, package): (&'static str, &str),
        args: impl IntoIterator<Item = A>,
        cancel: &Cancel,
    ) -> Result<(Self, Output)> {
        let cannot = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Error::Unavailable(format!("{name} is not installed: install {package}")),
            _ => Error::Unavailable(format!("{name} cannot be started: {error}")),
        };
        let complaints = tempfile::tempfile().map_err(cannot)?;
        let stderr = complaints.try_clone().map_err(cannot)?;
        let mut command = Command::new(name);
        command.args(args).env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        let mut child = command.spawn().map_err(cannot)?;
        let stdout = child.stdout.take().expect("its output is a pipe");
        let output = BufReader::with_capacity(64 << 10, Patient::new(stdout, cancel, PATIENCE));
        Ok((Self { name, child, complaints, cancel: cancel.clone() }, output))
    }

    /// Waits for the end of a tool that has said everything; it must be a good one.
    pub(crate) fn finish(mut self) -> Result<()> {
        loop {
            let waited = self.child.try_wait().map_err(|error| self.fault(&error.to_string()))?;
            match waited {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(self.fault(&format!("{status}: {}", complaint(&self.complaints)))),
                None => self.cancel.check()?,
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// What is wrong with what it said. If it did not end well, that is why.
    pub(crate) fn misread(mut self, what: &str) -> Error {
        if let Err(error) = self.cancel.check() {
            return error;
        }
        match self.child.try_wait() {
            Ok(Some(status)) if !status.success() => self.fault(&format!("{status}: {}", complaint(&self.complaints))),
            _ => self.fault(&format!("what it says cannot be read: {what}")),
        }
    }

    fn fault(&self, what: &str) -> Error {
        Error::Unavailable(format!("{}: {what}", self.name))
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The beginning of what a tool wrote to its standard error, on one line.
pub(crate) fn complaint(written: &fs::File) -> String {
    let mut buffer = [0; COMPLAINT];
    let length = written.read_at(&mut buffer, 0).unwrap_or(0);
    let text = String::from_utf8_lossy(&buffer[..length]);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Read as _;

    use super::*;

    const SHELL: (&str, &str) = ("sh", "dash");

    fn read(script: &str, cancel: &Cancel) -> Result<String> {
        let (tool, mut output) = Tool::start(SHELL, ["-c", script], cancel)?;
        let mut said = String::new();
        output.read_to_string(&mut said).map_err(|error| tool.fault(&error.to_string()))?;
        tool.finish().map(|()| said)
    }

    #[test]
    fn what_it_says_counts_only_if_it_ends_well() {
        assert_eq!(read("echo said", &Cancel::default()).unwrap(), "said\n");
        let failed = read("echo said; echo no such  device >&2; exit 3", &Cancel::default()).unwrap_err();
        assert!(failed.to_string().contains("exit status: 3: no such device"), "{failed}");
    }

    #[test]
    fn one_that_is_not_installed_is_said_with_its_package() {
        let missing = Tool::start(("no-such-tool", "its-package"), ["x"], &Cancel::default()).err().unwrap();
        assert!(missing.to_string().contains("install its-package"), "{missing}");
    }

    #[test]
    fn it_ends_when_nobody_waits_though_it_says_nothing() {
        let cancel = Cancel::default();
        let guard = cancel.guard();
        let (tool, mut output) = Tool::start(SHELL, ["-c", "exec sleep 600"], &cancel).unwrap();
        let process = std::path::PathBuf::from(format!("/proc/{}", tool.child.id()));
        assert!(process.exists());
        let reader = thread::spawn(move || {
            let read = output.read(&mut [0]);
            drop(tool);
            read
        });
        drop(guard);
        reader.join().unwrap().unwrap_err();
        assert!(!process.exists());
    }
}
