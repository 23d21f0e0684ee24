//! Lists that are as they should be.

use std::sync::{Arc, atomic::Ordering};

use proto::cbt::{Kind, suite::Subject};
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use super::{
    objects::{Snapshot, namespace},
    serving::{Relay, volume},
};

const ENTRIES: u64 = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backup_software_lists_a_volume_and_what_changed() {
    let ns = "lists";
    let cluster = namespace(ns).await;
    let volume = volume(ENTRIES);
    let truth: Vec<_> = volume.truth().changed.iter().map(|range| (range.start, range.end - range.start)).collect();
    for (name, handle) in [("old", "base"), ("new", "target")] {
        Snapshot::new(ns, name, handle).make(&cluster.admin()).await;
    }
    let relay = Relay::start(cluster, Arc::new(volume.clone())).await;
    let mut backup = relay.backup(cluster, ns).await;

    let listed = backup.allocated("new", 0, 0).await;
    assert_eq!(listed.ranges(), truth);
    assert!(
        listed
            .messages
            .iter()
            .all(|message| { (message.kind(), message.capacity()) == (Kind::Fixed, volume.capacity()) })
    );
    assert_eq!(backup.delta("base", "new", 0, 0).await.ranges(), truth);
    assert_eq!(backup.allocated("old", 0, 0).await.ranges(), []);
    assert_eq!(backup.delta("target", "new", 0, 0).await.ranges(), [], "a snapshot does not differ from itself");

    // From zero, from the end of a range, from within one, and from the end.
    for start in [0, truth[9].0 + truth[9].1, truth[9].0 + 1, truth[9].0 - 1, volume.capacity()] {
        let rest: Vec<_> = truth.iter().copied().filter(|(offset, size)| offset + size > start).collect();
        assert_eq!(backup.delta("base", "new", start as i64, 0).await.ranges(), rest, "from {start}");
    }
    for most in [1, 7, 1_000_000, i32::MAX] {
        let listed = backup.delta("base", "new", 0, most).await;
        assert!(listed.messages.iter().all(|message| message.len() <= most as usize));
        assert_eq!(listed.ranges(), truth, "{most} in a message");
    }
}

/// A receive limit of 4 MiB is what clients have unless they are told otherwise; these entries are 13 MB.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_entries_in_a_message_are_more_than_a_client_takes_and_come_in_several() {
    let ns = "large";
    let cluster = namespace(ns).await;
    Snapshot::new(ns, "new", "target").make(&cluster.admin()).await;
    let driver = proto::cbt::suite::Synthetic::full(1_000_000, 64 << 10);
    let relay = Relay::start(cluster, Arc::new(driver)).await;
    let mut backup = relay.backup(cluster, ns).await;
    let listed = backup.allocated("new", 0, 1_000_000).await;
    assert_eq!(listed.ranges().len(), 1_000_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_can_be_listed_as_soon_as_it_is_ready() {
    let ns = "soon";
    let cluster = namespace(ns).await;
    let relay = Relay::start(cluster, Arc::new(volume(3))).await;
    let mut backup = relay.backup(cluster, ns).await;
    for round in 0..10 {
        let (old, new) = (format!("old-{round}"), format!("new-{round}"));
        Snapshot { volume: &old, ..Snapshot::new(ns, &old, "base") }.make(&cluster.admin()).await;
        Snapshot { volume: &old, ..Snapshot::new(ns, &new, "target") }.make(&cluster.admin()).await;
        assert_eq!(backup.allocated(&new, 0, 0).await.ranges().len(), 3, "round {round}");
    }
}

/// A warm start asks the cluster nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_of_known_snapshots_start_without_a_question_to_the_cluster() {
    let ns = "warm";
    let cluster = namespace(ns).await;
    for (name, handle) in [("old", "base"), ("new", "target")] {
        Snapshot::new(ns, name, handle).make(&cluster.admin()).await;
    }
    let relay = Relay::start(cluster, Arc::new(volume(3))).await;
    let mut backup = relay.backup(cluster, ns).await;
    let questions = async |backup: &mut super::serving::Backup| {
        let before = relay.asked.load(Ordering::SeqCst);
        assert_eq!(backup.delta("base", "new", 0, 0).await.ranges().len(), 3);
        relay.asked.load(Ordering::SeqCst) - before
    };
    // The class that they name is not there, and is asked for each time; nothing else is.
    kit::eventually!(questions(&mut backup).await <= 1, "the watches have told of the snapshots");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_is_told_to_whom_who_asks() {
    let ns = "health";
    let cluster = namespace(ns).await;
    let relay = Relay::start(cluster, Arc::new(volume(3))).await;
    let mut health = HealthClient::new(relay.channel());
    for (service, expected) in [
        ("", Ok(ServingStatus::Serving)),
        ("snapshotmetadata.SnapshotMetadata", Ok(ServingStatus::Serving)),
        ("x", Err(Code::NotFound)),
    ] {
        let answer = health.check(HealthCheckRequest { service: service.to_owned() }).await;
        assert_eq!(answer.map(|answer| answer.into_inner().status()).map_err(|status| status.code()), expected);
    }
}
