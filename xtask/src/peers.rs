//! etcd and the Kubernetes programs that the tests run beside us, built once from the modules that `peers/go.mod` pins.
//!
//! They are in a folder named by everything that goes into them, so a change of any builds anew; `current` points at the last
//! built. A folder appears whole or not at all.

pub(crate) mod program;

use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::ProgressBar;

use crate::go::Go;
use crate::{cache, packages, shell};

/// The programs and their packages.
const PROGRAMS: &[(&str, &str)] = &[
    ("etcd", "go.etcd.io/etcd/server/v3"),
    ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
    ("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    ("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
];

/// The files that say what they are made of.
const INPUTS: &[&str] = &["go.mod", "go.sum", "peers.go"];

/// Builds what is missing and returns the folder.
pub(crate) fn build() -> Result<PathBuf> {
    packages::ensure()?;
    let go = Go::ensure()?;
    let sources = shell::root().join("xtask/peers");
    let parent = cache::folder("peers")?;
    let folder = parent.join(cache::name(INPUTS.iter().map(|input| sources.join(input)), &go.version)?);
    if !folder.exists() {
        let building =
            tempfile::Builder::new().prefix("building-").tempdir_in(&parent).context("preparing the build")?;
        println!("building etcd and Kubernetes with {}: this takes some minutes, once", go.version);
        for (program, package) in PROGRAMS {
            compile(&go, &sources, program, package, &building.path().join(program))?;
        }
        publish(building.keep(), &folder)?;
    }
    cache::point(&parent.join("current"), &folder)?;
    Ok(folder)
}

fn compile(go: &Go, sources: &Path, program: &str, package: &str, output: &Path) -> Result<()> {
    let flags = flags(&fs::read_to_string(sources.join("go.mod")).context("reading go.mod")?)?;
    let mut command = go.command();
    command
        .current_dir(sources)
        .env("CGO_ENABLED", "0")
        .args(["build", "-trimpath", "-ldflags", &flags, "-o"])
        .arg(output)
        .arg(package);
    if !std::io::stderr().is_terminal() {
        return shell::run(&mut command);
    }
    let progress = ProgressBar::new_spinner().with_message(format!("building {program}"));
    progress.enable_steady_tick(Duration::from_millis(100));
    let outcome = shell::read(&mut command);
    progress.finish_and_clear();
    outcome.map(|_| println!("built {program}"))
}

/// The linker's flags: programs say the version that the module file pins, as their released builds do.
fn flags(module: &str) -> Result<String> {
    let pinned = module.lines().find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes "));
    let version = pinned.context("go.mod pins k8s.io/kubernetes")?.trim();
    let mut numbers = version.trim_start_matches('v').split('.');
    let mut number = || numbers.next().with_context(|| format!("{version} is a version"));
    let (major, minor) = (number()?, number()?);
    const PACKAGE: &str = "k8s.io/component-base/version";
    Ok(format!("-s -w -X {PACKAGE}.gitVersion={version} -X {PACKAGE}.gitMajor={major} -X {PACKAGE}.gitMinor={minor}"))
}

/// Puts a finished build in its place. If another process was faster, its build is as good.
fn publish(built: PathBuf, folder: &Path) -> Result<()> {
    match fs::rename(&built, folder) {
        Err(_) if folder.exists() => {
            fs::remove_dir_all(&built).context("removing a build that another process made, too")
        }
        outcome => outcome.with_context(|| format!("putting the build at {}", folder.display())),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn programs_say_the_pinned_version() {
        let flags = flags("require (\n\tk8s.io/kubernetes v1.36.3\n)").unwrap();
        assert!(flags.contains("gitVersion=v1.36.3 "), "{flags}");
        assert!(flags.contains("gitMajor=1 ") && flags.ends_with("gitMinor=36"), "{flags}");
        assert!(super::flags("module x").is_err());
    }

    #[test]
    fn the_slower_of_two_builds_gives_way() {
        let folder = tempfile::tempdir().unwrap();
        let (built, place) = (folder.path().join("built"), folder.path().join("place"));
        fs::create_dir(&built).unwrap();
        fs::create_dir(&place).unwrap();
        fs::write(place.join("etcd"), "there").unwrap();
        publish(built.clone(), &place).unwrap();
        assert!(!built.exists() && place.join("etcd").exists());
    }
}
