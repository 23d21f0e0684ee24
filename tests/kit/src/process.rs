//! A child process that cannot outlive the test process, without any unsafe code.
//!
//! ```text
//! test ──stdin──▶ sh: (read; kill us, if we are still the same process) &  exec PROGRAM
//! ```
//! The shell becomes the program, so its id is the program's; the subshell it leaves behind blocks on a pipe that only the
//! test holds open. When the test is gone, the pipe ends and the program is killed. The start time guards against a
//! process id that was used again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

const WATCHER: &str = r#"
signal=$1; shift
exec 3<&0
born=$(cut -d' ' -f22 /proc/$$/stat)
( read -r _; [ "$(cut -d' ' -f22 /proc/$$/stat)" = "$born" ] && kill -"$signal" $$ ) <&3 >/dev/null 2>&1 &
exec "$@" </dev/null 3<&-
"#;

/// A running program, its output in a log file.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

// === impl Process ===

impl Process {
    /// Starts a program with its output appended to `log`.
    pub fn spawn(name: &str, program: &Path, args: &[String], log: &Path) -> Result<Self> {
        Self::spawn_with(name, program, args, &[], log)
    }

    /// As [`Process::spawn`], with additional environment variables.
    pub fn spawn_with(name: &str, program: &Path, args: &[String], env: &[(&str, &str)], log: &Path) -> Result<Self> {
        Self::spawn_ended_by("KILL", name, program, args, env, log)
    }

    /// As [`Process::spawn_with`], with the signal by which it ends when the test process has gone.
    pub(crate) fn spawn_ended_by(
        signal: &str,
        name: &str,
        program: &Path,
        args: &[String],
        env: &[(&str, &str)],
        log: &Path,
    ) -> Result<Self> {
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("opening the log {}", log.display()))?;
        let child = Command::new("sh")
            .args(["-c", WATCHER, "watcher", signal])
            .arg(program)
            .args(args)
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(output.try_clone().context("sharing the log")?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("starting {name} ({})", program.display()))?;
        Ok(Self { name: name.to_owned(), child, log: log.to_owned() })
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything it wrote so far.
    #[must_use]
    pub fn output(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Fails, with the end of the log, if it has ended.
    pub fn ensure_running(&mut self) -> Result<()> {
        match self.child.try_wait().context("asking for a child's state")? {
            None => Ok(()),
            Some(status) => bail!("{} ended with {status}; its log ends:\n{}", self.name, self.tail()),
        }
    }

    /// The last lines of the log.
    #[must_use]
    pub fn tail(&self) -> String {
        let output = self.output();
        let lines: Vec<&str> = output.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill().context("killing a child")?;
        self.child.wait().context("waiting for a killed child")?;
        Ok(())
    }

    /// Sends a signal by name, as `kill -NAME` does.
    pub fn signal(&self, name: &str) -> Result<()> {
        let status = Command::new("sh")
            .args(["-c", r#"kill -"$1" "$2""#, "kill", name, &self.id().to_string()])
            .status()
            .context("sending a signal")?;
        anyhow::ensure!(status.success(), "kill -{name} {} failed: {status}", self.name);
        Ok(())
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self, patience: Duration) -> Result<ExitStatus> {
        let deadline = crate::deadline(patience);
        loop {
            if let Some(status) = self.child.try_wait().context("asking for a child's state")? {
                return Ok(status);
            }
            if crate::deadline(Duration::ZERO) > deadline {
                bail!("{} did not end within {patience:?}; its log ends:\n{}", self.name, self.tail());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::Scratch;

    fn sleeper(scratch: &Scratch) -> Process {
        let args = ["-c".to_owned(), "echo started; exec sleep 600".to_owned()];
        Process::spawn("sleeper", Path::new("sh"), &args, &scratch.file("log")).unwrap()
    }

    #[test]
    fn the_id_is_the_programs_own_and_dropping_ends_it() {
        let scratch = Scratch::new("process").unwrap();
        let mut process = sleeper(&scratch);
        crate::eventually!(process.output().contains("started"), "the program runs");
        process.ensure_running().unwrap();
        let proc = PathBuf::from(format!("/proc/{}", process.id()));
        assert!(proc.exists());
        drop(process);
        assert!(!proc.exists());
    }

    #[test]
    fn the_end_of_the_parent_ends_it() {
        let scratch = Scratch::new("process").unwrap();
        let mut process = sleeper(&scratch);
        crate::eventually!(process.output().contains("started"), "the program runs");
        drop(process.child.stdin.take());
        let status = process.wait(Duration::from_secs(10)).unwrap();
        assert!(!status.success());
    }

    #[test]
    fn an_early_end_is_reported_with_the_log() {
        let scratch = Scratch::new("process").unwrap();
        let args = ["-c".to_owned(), "echo no such flag; exit 3".to_owned()];
        let mut process = Process::spawn("bad", Path::new("sh"), &args, &scratch.file("log")).unwrap();
        process.wait(Duration::from_secs(10)).unwrap();
        let error = process.ensure_running().unwrap_err().to_string();
        assert!(error.contains("exit status: 3") && error.contains("no such flag"), "{error}");
    }
}
