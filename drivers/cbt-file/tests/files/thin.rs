//! Metadata of thin pools, made by `thin_restore`.

use std::{collections::BTreeMap, fmt::Write as _, fs, ops::Range, path::Path};

use futures::TryStreamExt;
use proto::cbt::{ChangedBlocks, Error, Kind, Query};

use crate::{
    command::register,
    disk::{Disk, Random, merged},
    subject::{Files, allocated, blocks, delta, folder, open, ranges},
    tool,
};

/// The size of a pool's blocks: in sectors, and in bytes.
const SECTORS: u64 = 384;
const BLOCK: u64 = SECTORS * 512;
/// Blocks of a volume.
const BLOCKS: u64 = 3000;

/// Where the blocks of a device are in the pool.
type Device = BTreeMap<u64, u64>;

/// Two devices of a pool: the second began as the first.
fn pair(random: &mut Random) -> (Device, Device) {
    let mut free = 0..;
    let mut place = || free.next().expect("numbers do not end");
    let mut touch = |device: &mut Device, random: &mut Random, count: u64| {
        for _ in 0..count {
            let start = random.next(BLOCKS);
            for block in start..(start + 1 + random.next(20)).min(BLOCKS) {
                device.insert(block, place());
            }
        }
        device.insert(BLOCKS - 1, place());
    };
    let mut base = Device::new();
    touch(&mut base, random, 30);
    let mut target = base.clone();
    touch(&mut target, random, 10);
    for _ in 0..5 {
        target.remove(&random.next(BLOCKS));
    }
    (base, target)
}

/// The metadata of a pool with these devices, numbered from 1.
fn metadata(folder: &Path, devices: &[&Device]) -> String {
    let mut xml = format!(
        "<superblock uuid=\"\" time=\"1\" transaction=\"1\" data_block_size=\"{SECTORS}\" nr_data_blocks=\"100000\">\n"
    );
    for (number, device) in devices.iter().enumerate() {
        let (id, mapped) = (number + 1, device.len());
        writeln!(
            xml,
            "<device dev_id=\"{id}\" mapped_blocks=\"{mapped}\" transaction=\"0\" creation_time=\"0\" snap_time=\"1\">"
        )
        .expect("memory can be written to");
        for (block, place) in *device {
            writeln!(xml, "<single_mapping origin_block=\"{block}\" data_block=\"{place}\" time=\"0\"/>")
                .expect("memory can be written to");
        }
        xml.push_str("</device>\n");
    }
    xml.push_str("</superblock>\n");
    let (input, output) = (folder.join("pool.xml"), folder.join("pool.bin"));
    fs::write(&input, xml).expect("a file can be written");
    fs::File::create(&output).and_then(|file| file.set_len(8 << 20)).expect("a file can be made");
    tool::run("thin_restore", ["-i".as_ref(), input.as_os_str(), "-o".as_ref(), output.as_os_str()]);
    output.display().to_string()
}

fn bytes(blocks: impl IntoIterator<Item = u64>) -> Vec<Range<u64>> {
    merged(blocks.into_iter().map(|block| block * BLOCK..(block + 1) * BLOCK))
}

