//! A driver's binary, as it is run beside the data plane: on a Unix socket, with an environment of its own.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result, ensure};
use kit::{Process, Scratch};
use proto::node::client::Client;
use runtime::{Tasks, args::PeerTlsArgs, grpc::Channel};

/// A running driver; it ends when dropped.
#[derive(Debug)]
pub struct Driver {
    process: Process,
    address: String,
    _scratch: Scratch,
}

// === impl Driver ===

impl Driver {
    /// Starts the binary with flags and environment variables, and waits for its socket.
    pub fn start(binary: &str, flags: &[&str], env: &[(&str, &str)]) -> Result<Self> {
        let scratch = Scratch::new("driver")?;
        let socket = scratch.file("driver.sock");
        let address = format!("unix://{}", socket.display());
        let mut args: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        args.extend(["--listen", &address, "--debug", "--log-format", "json"].map(str::to_owned));
        let mut process = Process::spawn_with("driver", Path::new(binary), &args, env, &scratch.file("log"))?;
        let deadline = kit::deadline(kit::PATIENCE);
        while !socket.exists() {
            process.ensure_running()?;
            ensure!(kit::deadline(Duration::ZERO) < deadline, "the driver does not listen:\n{}", process.tail());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { process, address, _scratch: scratch })
    }

    /// The seam, over gRPC.
    pub fn client(&self) -> Result<Client<Channel>> {
        let tasks = Tasks::new(runtime::Shutdown::new());
        let channel = runtime::grpc::connect(&self.address, &PeerTlsArgs::default(), &tasks);
        Ok(Client::new(channel.context("connecting to the driver")?))
    }

    /// What it logged.
    #[must_use]
    pub fn output(&self) -> String {
        self.process.output()
    }
}
