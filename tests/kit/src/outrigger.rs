//! The `outrigger` binary as its users start it: alone, behind a cluster, or split in two processes.
//!
//! It listens on a port of its own choice and says which it `serves on`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use kube::config::Kubeconfig;

use crate::{
    Authority, Client, Cluster, Identity, Kubectl, Pair, Peers, Process, Registration, Scratch, cluster::block_on,
    eventually, kubeconfig,
};

/// A running Outrigger.
#[derive(Debug)]
pub struct Outrigger {
    process: Process,
    flags: Vec<String>,
    env: Vec<(String, String)>,
    port: u16,
    ca: String,
    kubeconfig: PathBuf,
    scratch: Scratch,
}

/// The two halves of a split deployment.
#[derive(Debug)]
pub struct Split {
    /// `outrigger apiserver`.
    pub apiserver: Outrigger,
    /// `outrigger storage`.
    pub storage: Process,
}

/// The binary that the tests run: `OUTRIGGER_BIN`, else the one beside this test's own target folder.
pub fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("OUTRIGGER_BIN") {
        return Ok(PathBuf::from(path));
    }
    let test = std::env::current_exe().context("finding the test's own binary")?;
    // target/PROFILE/deps/TEST, or target/PROFILE/PROGRAM
    let beside = test.ancestors().skip(1).take(2).map(|folder| folder.join("outrigger"));
    beside.into_iter().find(|path| path.is_file()).with_context(|| {
        format!("no outrigger beside {}: run `cargo build`, or the tests by `cargo xtask test`", test.display())
    })
}

/// Another program of ours, built into the same folder.
pub fn program(name: &str) -> Result<PathBuf> {
    let path = binary()?.with_file_name(name);
    anyhow::ensure!(path.is_file(), "{} is missing: run the tests by `cargo xtask test`", path.display());
    Ok(path)
}

// === impl Outrigger ===

impl Outrigger {
    /// Everything in one process, without a cluster: `kubectl` uses the administrator's certificate it makes.
    pub fn standalone(crds: &[&Path], more: &[&str]) -> Result<Self> {
        Self::standalone_with(crds, more, &[])
    }

    /// As [`Outrigger::standalone`], with additional environment variables.
    pub fn standalone_with(crds: &[&Path], more: &[&str], env: &[(&str, &str)]) -> Result<Self> {
        let scratch = Scratch::new("standalone")?;
        let data = scratch.file("data");
        let mut flags = vec![format!("--data-dir={}", data.display()), "--secure-port=0".to_owned()];
        flags.extend(crds.iter().map(|path| format!("--crds={}", path.display())));
        flags.extend(more.iter().map(|&flag| flag.to_owned()));
        let env = owned(env);
        let (process, port) = start(&scratch, &flags, &env, 0)?;
        let kubeconfig = data.join("admin.kubeconfig");
        eventually!(kubeconfig.exists(), "{} is written", kubeconfig.display());
        let ca = authority_of(&kubeconfig)?;
        let outrigger = Self { process, flags, env, port, ca, kubeconfig, scratch };
        outrigger.await_ready()?;
        Ok(outrigger)
    }

    /// Everything in one process behind a cluster: identities come from the aggregator, TokenReview and certificates.
    pub fn behind(cluster: &Cluster, crds: &[&Path], more: &[&str]) -> Result<Self> {
        let scratch = Scratch::new("outrigger")?;
        let mut flags = vec![format!("--data-dir={}", scratch.file("data").display())];
        flags.extend(crds.iter().map(|path| format!("--crds={}", path.display())));
        flags.extend(more.iter().map(|&flag| flag.to_owned()));
        Self::serve_for(cluster, scratch, flags, &[])
    }

    /// As [`Outrigger::behind`], with a serving certificate of an authority that is known before.
    pub fn behind_as(cluster: &Cluster, authority: &Authority, more: &[&str], env: &[(&str, &str)]) -> Result<Self> {
        let scratch = Scratch::new("outrigger")?;
        let mut flags = vec![format!("--data-dir={}", scratch.file("data").display())];
        flags.extend(more.iter().map(|&flag| flag.to_owned()));
        Self::serve_as(cluster, scratch, flags, env, authority)
    }

    /// Two processes behind a cluster, gRPC over a Unix socket between them.
    pub fn split(cluster: &Cluster, crds: &[&Path], more: &[&str]) -> Result<Split> {
        Self::split_with(cluster, crds, more, &[])
    }

