//! A Ceph cluster of one monitor and one object store in memory, on loopback, without authentication.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use kit::{Process, Scratch};

/// A running cluster; stopped when dropped.
pub(crate) struct Cluster {
    _processes: [Process; 2],
    scratch: Scratch,
}

// === impl Cluster ===

impl Cluster {
    /// Starts one with the pool `rbd`, and waits until images can be made in it.
    pub(crate) fn start() -> Result<Self> {
        let scratch = Scratch::new("ceph")?;
        let [port] = kit::free_ports()?;
        scratch.write("ceph.conf", conf(scratch.path(), port))?;
        let map = scratch.file("monmap");
        let address = format!("[v2:127.0.0.1:{port}]");
        run("monmaptool", &["--create", "--fsid", FSID, "--addv", "a", &address, &text(&map)], &[])?;
        std::fs::create_dir(scratch.file("osd")).context("making a folder")?;
        run("ceph-mon", &[&conf_flag(&scratch), "--mkfs", "-i", "a", "--monmap", &text(&map)], &[])?;
        let daemon = |name: &str, id: &str| {
            let args = [conf_flag(&scratch), "-i".to_owned(), id.to_owned(), "-f".to_owned()];
            Process::spawn(name, Path::new(name), &args, &scratch.file(&format!("{name}.out")))
        };
        let monitor = daemon("ceph-mon", "a")?;
        run("ceph", &[&conf_flag(&scratch), "osd", "create"], &[])?;
        run("ceph-osd", &[&conf_flag(&scratch), "-i", "0", "--mkfs"], &[])?;
        let store = daemon("ceph-osd", "0")?;
        let cluster = Self { _processes: [monitor, store], scratch };
        cluster.ceph(&["osd", "pool", "create", "rbd", "8"])?;
        cluster.rbd(&["pool", "init", "rbd"])?;
        Ok(cluster)
    }

    /// Its configuration.
    pub(crate) fn conf(&self) -> PathBuf {
        self.scratch.file("ceph.conf")
    }

    /// What `rbd` prints.
    pub(crate) fn rbd(&self, args: &[&str]) -> Result<Vec<u8>> {
        run("rbd", &[&[conf_flag(&self.scratch).as_str()], args].concat(), &[])
    }

    /// The same, with an input.
    pub(crate) fn rbd_with(&self, args: &[&str], input: &[u8]) -> Result<Vec<u8>> {
        run("rbd", &[&[conf_flag(&self.scratch).as_str()], args].concat(), input)
    }

    fn ceph(&self, args: &[&str]) -> Result<Vec<u8>> {
        run("ceph", &[&[conf_flag(&self.scratch).as_str()], args].concat(), &[])
    }
}

const FSID: &str = "5a5f3c4e-6f0c-4a5e-9d2b-0d6c1c8f7e21";

fn conf(folder: &Path, port: u16) -> String {
    let folder = folder.display();
    format!(
        "\
[global]
fsid = {FSID}
mon host = v2:127.0.0.1:{port}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
mon data = {folder}/mon
osd data = {folder}/osd
keyring = {folder}/keyring
run dir = {folder}
log file = {folder}/$name.log
admin socket = {folder}/$name.$pid.asok
pid file = {folder}/$name.pid
osd objectstore = memstore
memstore device bytes = 1073741824
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
mon allow pool size one = true
mon warn on pool no redundancy = false
"
    )
}

fn conf_flag(scratch: &Scratch) -> String {
    format!("--conf={}", scratch.file("ceph.conf").display())
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Runs a program that must succeed.
fn run(program: &str, args: &[&str], input: &[u8]) -> Result<Vec<u8>> {
    use std::io::Write as _;
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {program}: `cargo xtask test --all` installs it"))?;
    child.stdin.take().context("it has an input")?.write_all(input).context("writing its input")?;
    let output = child.wait_with_output().context("waiting for it")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} {} failed ({}): {complaint}", args.join(" "), output.status);
    Ok(output.stdout)
}
