//! Snapshots that are not as they should be, and requests that make no sense.

use std::{future::pending, sync::Arc};

use futures::{StreamExt, stream};
use proto::cbt::{self, Block, Builder, ChangedBlocks, Error, Kind};
use tonic::Code;

use super::{
    objects::{DRIVER, Snapshot, namespace},
    serving::{Relay, query, refusal, volume},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snapshots_that_cannot_be_used_are_refused_and_nothing_breaks() {
    let ns = "unusable";
    let cluster = namespace(ns).await;
    let admin = cluster.admin();
    Snapshot::new(ns, "good", "target").make(&admin).await;
    // As it is in the moment after a user created it.
    Snapshot::new(ns, "fresh", "fresh").create(&admin).await;
    let unready = Snapshot::new(ns, "unready", "unready");
    unready.bind(&admin, &unready.create(&admin).await, false).await;
    let relay = Relay::start(cluster, Arc::new(volume(3))).await;
    let mut backup = relay.backup(cluster, ns).await;
    for (name, code, what) in [
        ("no-such-snapshot", Code::NotFound, "unusable/no-such-snapshot is not there"),
        ("fresh", Code::FailedPrecondition, "has no status yet"),
        ("unready", Code::FailedPrecondition, "is not ready to use"),
        ("../volumesnapshots/good", Code::InvalidArgument, "is not the name of a VolumeSnapshot"),
        ("good%2f", Code::InvalidArgument, "is not the name of a VolumeSnapshot"),
    ] {
        for listed in [backup.allocated(name, 0, 0).await, backup.delta("base", name, 0, 0).await] {
            assert_eq!(listed.code(), code, "{listed:?}");
            assert!(listed.why().contains(what), "{}", listed.why());
        }
    }
    assert_eq!(backup.allocated("good", 0, 0).await.ranges().len(), 3, "it still serves");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_base_is_of_the_same_namespace_driver_and_volume() {
    let (ns, other) = ("bases", "bases-elsewhere");
    let cluster = namespace(ns).await;
    namespace(other).await;
    let admin = cluster.admin();
    for snapshot in [
        Snapshot::new(ns, "new", "target"),
        Snapshot::new(ns, "old", "base"),
        Snapshot { volume: "another", ..Snapshot::new(ns, "foreign", "other") },
        Snapshot { driver: "other.example.com", ..Snapshot::new(ns, "alien", "alien") },
        Snapshot::new(other, "old", "elsewhere"),
    ] {
        snapshot.make(&admin).await;
    }
    let unready = Snapshot::new(ns, "unready", "unready");
    unready.bind(&admin, &unready.create(&admin).await, false).await;
    let relay = Relay::start(cluster, Arc::new(volume(3))).await;
    let mut backup = relay.backup(cluster, ns).await;
    assert_eq!(backup.delta("base", "new", 0, 0).await.ranges().len(), 3);
    for (base, code) in [
        ("other", Code::InvalidArgument),
        // What another driver calls so, and what is in another namespace, is as if it were not.
        ("alien", Code::NotFound),
        ("elsewhere", Code::NotFound),
        ("unready", Code::NotFound),
        ("no-such-handle", Code::NotFound),
        ("", Code::InvalidArgument),
    ] {
        let refused = backup.delta(base, "new", 0, 0).await;
        assert_eq!(refused.code(), code, "{base}: {refused:?}");
    }
    // Apiservers name the base.
    let named = |namespace: &str, name: &str| {
        let base = cbt::Snapshot::Named { namespace: namespace.to_owned(), name: name.to_owned() };
        query(ns, "new", Some(base))
    };
    let messages = relay.blocks().blocks(named(ns, "old")).await.expect("it is a good base");
    assert_eq!(messages.count().await, 1);
    assert!(matches!(refusal(&relay, named(other, "old")).await, Error::Forbidden(_)));
    assert!(matches!(refusal(&relay, named(ns, "foreign")).await, Error::Invalid(_)));
    assert!(matches!(refusal(&relay, named(ns, "alien")).await, Error::Invalid(_)));
    assert!(matches!(refusal(&relay, named(ns, "unready")).await, Error::NotReady(_)));
    assert!(matches!(refusal(&relay, named(ns, "no-such-name")).await, Error::NotFound(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_that_make_no_sense_are_refused() {
    let ns = "numbers";
    let cluster = namespace(ns).await;
    Snapshot::new(ns, "new", "target").make(&cluster.admin()).await;
    let volume = volume(3);
    let end = volume.capacity() as i64;
    let relay = Relay::start(cluster, Arc::new(volume)).await;
    let mut backup = relay.backup(cluster, ns).await;
    for (start, most, code) in [
        (-1, 0, Code::OutOfRange),
        (i64::MIN, 0, Code::OutOfRange),
        (end + 1, 0, Code::OutOfRange),
        (i64::MAX, 0, Code::OutOfRange),
        (0, -1, Code::InvalidArgument),
        (0, i32::MIN, Code::InvalidArgument),
        (end, 0, Code::Ok),
        (0, i32::MAX, Code::Ok),
    ] {
        let listed = backup.allocated("new", start, most).await;
        assert_eq!(listed.code(), code, "{start} {most}: {listed:?}");
    }
}

/// A driver that sends one good message and then what a test says.
struct Turning<F>(F);

#[async_trait::async_trait]
impl<F> ChangedBlocks for Turning<F>
where
    F: Fn() -> stream::BoxStream<'static, cbt::Result<cbt::Blocks>> + Send + Sync + 'static,
{
    async fn info(&self) -> cbt::Result<cbt::Info> {
        Ok(cbt::Info { driver: DRIVER.to_owned(), version: "1".to_owned(), reads: false })
    }

    async fn blocks(&self, _: cbt::Query) -> cbt::Result<stream::BoxStream<'static, cbt::Result<cbt::Blocks>>> {
        Ok(stream::iter([Ok(message(0))]).chain((self.0)()).boxed())
    }

    async fn read(&self, _: cbt::Read) -> cbt::Result<stream::BoxStream<'static, cbt::Result<cbt::Data>>> {
        Err(Error::Invalid("it does not read".to_owned()))
    }
}

fn message(offset: u64) -> cbt::Blocks {
    let mut builder = Builder::new(Kind::Fixed, 1 << 30);
    builder.push(Block { offset, size: 4096, token: &[] });
    builder.finish()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_driver_breaks_off_with_arrives_as_a_status_after_what_was_good() {
    let ns = "breaks";
    let cluster = namespace(ns).await;
    Snapshot::new(ns, "new", "target").make(&cluster.admin()).await;
    let mut token: Option<String> = None;
    for (turn, code) in [
        (Ok(message(0)), Code::DataLoss),
        (Err(Error::Broken("x".to_owned())), Code::DataLoss),
        (Err(Error::Unavailable("deadline".to_owned())), Code::Unavailable),
        (Err(Error::NoDelta("x".to_owned())), Code::FailedPrecondition),
        (Err(Error::Internal("x".to_owned())), Code::Internal),
    ] {
        let driver = Turning(move || stream::iter([turn.clone()]).chain(stream::once(pending())).boxed());
        let relay = Relay::start(cluster, Arc::new(driver)).await;
        let mut backup = match &token {
            None => relay.backup(cluster, ns).await,
            Some(token) => relay.backup_with(ns, token),
        };
        token = Some(backup.token.clone());
        backup.wait().await;
        let listed = backup.allocated("new", 0, 0).await;
        assert_eq!((listed.messages.len(), listed.code()), (1, code), "{listed:?}");
    }
}
