//! The binary: registering, and serving.

use std::{
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use futures::StreamExt;
use proto::cbt::{ChangedBlocks, client::Client};
use runtime::{Context, args::PeerTlsArgs};

use crate::{
    disk::{CELL, Op},
    subject::{SIZE, allocated, blocks, delta, folder, image, open, ranges},
};

const BINARY: &str = env!("CARGO_BIN_EXE_outrigger-cbt-file");

fn run(folder: &Path, args: &[&str]) -> Output {
    let (command, rest) = args.split_first().expect("a command");
    let mut binary = Command::new(BINARY);
    binary.arg(command).arg("--cbt-dir").arg(folder).args(rest);
    binary.output().expect("the binary runs")
}

/// Registers a snapshot of namespace default as an operator does.
pub(crate) fn register(folder: &Path, name: &str, volume: &str, source: &[&str]) {
    let args = [&["register", "--name", name, "--volume", volume], source].concat();
    let output = run(folder, &args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn snapshots_are_registered_listed_and_removed_while_a_driver_runs() {
    let (folder, elsewhere) = (folder(), folder());
    let driver = open(folder.path());
    let query = delta("default/monday", "default/tuesday");
    assert!(ranges(&driver, query.clone()).await.is_err());
    for (name, ops) in [("monday", vec![]), ("tuesday", vec![Op::Write(0..CELL, 1)])] {
        let path = image(elsewhere.path(), name, SIZE, &ops).display().to_string();
        register(folder.path(), name, "data", &["raw", &path]);
    }
    assert_eq!(ranges(&driver, query.clone()).await.expect("they are there"), [0..CELL]);
    let listed = String::from_utf8(run(folder.path(), &["list"]).stdout).expect("it is text");
    assert_eq!(listed.lines().count(), 2);
    assert!(listed.contains("\"monday\"") && listed.contains("\"raw\""), "{listed}");
    let shown = driver.snapshots().expect("they can be listed");
    assert_eq!(
        shown.iter().map(|shown| (shown.handle.as_str(), shown.size)).collect::<Vec<_>>(),
        [("default/monday", Some(SIZE)), ("default/tuesday", Some(SIZE)),]
    );
    assert!(run(folder.path(), &["remove", "--name", "monday"]).status.success());
    assert!(matches!(ranges(&driver, query).await, Err(proto::cbt::Error::NotFound(_))));
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let folder = folder();
    let ok = ["register", "--name", "a", "--volume", "v", "raw", "/x"];
    assert!(run(folder.path(), &ok).status.success());
    for (args, named) in [
        (&ok[..], "default/a"),
        (&["register", "--name", "A", "--volume", "v", "raw", "/x"], "--name"),
        (&["register", "--name", "../a", "--volume", "v", "raw", "/x"], "--name"),
        (&["register", "--namespace", "a/b", "--name", "a", "--volume", "v", "raw", "/x"], "--namespace"),
        (&["register", "--name", "b", "--volume", "", "raw", "/x"], "--volume"),
        (
            &["register", "--name", "b", "--volume", "v", "thin", "/x", "--device", "16777216", "--size", "1"],
            "--device",
        ),
        (&["register", "--name", "b", "--volume", "v", "btrfs", "/subvolume"], "SUBVOLUME:FILE"),
        (&["register", "--name", "b", "--volume", "v", "btrfs", "/subvolume:../x"], "SUBVOLUME:FILE"),
        (&["remove", "--name", "b"], "default/b"),
    ] {
        let refused = run(folder.path(), args);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains(named), "{args:?}: {said}");
    }
}

#[test]
fn those_who_register_at_the_same_time_lose_nothing() {
    let folder = folder();
    std::thread::scope(|scope| {
        for number in 0..12 {
            let folder = folder.path();
            scope.spawn(move || register(folder, &format!("s-{number}"), "v", &["raw", "/x"]));
        }
    });
    assert_eq!(cbt_file::list(folder.path()).expect("it can be read").len(), 12);
}

/// The binary, serving a folder on a socket in it.
fn serve(folder: &Path) -> (kit::Process, Client<runtime::grpc::Channel>) {
    let socket = format!("unix://{}", folder.join("socket").display());
    let args = ["--cbt-dir", &folder.display().to_string(), "--listen", &socket].map(str::to_owned);
    // What it leaves behind when it is killed goes with the folder.
    let env = [("TMPDIR", folder.to_str().expect("a plain path"))];
    let process = kit::Process::spawn_with("cbt-file", Path::new(BINARY), &args, &env, &folder.join("log"));
    let process = process.expect("it starts");
    kit::eventually!(folder.join("socket").exists(), "it listens");
    let tasks = Context::new().tasks;
    let channel = runtime::grpc::connect(&socket, &PeerTlsArgs::default(), &tasks).expect("an address");
    (process, Client::new(channel))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_serves_on_a_socket_and_ends_when_it_is_told_to() {
    let folder = folder();
    image(folder.path(), "monday.img", SIZE, &[]);
    image(folder.path(), "tuesday.img", SIZE, &[Op::Write(0..CELL, 1)]);
    let (mut process, client) = serve(folder.path());
    assert!(client.info().await.expect("it answers").reads);
    let mut messages = client.blocks(blocks(delta("default/monday", "default/tuesday"))).await.expect("a list");
    let first = messages.next().await.expect("a message").expect("a good one");
    assert_eq!((first.len(), first.capacity()), (1, SIZE));
    drop((messages, client));
    process.signal("TERM").expect("it can be told");
    assert!(process.wait(Duration::from_secs(60)).expect("it ends").success(), "{}", process.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_started_ends_with_it_also_when_it_is_killed() {
    let folder = folder();
    let path = folder.path().join("monday.qcow2").display().to_string();
    crate::tool::run("qemu-img", ["create", "-q", "-f", "qcow2", &path, "8M"]);
    let (mut process, client) = serve(folder.path());
    let id = process.id();
    client.blocks(allocated("default/monday")).await.expect("a list").next().await.expect("a message").expect("good");
    assert_eq!(servers(id), 1);
    process.kill().expect("it can be killed");
    kit::eventually!(servers(id) == 0, "its server has gone");
}

/// How many processes serve a file that the process `id` has open.
fn servers(id: u32) -> usize {
    let file = format!("/proc/{id}/fd/");
    let processes = std::fs::read_dir("/proc").expect("there is a /proc").flatten();
    let lines = processes.filter_map(|process| std::fs::read_to_string(process.path().join("cmdline")).ok());
    lines.filter(|line| line.starts_with("qemu-nbd") && line.contains(&file)).count()
}

#[test]
fn without_a_folder_or_an_address_it_says_which_flag_is_missing() {
    for (args, named) in [(&["--listen", "unix:///tmp/x"][..], "--cbt-dir"), (&["--cbt-dir", "/tmp"], "--listen")] {
        let output = Command::new(BINARY).args(args).output().expect("the binary runs");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(!output.status.success() && said.contains(named), "{args:?}: {said}");
    }
}
