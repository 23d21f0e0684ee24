//! The driver on a real cluster: the shared cases, random changes against a comparison of all bytes and against what
//! `rbd diff` tells people, and the images that are not simple.
#![expect(clippy::unwrap_used, clippy::single_range_in_vec_init, reason = "tests; a list may have one range")]

mod cluster;
mod image;

use std::{collections::BTreeMap, ops::Range};

use async_trait::async_trait;
use cbt_rbd::{Config, Driver};
use clap::Parser;
use futures::TryStreamExt;
use proto::cbt::{
    Blocks, ChangedBlocks, Error, Query, Result, Shape, Snapshot,
    suite::{Subject, Truth},
};

use cluster::Cluster;
use image::{Change, Image};

/// The objects of most images here: small, so that images can be, too.
const OBJECT: u64 = 64 << 10;
const MIB: u64 = 1 << 20;

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    config: Config,
}

struct Volume {
    driver: Driver,
    truth: Truth,
}

#[async_trait]
impl Subject for Volume {
    fn blocks(&self) -> &dyn ChangedBlocks {
        &self.driver
    }

    fn truth(&self) -> &Truth {
        &self.truth
    }

    async fn data(&self, _: Range<u64>) -> Vec<u8> {
        unreachable!("the driver does not read")
    }
}

/// The same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn bytes(&mut self, length: u64) -> Vec<u8> {
        (0..length).map(|_| self.below(255) as u8 + 1).collect()
    }

    /// Writes and zeros in order, within `size` bytes, without overlaps.
    fn changes(&mut self, size: u64) -> Vec<Change> {
        let (mut changes, mut at) = (Vec::new(), 0);
        loop {
            at += self.below(6) * 4096 * (1 + self.below(20));
            let length = 512 * (1 + self.below(300));
            if at + length > size {
                return changes;
            }
            changes.push(match self.below(4) {
                0 => Change::Zero(at..at + length),
                _ => Change::Write(at, self.bytes(length)),
            });
            at += length;
        }
    }
}

fn driver(cluster: &Cluster, flags: &[&str]) -> Driver {
    let conf = format!("--rbd-conf={}", cluster.conf().display());
    Driver::new(Flags::parse_from([&["x", conf.as_str()], flags].concat()).config).unwrap()
}

fn snapshot(handle: &str) -> Snapshot {
    Snapshot::Handle(handle.to_owned())
}

async fn list(driver: &Driver, query: Query) -> Result<Vec<Range<u64>>> {
    let messages: Vec<Blocks> = driver.blocks(query).await?.try_collect().await?;
    Ok(messages.iter().flat_map(|blocks| blocks.iter()).map(|block| block.offset..block.offset + block.size).collect())
}

/// Where two contents differ, by sectors; what one has beyond the other's end is compared with zeros.
fn differences(base: &[u8], target: &[u8]) -> Vec<Range<u64>> {
    let zeros = [0; 512];
    let sector = |content: &[u8], at: usize| content.get(at..at + 512).unwrap_or(&zeros).to_vec();
    let differ = |at: &usize| sector(base, *at) != sector(target, *at);
    (0..target.len()).step_by(512).filter(differ).map(|at| at as u64..at as u64 + 512).collect()
}

fn covered(range: &Range<u64>, by: &[Range<u64>]) -> bool {
    let reached = by.iter().fold(
        range.start,
        |reached, other| {
            if other.start <= reached { reached.max(other.end) } else { reached }
        },
    );
    reached >= range.end
}

/// Whether a list has all that differs, and nothing outside of objects that were touched.
#[track_caller]
fn is_true(listed: &[Range<u64>], differing: &[Range<u64>], touched: &[Range<u64>], object: u64) {
    let missed = differing.iter().find(|range| !covered(range, listed));
    assert_eq!(missed, None, "not in the list: {listed:?}");
    let objects: Vec<_> =
        touched.iter().map(|range| range.start / object * object..range.end.next_multiple_of(object)).collect();
    let beyond = listed.iter().find(|range| !covered(range, &objects));
    assert_eq!(beyond, None, "in the list without reason: {touched:?}");
}

fn touched(changes: &[Change]) -> Vec<Range<u64>> {
    let range = |change: &Change| match change {
        Change::Write(offset, data) => *offset..*offset + data.len() as u64,
        Change::Zero(range) => range.clone(),
    };
    changes.iter().map(range).collect()
}

fn small_objects() -> [&'static str; 2] {
    ["--object-size", "64K"]
}

/// One cluster for all, which takes a while to start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "heavy: installs and runs Ceph"]
async fn the_driver_tells_the_truth_about_a_real_cluster() {
    let cluster = Cluster::start().unwrap();
    shared_cases(&cluster).await;
    random_changes(&cluster).await;
    clones_include_their_parents(&cluster).await;
    striped_images_are_in_order(&cluster).await;
    resized_images_have_the_size_of_the_snapshot(&cluster).await;
    namespaces_and_handles_of_ceph_csi(&cluster).await;
    whole_objects(&cluster).await;
    refusals(&cluster).await;
}