    /// As [`Outrigger::split`], with additional environment variables for both processes.
    pub fn split_with(cluster: &Cluster, crds: &[&Path], more: &[&str], env: &[(&str, &str)]) -> Result<Split> {
        let scratch = Scratch::new("outrigger-split")?;
        let socket = format!("unix://{}", scratch.file("store.sock").display());
        let storage = [
            "storage".to_owned(),
            format!(
                "--db={}",
                database().unwrap_or_else(|| format!("sqlite:{}", scratch.file("storage.db").display()))
            ),
            format!("--listen={socket}"),
        ];
        let storage =
            Process::spawn_with("outrigger storage", &binary()?, &storage, env, &scratch.file("storage.log"))?;
        let mut flags = vec!["apiserver".to_owned(), format!("--store={socket}")];
        flags.extend(crds.iter().map(|path| format!("--crds={}", path.display())));
        flags.extend(more.iter().map(|&flag| flag.to_owned()));
        Ok(Split { apiserver: Self::serve_for(cluster, scratch, flags, env)?, storage })
    }

    fn serve_for(cluster: &Cluster, scratch: Scratch, flags: Vec<String>, env: &[(&str, &str)]) -> Result<Self> {
        Self::serve_as(cluster, scratch, flags, env, &Authority::new("outrigger-ca")?)
    }

    fn serve_as(
        cluster: &Cluster,
        scratch: Scratch,
        mut flags: Vec<String>,
        env: &[(&str, &str)],
        authority: &Authority,
    ) -> Result<Self> {
        let serving = authority.server(&["localhost", "127.0.0.1", &Registration::server_name()])?;
        let certs = scratch.file("certs");
        std::fs::create_dir(&certs).context("creating the folder of certificates")?;
        std::fs::write(certs.join("tls.crt"), &serving.cert).context("writing the serving certificate")?;
        std::fs::write(certs.join("tls.key"), &serving.key).context("writing the serving key")?;
        flags.extend([
            "--secure-port=0".to_owned(),
            format!("--cert-dir={}", certs.display()),
            format!("--kubeconfig={}", cluster.outrigger_kubeconfig().display()),
        ]);
        let env = owned(env);
        let (process, port) = start(&scratch, &flags, &env, 0)?;
        let (ca, server) = (authority.cert().to_owned(), format!("https://127.0.0.1:{port}"));
        let admin = Identity::Token(crate::ADMIN.to_owned());
        let kubeconfig = scratch.write("direct.kubeconfig", kubeconfig::document(&server, &ca, &admin).to_string())?;
        let outrigger = Self { process, flags, env, port, ca, kubeconfig, scratch };
        outrigger.await_ready()?;
        Ok(outrigger)
    }

    /// Registers a group-version with the cluster and waits until it is available there.
    pub async fn register(&self, cluster: &Cluster, group: &str, version: &str) -> Result<()> {
        Registration { group, version, port: self.port, ca: &self.ca }.apply(&cluster.admin()).await
    }

    /// Raw requests, past the aggregator, as the administrator.
    pub fn admin(&self) -> Result<Client> {
        self.client_for(&identity_of(&self.kubeconfig)?)
    }

    /// Raw requests, past the aggregator, as anybody.
    pub fn client_for(&self, identity: &Identity) -> Result<Client> {
        Client::new("127.0.0.1", self.port, &self.ca, identity)
    }

    /// kubectl, past the aggregator, as the administrator.
    pub fn kubectl(&self) -> Result<Kubectl> {
        Kubectl::new(&Peers::locate()?.kubectl(), &self.kubeconfig)
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The authority of its serving certificate, PEM.
    #[must_use]
    pub fn ca(&self) -> &str {
        &self.ca
    }

    /// The kubeconfig that reaches it directly.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The folder of its data and logs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// The process itself.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// `kill -9`, now.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// Starts it again with the same flags and environment on the same port and data; it must not be running.
    pub fn start_again(&mut self) -> Result<()> {
        let (process, port) = start(&self.scratch, &self.flags, &self.env, self.port)?;
        (self.process, self.port) = (process, port);
        self.await_ready()
    }

    /// `kill -9` and start again.
    pub fn restart(&mut self) -> Result<()> {
        self.kill()?;
        self.start_again()
    }

    fn await_ready(&self) -> Result<()> {
        let client = self.client_for(&Identity::Anonymous)?;
        block_on(async move {
            eventually!(
                client.get("/readyz").await.is_ok_and(|answer| answer.status == 200),
                "outrigger is ready; its log ends:\n{}",
                self.process.tail()
            );
            Ok(())
        })
    }
}

/// The environment of a process; with `OUTRIGGER_TEST_DB=postgres` it keeps its objects in a database of the shared server.
fn owned(env: &[(&str, &str)]) -> Vec<(String, String)> {
    let database = database().map(|url| ("OUTRIGGER_DB".to_owned(), url));
    env.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).chain(database).collect()
}

