//! kubectl, with a kubeconfig and a cache of its own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::{Process, Scratch};

/// kubectl for one server.
#[derive(Debug)]
pub struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    scratch: Scratch,
}

/// What a command printed and how it ended.
#[derive(Clone, Debug)]
pub struct Output {
    /// The exit code; -1 after a signal.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

// === impl Kubectl ===

impl Kubectl {
    /// kubectl that uses `kubeconfig`, with an empty discovery cache.
    pub fn new(program: &Path, kubeconfig: &Path) -> Result<Self> {
        let (program, kubeconfig) = (program.to_owned(), kubeconfig.to_owned());
        Ok(Self { program, kubeconfig, scratch: Scratch::new("kubectl")? })
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Result<Output> {
        self.run_with(args, &[], "")
    }

    /// Runs a command that must succeed, and returns what it printed.
    pub fn ok(&self, args: &[&str]) -> Result<String> {
        self.run(args)?.success().with_context(|| format!("kubectl {}", args.join(" ")))
    }

    /// Runs a command that must succeed with a document on its standard input.
    pub fn pipe(&self, args: &[&str], input: &str) -> Result<String> {
        self.run_with(args, &[], input)?.success().with_context(|| format!("kubectl {}", args.join(" ")))
    }

    /// Runs a command with environment variables and standard input.
    pub fn run_with(&self, args: &[&str], env: &[(&str, &str)], input: &str) -> Result<Output> {
        let mut child = Command::new(&self.program)
            .args(self.common())
            .args(args)
            .env("HOME", self.scratch.path())
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting kubectl")?;
        let mut stdin = child.stdin.take().context("kubectl has a standard input")?;
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().context("waiting for kubectl")?;
        Ok(Output {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Starts a command that runs until it is dropped, such as `get -w`; `name` names its log.
    pub fn spawn(&self, name: &str, args: &[&str]) -> Result<Process> {
        let args: Vec<String> =
            self.common().into_iter().chain(args.iter().map(|&argument| argument.to_owned())).collect();
        let home = self.scratch.path().display().to_string();
        Process::spawn_with("kubectl", &self.program, &args, &[("HOME", &home)], &self.scratch.file(name))
    }

    /// Forgets what it knows of the server's API.
    pub fn forget(&self) {
        let _ = std::fs::remove_dir_all(self.scratch.file("cache"));
    }

    /// Writes a file for a command and returns its path.
    pub fn file(&self, name: &str, content: &str) -> Result<String> {
        Ok(self.scratch.write(name, content)?.display().to_string())
    }

    fn common(&self) -> [String; 2] {
        let cache = self.scratch.file("cache");
        [format!("--kubeconfig={}", self.kubeconfig.display()), format!("--cache-dir={}", cache.display())]
    }
}

// === impl Output ===

impl Output {
    /// Standard output, if the command succeeded.
    pub fn success(self) -> Result<String> {
        ensure!(self.code == 0, "exit code {}\n{}{}", self.code, self.stdout, self.stderr);
        Ok(self.stdout)
    }
}
