//! A fake: its process, the port that it serves its API on, and the hand that makes it fail.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    path::PathBuf,
    process::Command,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use kit::{Pair, Process, Python, Scratch};
use proto::node::suite::{Calls, Fault};
use serde_json::{Value, json};

/// A running provider; it ends when dropped.
#[derive(Debug)]
pub struct Fake {
    process: Process,
    hand: Mutex<BufReader<TcpStream>>,
    port: u16,
    _scratch: Scratch,
}

// === impl Fake ===

impl Fake {
    /// Starts `python/NAME.py` with more arguments, over TLS if there is a certificate for it, and waits for its ports.
    pub fn start(name: &str, tls: Option<&Pair>, more: &[&str]) -> Result<Self> {
        let scratch = Scratch::new(name)?;
        let ports = scratch.file("ports");
        let mut args = vec![script(name).display().to_string(), "--ports".to_owned(), ports.display().to_string()];
        if let Some(Pair { cert, key }) = tls {
            let (cert, key) = (scratch.write("tls.crt", cert)?, scratch.write("tls.key", key)?);
            args.extend([
                "--cert".to_owned(),
                cert.display().to_string(),
                "--key".to_owned(),
                key.display().to_string(),
            ]);
        }
        args.extend(more.iter().map(|&arg| arg.to_owned()));
        let mut process = Process::spawn(name, &Python::find()?.python(), &args, &scratch.file("log"))?;
        let deadline = kit::deadline(kit::PATIENCE);
        while !ports.exists() {
            process.ensure_running()?;
            ensure!(kit::deadline(Duration::ZERO) < deadline, "{name} does not come up:\n{}", process.tail());
            std::thread::sleep(Duration::from_millis(20));
        }
        let ports: Value = serde_json::from_slice(&fs::read(&ports).context("reading the ports")?)?;
        let [port, hand] = ["api", "hand"].map(|name| ports[name].as_u64().and_then(|port| u16::try_from(port).ok()));
        let (port, hand) = (port.context("an API port")?, hand.context("a port for the hand")?);
        let hand = TcpStream::connect(("127.0.0.1", hand)).context("taking the hand")?;
        Ok(Self { process, hand: Mutex::new(BufReader::new(hand)), port, _scratch: scratch })
    }

    /// The port of its API, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Lets the hand do something: a `do_…` of the script, with its arguments as an object.
    pub fn tell(&self, what: &str, mut arguments: Value) -> Result<Value> {
        arguments["do"] = what.into();
        let mut hand = self.hand.lock().unwrap_or_else(PoisonError::into_inner);
        hand.get_mut().write_all(format!("{arguments}\n").as_bytes()).context("telling the hand")?;
        let mut line = String::new();
        hand.read_line(&mut line).context("hearing the hand")?;
        let answer: Value = serde_json::from_str(&line).with_context(|| self.process.tail())?;
        answer.get("ok").cloned().with_context(|| format!("{what}: {answer}"))
    }

    /// Fails so from now on; `None` is well again.
    ///
    /// # Panics
    /// If the fake is gone.
    pub fn fail(&self, fault: Option<Fault>) {
        let kind = fault.map(|fault| format!("{fault:?}"));
        self.tell("fault", json!({ "kind": kind })).expect("the fake is there");
    }

    /// The calls that change something.
    ///
    /// # Panics
    /// If the fake is gone.
    #[must_use]
    pub fn calls(&self) -> Calls {
        let calls = self.tell("calls", json!({})).expect("the fake is there");
        let count = |name: &str| calls[name].as_u64().and_then(|count| usize::try_from(count).ok());
        Calls {
            received: count("received").expect("the fake counts"),
            accepted: count("accepted").expect("the fake counts"),
        }
    }
}

/// Drives a fake with the provider's own SDK; the script says what is wrong.
pub fn check(name: &str) -> Result<()> {
    let script = script(&format!("check_{name}"));
    let output = Command::new(Python::find()?.python()).arg(&script).output().context("starting Python")?;
    if !output.status.success() {
        bail!("{}:\n{}", script.display(), String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("python").join(format!("{name}.py"))
}
