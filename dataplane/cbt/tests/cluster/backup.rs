//! Backup software that is not ours: Kubernetes' own client library, as it is.

use std::{
    process::{Command, Output},
    sync::Arc,
};

use kit::Cluster;
use proto::cbt::suite::{Subject, Synthetic};

use super::{
    objects::{self, DRIVER, Snapshot, namespace},
    serving::Relay,
};

/// Some 4 MB on the wire, in several messages.
const ENTRIES: u64 = 300_000;

fn run(cluster: &Cluster, args: &[&str]) -> Output {
    let kubeconfig = cluster.kubeconfig();
    let mut command = Command::new(kit::backup_peer().expect("it is built"));
    command.arg("-kubeconfig").arg(kubeconfig).args(args).output().expect("it runs")
}

/// The ranges that it printed, if it got to the end.
#[track_caller]
fn ranges(output: &Output) -> Vec<(u64, u64)> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let (done, lines) =
        text.lines().collect::<Vec<_>>().split_last().map(|(last, rest)| (*last, rest.to_vec())).expect("a last line");
    assert!(done.starts_with("done "), "{done}");
    let number = |text: &str| text.parse::<u64>().expect("a number");
    let range = |line: &&str| line.split_once(' ').map(|(offset, size)| (number(offset), number(size)));
    lines.iter().map(|line| range(line).expect("a range")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_library_of_kubernetes_lists_volumes_and_what_changed() {
    let ns = "backup";
    let cluster = namespace(ns).await;
    let admin = cluster.admin();
    let volume = Synthetic::sparse(ENTRIES, 4096).with_truth();
    let truth: Vec<_> = volume.truth().changed.iter().map(|range| (range.start, range.end - range.start)).collect();
    for (name, handle) in [("old", "base"), ("new", "target")] {
        Snapshot::new(ns, name, handle).make(&admin).await;
    }
    Snapshot::new(ns, "fresh", "fresh").create(&admin).await;
    let relay = Relay::start(cluster, Arc::new(volume)).await;
    relay.backup(cluster, ns).await;
    let (address, ca) = relay.reached();
    objects::reachable(&admin, DRIVER, &address, &ca).await;

    let ask = |args: &[&str]| {
        let all = [&["-namespace", ns, "-account", "backup"], args].concat();
        tokio::task::block_in_place(|| run(cluster, &all))
    };
    assert!(ranges(&ask(&["-snapshot", "new"])) == truth, "all allocated blocks");
    assert!(ranges(&ask(&["-snapshot", "new", "-previous", "old"])) == truth, "what changed");
    assert!(ranges(&ask(&["-snapshot", "new", "-max-results", "1000000"])) == truth, "in large messages");
    let (offset, size) = truth[truth.len() / 2];
    let start = (offset + size).to_string();
    assert!(ranges(&ask(&["-snapshot", "new", "-start", &start])) == truth[truth.len() / 2 + 1..], "the rest");
    assert_eq!(ranges(&ask(&["-snapshot", "old"])), []);

    // What it can find out itself never reaches the service; the driver's name keeps it from looking.
    for (args, code) in [
        (&["-driver", DRIVER, "-snapshot", "no-such-snapshot"][..], "NotFound"),
        (&["-driver", DRIVER, "-snapshot", "fresh"], "FailedPrecondition"),
        (&["-snapshot", "new", "-start", "-1"], "OutOfRange"),
        (&["-snapshot", "new", "-start", "9223372036854775807"], "OutOfRange"),
    ] {
        let output = ask(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(&format!("code = {code}")), "{args:?}: {said}");
    }
}
