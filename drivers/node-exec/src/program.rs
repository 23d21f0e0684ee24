//! A program that is run once for each call.

use std::{
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use proto::node::{Error, Result};
use runtime::{Tasks, telemetry::parent_headers};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    time::timeout,
};
use tracing::Span;

use crate::protocol::{self, Request};

/// The largest answer that is read.
const LARGEST: u64 = 1 << 20;

/// The program's exit status for a refusal.
const REFUSED: i32 = 2;

/// The program. A clone is as good.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) limit: Duration,
    pub(crate) tasks: Tasks,
}

/// A running program; dropping it kills its process group.
struct Running {
    child: Child,
    group: Option<Pid>,
}

// === impl Program ===

impl Program {
    /// For errors.
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Runs it once and answers what it wrote. It runs on if nobody waits for the answer any more: a program that is
    /// killed half-way may leave a machine switched off.
    pub(crate) async fn ask(&self, request: &Request<'_>) -> Result<Vec<u8>> {
        let (program, request) = (self.clone(), request.bytes());
        let ended = self.tasks.spawn("program", async move { program.run(&request).await }).await;
        ended.unwrap_or_else(|error| Err(Error::Ambiguous(format!("waiting for {}: {error}", self.name()))))
    }

    async fn run(&self, request: &[u8]) -> Result<Vec<u8>> {
        let name = self.name();
        let mut running = self.start().map_err(|error| Error::Unreachable(format!("starting {name}: {error}")))?;
        let ended = match timeout(self.limit, running.converse(request)).await {
            Ok(ended) => ended,
            Err(_) => {
                let text = format!("{name} did not end within {:?} and was killed", self.limit);
                return Err(Error::Ambiguous(text));
            }
        };
        let (status, answer) = ended.map_err(|error| Error::Ambiguous(format!("waiting for {name}: {error}")))?;
        running.group = None;
        self.judge(status, answer)
    }

    fn judge(&self, status: ExitStatus, answer: Vec<u8>) -> Result<Vec<u8>> {
        let name = self.name();
        match status.code() {
            Some(0) if answer.len() as u64 > LARGEST => {
                Err(Error::Ambiguous(format!("{name}: the answer has more than {LARGEST} bytes")))
            }
            Some(0) => Ok(answer),
            Some(REFUSED) => Err(protocol::refusal(&name, &answer)
                .unwrap_or_else(|| Error::Unsupported(format!("{name} refused ({status}) and did not say why")))),
            _ => Err(Error::Ambiguous(format!("{name} failed: {status}"))),
        }
    }

    fn start(&self) -> std::io::Result<Running> {
        let mut command = Command::new(&self.path);
        for (name, value) in &parent_headers(&Span::current()) {
            if let Ok(value) = value.to_str() {
                command.env(name.as_str().to_uppercase(), value);
            }
        }
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).kill_on_drop(true).spawn()?;
        let group = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        Ok(Running { child, group })
    }
}

// === impl Running ===

impl Running {
    async fn converse(&mut self, request: &[u8]) -> std::io::Result<(ExitStatus, Vec<u8>)> {
        let (mut stdin, stdout) = (self.child.stdin.take(), self.child.stdout.take());
        let send = async {
            if let Some(stdin) = &mut stdin {
                // Who does not read its request may be right not to.
                let _ = stdin.write_all(request).await;
            }
            drop(stdin);
        };
        let receive = async {
            let mut answer = Vec::new();
            if let Some(stdout) = stdout {
                stdout.take(LARGEST + 1).read_to_end(&mut answer).await?;
            }
            Ok::<_, std::io::Error>(answer)
        };
        let ((), answer) = tokio::join!(send, receive);
        Ok((self.child.wait().await?, answer?))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            // It may be gone already.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