async fn shared_cases(cluster: &Cluster) {
    let size = 4 * MIB;
    let image = Image::create(cluster, "rbd/suite", size, &small_objects()).unwrap();
    let other = Image::create(cluster, "rbd/other", size, &small_objects()).unwrap();
    let mut random = Random(1);
    let mut write = |offset: u64, length: u64| Change::Write(offset, random.bytes(length));
    let before = [write(0, 4096), write(10 * OBJECT, 3 * OBJECT), write(30 * OBJECT, OBJECT), write(40 * OBJECT, 512)];
    let after =
        [write(2 * OBJECT, 4096), write(11 * OBJECT, OBJECT), write(20 * OBJECT, 3 * OBJECT), write(size - 512, 512)];
    image.change(size, &before, "base").unwrap();
    image.change(size, &after, "target").unwrap();
    other.change(size, &[], "snap").unwrap();
    let [base, target] = ["base", "target"].map(|name| snapshot(&image.handle(name)));
    let mut allocated: Vec<_> = touched(&before).into_iter().chain(touched(&after)).collect();
    allocated.sort_by_key(|range| range.start);
    let truth = Truth {
        foreign: Some(snapshot(&other.handle("snap"))),
        unknown: snapshot(&image.handle("no-such-snapshot")),
        allocated,
        changed: touched(&after),
        ..Truth::new(base, target, size, OBJECT)
    };
    for flags in [&[][..], &["--rbd-block-size=4096"]] {
        let volume = Volume { driver: driver(cluster, flags), truth: truth.clone() };
        proto::cbt_suite!(in turn &volume);
    }
}

async fn random_changes(cluster: &Cluster) {
    let (driver, size) = (driver(cluster, &[]), 8 * MIB);
    for seed in 1..=6 {
        let mut random = Random(seed * 7919);
        let image = Image::create(cluster, &format!("rbd/random-{seed}"), size, &small_objects()).unwrap();
        let mut before = Vec::new();
        for snap in 0..3 {
            let changes = random.changes(size);
            let name = format!("s{snap}");
            image.change(size, &changes, &name).unwrap();
            let content = image.content(&name).unwrap();
            let target = snapshot(&image.handle(&name));
            let allocated = list(&driver, Query::allocated(target.clone())).await.unwrap();
            let ever: Vec<_> = std::iter::once(0..size).collect();
            is_true(&allocated, &differences(&[], &content), &ever, OBJECT);
            assert_eq!(allocated, image.plain_diff(None, &name).unwrap(), "seed {seed}");
            if snap > 0 {
                let base = format!("s{}", snap - 1);
                let delta = list(&driver, Query::delta(snapshot(&image.handle(&base)), target)).await.unwrap();
                is_true(&delta, &differences(&before, &content), &touched(&changes), OBJECT);
                assert_eq!(delta, image.plain_diff(Some(&base), &name).unwrap(), "seed {seed}");
            }
            before = content;
        }
    }
}

async fn clones_include_their_parents(cluster: &Cluster) {
    let (driver, size) = (driver(cluster, &[]), 2 * MIB);
    let mut random = Random(3);
    let parent = Image::create(cluster, "rbd/parent", size, &small_objects()).unwrap();
    parent.change(size, &[Change::Write(5 * OBJECT, random.bytes(OBJECT))], "s").unwrap();
    cluster.rbd(&["snap", "protect", "rbd/parent@s"]).unwrap();
    cluster.rbd(&["clone", "--object-size", "64K", "rbd/parent@s", "rbd/child"]).unwrap();
    let child = Image::existing(cluster, "rbd/child");
    child.change(size, &[Change::Write(9 * OBJECT, random.bytes(4096))], "s").unwrap();
    let allocated = list(&driver, Query::allocated(snapshot("rbd/child@s"))).await.unwrap();
    let written = [5 * OBJECT..6 * OBJECT, 9 * OBJECT..9 * OBJECT + 4096];
    is_true(&allocated, &differences(&[], &child.content("s").unwrap()), &written, OBJECT);
}

async fn striped_images_are_in_order(cluster: &Cluster) {
    let (driver, size) = (driver(cluster, &[]), 8 * MIB);
    let flags = ["--object-size", "1M", "--stripe-unit", "64K", "--stripe-count", "4"];
    let image = Image::create(cluster, "rbd/striped", size, &flags).unwrap();
    let mut random = Random(5);
    image.change(size, &random.changes(size), "s1").unwrap();
    let changes = random.changes(size);
    image.change(size, &changes, "s2").unwrap();
    let [base, target] = ["s1", "s2"].map(|name| snapshot(&image.handle(name)));
    let delta = list(&driver, Query::delta(base, target)).await.unwrap();
    let [base, target] = ["s1", "s2"].map(|name| image.content(name).unwrap());
    is_true(&delta, &differences(&base, &target), &touched(&changes), 4 * MIB);
}