fn database() -> Option<String> {
    let wanted = std::env::var_os("OUTRIGGER_TEST_DB").is_some_and(|wanted| wanted == "postgres");
    wanted.then(|| crate::Postgres::shared().url())
}

/// Starts the binary and reads the port it prints. A `port` other than 0 replaces the flag that leaves the choice to it.
fn start(scratch: &Scratch, flags: &[String], env: &[(String, String)], port: u16) -> Result<(Process, u16)> {
    let log = scratch.file("outrigger.log");
    let before = std::fs::read(&log).map(|log| log.len()).unwrap_or_default();
    let flags: Vec<String> =
        flags.iter().map(|flag| flag.replace("--secure-port=0", &format!("--secure-port={port}"))).collect();
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut process = Process::spawn_with("outrigger", &binary()?, &flags, &env, &log)?;
    let deadline = crate::deadline(crate::PATIENCE);
    loop {
        let output = process.output();
        if let Some(port) = printed_port(output.get(before..).unwrap_or_default()) {
            return Ok((process, port));
        }
        process.ensure_running()?;
        if crate::deadline(std::time::Duration::ZERO) > deadline {
            bail!("outrigger printed no address; its log ends:\n{}", process.tail());
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// The port of the address that it says it serves on, once that is complete. Its log names others, too.
fn printed_port(output: &str) -> Option<u16> {
    let (_, address) = output.split_once(" serves on https://127.0.0.1:")?;
    let digits = address.find(|c: char| !c.is_ascii_digit())?;
    address[..digits].parse().ok()
}

fn authority_of(path: &Path) -> Result<String> {
    let config = Kubeconfig::read_from(path).with_context(|| format!("reading {}", path.display()))?;
    let cluster = config.clusters.first().and_then(|named| named.cluster.as_ref()).context("it names a cluster")?;
    match (&cluster.certificate_authority_data, &cluster.certificate_authority) {
        (Some(data), _) => decode(data),
        (None, Some(file)) => std::fs::read_to_string(file).context("reading the authority"),
        (None, None) => bail!("{} names no authority", path.display()),
    }
}

fn identity_of(path: &Path) -> Result<Identity> {
    use kube::config::AuthInfo;
    let config = Kubeconfig::read_from(path).with_context(|| format!("reading {}", path.display()))?;
    let user: &AuthInfo =
        config.auth_infos.first().and_then(|named| named.auth_info.as_ref()).context("it names a user")?;
    // The type hides its secrets; the file itself is ours.
    let user = serde_json::to_value(user).context("reading the user")?;
    let text = |key: &str| user[key].as_str();
    if let Some(token) = text("token") {
        return Ok(Identity::Token(token.to_owned()));
    }
    let pem = |data: &str, file: &str| match (text(data), text(file)) {
        (Some(data), _) => decode(data),
        (None, Some(file)) => std::fs::read_to_string(file).with_context(|| format!("reading {file}")),
        (None, None) => bail!("{} has neither token nor certificate", path.display()),
    };
    let cert = pem("client-certificate-data", "client-certificate")?;
    let key = pem("client-key-data", "client-key")?;
    Ok(Identity::Certificate(Pair { cert, key }))
}

fn decode(data: &str) -> Result<String> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(data).context("decoding base64")?;
    String::from_utf8(bytes).context("decoding PEM")
}

#[cfg(test)]
mod tests {
    use super::printed_port;

    #[test]
    fn reads_the_port_only_when_it_is_complete() {
        assert_eq!(printed_port("Outrigger serves on https://127.0.0.1:84"), None);
        assert_eq!(printed_port("Outrigger serves on https://127.0.0.1:8443\n"), Some(8443));
        let log = "serving on https://127.0.0.1:1\nThe apiserver serves on https://127.0.0.1:9443, behind\n";
        assert_eq!(printed_port(log), Some(9443));
        assert_eq!(printed_port("nothing"), None);
    }
}