fn registered(folder: &Path, metadata: &str) {
    let size = (BLOCKS * BLOCK).to_string();
    for (name, device) in [("monday", "1"), ("tuesday", "2"), ("gone", "9")] {
        register(folder, name, "data", &["thin", metadata, "--device", device, "--size", &size]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_passes() {
    let folder = folder();
    let (base, target) = pair(&mut Random::new(21));
    registered(folder.path(), &metadata(folder.path(), &[&base, &target]));
    let none = Disk::new(0);
    let mut files = Files::new(folder, &none, none.clone(), BLOCK);
    files.truth.capacity = BLOCKS * BLOCK;
    files.truth.allocated = bytes(target.keys().copied());
    files.truth.changed = bytes((0..BLOCKS).filter(|block| base.get(block) != target.get(block)));
    proto::cbt_suite!(in turn &files);
}

#[tokio::test]
async fn a_delta_is_what_thin_delta_says() {
    for seed in 0..6 {
        let folder = folder();
        let (base, target) = pair(&mut Random::new(400 + seed));
        let pool = metadata(folder.path(), &[&base, &target]);
        registered(folder.path(), &pool);
        let driver = open(folder.path());
        let said = ranges(&driver, delta("default/monday", "default/tuesday")).await.expect("a delta");
        assert_eq!(said, bytes((0..BLOCKS).filter(|block| base.get(block) != target.get(block))));
        assert_eq!(said, thin_delta(&pool));
        let listed = ranges(&driver, allocated("default/tuesday")).await.expect("it can be listed");
        assert_eq!(listed, bytes(target.into_keys()));
    }
}

/// What the tool says, read in another way: line by line.
fn thin_delta(pool: &str) -> Vec<Range<u64>> {
    let said = tool::run("thin_delta", ["--snap1", "1", "--snap2", "2", pool]);
    let number = |line: &str, name: &str| -> u64 {
        let (_, rest) = line.split_once(&format!("{name}=\"")).expect("it has the number");
        rest.split('"').next().and_then(|number| number.parse().ok()).expect("it is a number")
    };
    let lines = said.lines().map(str::trim);
    let changed =
        lines.filter(|line| ["<different", "<left_only", "<right_only"].iter().any(|kind| line.starts_with(kind)));
    merged(changed.map(|line| {
        let start = number(line, "begin") * BLOCK;
        start..start + number(line, "length") * BLOCK
    }))
}

#[tokio::test]
async fn entries_are_the_blocks_of_the_pool() {
    let folder = folder();
    let (base, target) = pair(&mut Random::new(22));
    registered(folder.path(), &metadata(folder.path(), &[&base, &target]));
    let driver = open(folder.path());
    let query = delta("default/monday", "default/tuesday");
    for query in [query.clone(), Query { tokens: true, ..blocks(query) }] {
        let messages = driver.blocks(query).await.expect("a list");
        let messages: Vec<_> = messages.try_collect().await.expect("a good one");
        assert!(messages.iter().all(|message| message.kind() == Kind::Fixed));
        assert!(
            messages
                .iter()
                .flat_map(|message| message.iter())
                .all(|block| block.size == BLOCK && block.token.is_empty())
        );
    }
}

#[tokio::test]
async fn what_is_not_in_a_pool_is_said() {
    let (folder, other) = (folder(), folder());
    let (base, target) = pair(&mut Random::new(23));
    registered(folder.path(), &metadata(folder.path(), &[&base, &target]));
    let elsewhere = metadata(other.path(), &[&base]);
    register(folder.path(), "elsewhere", "data", &["thin", &elsewhere, "--device", "1", "--size", "1048576"]);
    let garbage = other.path().join("garbage");
    fs::write(&garbage, [7; 10_000]).expect("a file can be written");
    let garbage = garbage.display().to_string();
    register(folder.path(), "garbage", "data", &["thin", &garbage, "--device", "1", "--size", "1048576"]);
    let driver = open(folder.path());
    let gone = ranges(&driver, allocated("default/gone")).await;
    assert!(matches!(gone, Err(Error::NotFound(_))), "{gone:?}");
    let gone = ranges(&driver, delta("default/monday", "default/gone")).await;
    assert!(matches!(gone, Err(Error::Unavailable(_))), "{gone:?}");
    let another = ranges(&driver, delta("default/monday", "default/elsewhere")).await;
    assert!(matches!(another, Err(Error::NoDelta(_))), "{another:?}");
    register(folder.path(), "small", "data", &["thin", &elsewhere, "--device", "1", "--size", "1048576"]);
    let small = ranges(&driver, allocated("default/small")).await;
    assert!(matches!(&small, Err(Error::Broken(why)) if why.contains("size")), "{small:?}");
    let garbage = ranges(&driver, allocated("default/garbage")).await;
    assert!(matches!(garbage, Err(Error::Broken(_))), "{garbage:?}");
}