async fn resized_images_have_the_size_of_the_snapshot(cluster: &Cluster) {
    let driver = driver(cluster, &[]);
    let image = Image::create(cluster, "rbd/resized", 2 * MIB, &small_objects()).unwrap();
    let mut random = Random(7);
    image.change(2 * MIB, &[Change::Write(0, random.bytes(2 * MIB))], "s1").unwrap();
    image.change(3 * MIB, &[Change::Write(2 * MIB, random.bytes(OBJECT))], "s2").unwrap();
    image.change(MIB, &[Change::Write(OBJECT, random.bytes(OBJECT))], "s3").unwrap();
    let delta = |base: &str, target: &str| Query::delta(snapshot(&image.handle(base)), snapshot(&image.handle(target)));
    assert_eq!(list(&driver, delta("s1", "s2")).await.unwrap(), [2 * MIB..2 * MIB + OBJECT]);
    assert_eq!(list(&driver, delta("s2", "s3")).await.unwrap(), [OBJECT..2 * OBJECT]);
    for (name, size) in [("s1", 2 * MIB), ("s2", 3 * MIB), ("s3", MIB)] {
        let query = Query::allocated(snapshot(&image.handle(name)));
        let messages: Vec<Blocks> = driver.blocks(query.clone()).await.unwrap().try_collect().await.unwrap();
        assert!(messages.iter().all(|blocks| blocks.capacity() == size), "{name}");
        let Err(refused) = driver.blocks(Query { start: size + 1, ..query }).await else { panic!("a list of {name}") };
        assert!(matches!(refused, Error::OutOfRange(_)), "{refused:?}");
    }
}

async fn namespaces_and_handles_of_ceph_csi(cluster: &Cluster) {
    cluster.rbd(&["namespace", "create", "rbd/tenant"]).unwrap();
    let uuid = "b0285c97-a0ce-11eb-8c66-0242ac110002";
    let name = format!("csi-snap-{uuid}");
    let image = Image::create(cluster, &format!("rbd/tenant/{name}"), MIB, &small_objects()).unwrap();
    image.change(MIB, &[Change::Write(OBJECT, Random(9).bytes(OBJECT))], &name).unwrap();
    let expected = [OBJECT..2 * OBJECT];
    let by_name = list(&driver(cluster, &[]), Query::allocated(snapshot(&image.handle(&name)))).await.unwrap();
    assert_eq!(by_name, expected);
    // The first pool of a cluster is number 1.
    let flags = ["--rbd-pool=1=rbd", "--rbd-image-template={pool}/tenant/csi-snap-{uuid}@csi-snap-{uuid}"];
    let handle = format!("0001-0009-rook-ceph-0000000000000001-{uuid}");
    let by_handle = list(&driver(cluster, &flags), Query::allocated(snapshot(&handle))).await.unwrap();
    assert_eq!(by_handle, expected);
}

async fn whole_objects(cluster: &Cluster) {
    let image = Image::create(cluster, "rbd/whole", MIB, &small_objects()).unwrap();
    image.change(MIB, &[], "s1").unwrap();
    image.change(MIB, &[Change::Write(OBJECT + 4096, Random(11).bytes(512))], "s2").unwrap();
    let query = Query::delta(snapshot("rbd/whole@s1"), snapshot("rbd/whole@s2"));
    let exact = list(&driver(cluster, &[]), query.clone()).await.unwrap();
    let blocks = list(&driver(cluster, &[]), Query { shape: Shape::Blocks, ..query.clone() }).await.unwrap();
    let whole = list(&driver(cluster, &["--rbd-whole-object"]), query).await.unwrap();
    let object = [OBJECT..2 * OBJECT];
    assert!(exact != object && covered(&(OBJECT + 4096..OBJECT + 4608), &exact), "{exact:?}");
    assert_eq!((&blocks[..], &whole[..]), (&object[..], &object[..]));
}

async fn refusals(cluster: &Cluster) {
    let driver = driver(cluster, &[]);
    for handle in
        ["no-such-pool/suite@base", "rbd/no-such-image@base", "rbd/no-such-namespace/suite@base", "rbd/suite@no"]
    {
        let refused = list(&driver, Query::allocated(snapshot(handle))).await.expect_err(handle);
        assert!(matches!(refused, Error::NotFound(_)), "{handle}: {refused:?}");
    }
    let backwards = Query::delta(snapshot("rbd/suite@target"), snapshot("rbd/suite@base"));
    let refused = list(&driver, backwards).await.expect_err("a list");
    assert!(matches!(refused, Error::NoDelta(_)), "{refused:?}");
    // Nobody checks it here, and nothing but its form is wrong with it.
    let pairs = [("userID", "admin"), ("userKey", "AQBSdFhcGSMAABAAiv1xsSZpkNaxMZyT3b2Bpg==")];
    let secrets: BTreeMap<_, _> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let query = Query { secrets, ..Query::allocated(snapshot("rbd/suite@base")) };
    assert!(!list(&driver, query).await.unwrap().is_empty());
}
