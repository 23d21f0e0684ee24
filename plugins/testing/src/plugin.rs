//! A plugin as its users run it. What keeps it from running at all fails the test at once.

use std::{
    path::Path,
    process::{self, Command},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kit::{Output, Process, Scratch};
use serde_json::{Value, json};

use crate::Https;

/// The plugin, with a kubeconfig for a server.
#[derive(Debug)]
pub struct Plugin {
    /// Its home.
    pub scratch: Scratch,
    /// What is written for it; the context is `x`, of the cluster `c` and the user `u`.
    pub kubeconfig: Value,
    program: String,
    env: Vec<(String, String)>,
}

// === impl Plugin ===

impl Plugin {
    /// A program for a server, as the owner of the token `sesame`.
    #[must_use]
    pub fn new(program: &str, server: &Https) -> Self {
        let ca = STANDARD.encode(server.authority().cert());
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{
                "name": "c",
                "cluster": { "server": format!("https://{}", server.address()), "certificate-authority-data": ca },
            }],
            "users": [{ "name": "u", "user": { "token": "sesame" } }],
            "contexts": [{ "name": "x", "context": { "cluster": "c", "user": "u" } }],
            "current-context": "x",
        });
        let scratch = Scratch::new("plugin").expect("a folder");
        Self { scratch, kubeconfig, program: program.to_owned(), env: Vec::new() }
    }

    /// As somebody else.
    #[must_use]
    pub fn user(mut self, user: Value) -> Self {
        self.kubeconfig["users"][0]["user"] = user;
        self
    }

    /// With another fact about the cluster.
    #[must_use]
    pub fn cluster(mut self, field: &str, value: &str) -> Self {
        self.kubeconfig["clusters"][0]["cluster"][field] = value.into();
        self
    }

    /// With an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes the kubeconfig; its path.
    #[must_use]
    pub fn written(&self) -> String {
        let path = self.scratch.write("config", self.kubeconfig.to_string()).expect("a file");
        path.display().to_string()
    }

    /// Runs it to its end.
    pub fn run(&self, line: &str) -> Output {
        self.run_at(line, &self.written())
    }

    /// The same with other files in KUBECONFIG.
    pub fn run_at(&self, line: &str, kubeconfig: &str) -> Output {
        let mut command = Command::new(&self.program);
        self.finish(command.args(line.split_whitespace()), kubeconfig)
    }

    /// Runs a line of `sh` in which `$0` is the program.
    pub fn shell(&self, line: &str) -> Output {
        let mut command = Command::new("sh");
        self.finish(command.args(["-c", line, &self.program]), &self.written())
    }

    /// Runs it on a terminal of 100 columns, and gives what is seen there.
    pub fn on_terminal(&self, line: &str) -> Output {
        let command = format!("stty cols 100; '{}' {line}", self.program);
        // script gives its child a terminal, and writes what comes there to its own output.
        let mut script = Command::new("script");
        script.args(["-qec", &command, "/dev/null"]);
        self.finish(&mut script, &self.written())
    }

    /// Starts it, to be sent signals.
    pub fn spawn(&self, line: &str) -> Process {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let env = [("KUBECONFIG", &*self.written())];
        Process::spawn_with("the plugin", Path::new(&self.program), &args, &env, &self.scratch.file("log"))
            .expect("a process")
    }

    fn finish(&self, command: &mut Command, kubeconfig: &str) -> Output {
        let path = std::env::var_os("PATH").expect("a PATH");
        command.env_clear().env("PATH", path).env("TERM", "xterm").env("HOME", self.scratch.path());
        command.env("KUBECONFIG", kubeconfig).current_dir(self.scratch.path());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        let process::Output { status, stdout, stderr } = command.output().expect("a process");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Output { code: status.code().unwrap_or(-1), stdout: text(stdout), stderr: text(stderr) }
    }
}
