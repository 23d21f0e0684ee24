//! Files that share extents, on XFS.

use std::{fs, ops::Range, os::unix::fs::FileExt, path::Path};

use crate::{
    disk::{CELL, Disk, Op, Random, merged},
    mount::Mount,
    subject::{BLOCK, Files, SIZE, apply, blocks, config, delta, folder, image, open, ranges},
    tool,
};

const XFS: &[&str] = &["mkfs.xfs", "-q", "-m", "reflink=1"];
/// What XFS needs, in MiB.
const ROOM: u64 = 512;

/// Where each mapped cell of a file is on disk, as `filefrag -v` shows it.
fn filefrag(file: &Path, size: u64) -> Vec<Option<u64>> {
    let mut places = vec![None; size.div_ceil(CELL) as usize];
    let said = tool::run("filefrag", ["-v".as_ref(), "-s".as_ref(), file.as_os_str()]);
    for line in said.lines() {
        let fields: Vec<_> = line.split([':', '.']).map(|field| field.trim().parse::<usize>()).collect();
        // number: first.. last: first on disk.. last on disk: …
        if let [Ok(_), Ok(first), _, Ok(last), Ok(place), ..] = fields.as_slice() {
            (*first..=*last).for_each(|cell| places[cell] = Some((place + cell - first) as u64));
        }
    }
    places
}

/// The cells of a file that are mapped.
pub(crate) fn mapped(file: &Path, size: u64) -> Vec<Range<u64>> {
    let places = filefrag(file, size);
    merged(places.iter().enumerate().filter(|(_, place)| place.is_some()).map(|(cell, _)| bytes(cell, size)))
}

fn bytes(cell: usize, size: u64) -> Range<u64> {
    let start = cell as u64 * CELL;
    start..(start + CELL).min(size)
}

/// `tuesday` is a copy of `monday` that shares what was not written to since.
fn pair(folder: &Path, random: &mut Random) -> (Disk, Disk) {
    let ops = random.writes(SIZE, 20);
    let monday = image(folder, "monday.img", SIZE, &ops);
    let mut base = Disk::new(SIZE);
    base.apply(&ops);
    let tuesday = folder.join("tuesday.img");
    tool::run("cp", ["--reflink=always".as_ref(), monday.as_os_str(), tuesday.as_os_str()]);
    let ops = [random.writes(SIZE, 12), random.holes(SIZE, 4)].concat();
    apply(&tuesday, &ops);
    let mut target = base.clone();
    target.apply(&ops);
    (base, target)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_passes() {
    let mount = Mount::new(XFS, ROOM);
    let folder = tempfile::tempdir_in(mount.path()).expect("a folder can be made");
    let (base, target) = pair(folder.path(), &mut Random::new(5));
    let mut files = Files::new(folder, &base, target, CELL);
    files.keep.push(Box::new(mount));
    proto::cbt_suite!(in turn &files);
}

#[tokio::test]
async fn a_delta_is_what_does_not_lie_at_the_same_place_on_disk() {
    let mount = Mount::new(XFS, ROOM);
    for seed in 0..8 {
        let folder = tempfile::tempdir_in(mount.path()).expect("a folder can be made");
        let (base, target) = pair(folder.path(), &mut Random::new(200 + seed));
        let [before, after] = ["monday.img", "tuesday.img"].map(|name| filefrag(&folder.path().join(name), SIZE));
        let moved = before.iter().zip(&after).enumerate().filter(|(_, (before, after))| before != after);
        let moved = merged(moved.map(|(cell, _)| bytes(cell, SIZE)));
        let said = ranges(&open(folder.path()), delta("default/monday", "default/tuesday")).await;
        let said = said.expect("there is a delta");
        assert_eq!(said, moved, "seed {seed}");
        let missed: Vec<_> = target.differs(&base).into_iter().filter(|range| !covers(&said, range)).collect();
        assert_eq!(missed, [], "seed {seed}");
    }
}

fn covers(ranges: &[Range<u64>], range: &Range<u64>) -> bool {
    ranges.iter().any(|other| other.start <= range.start && range.end <= other.end)
}

#[tokio::test]
async fn what_is_shared_is_believed_and_what_is_copied_is_compared() {
    let mount = Mount::new(XFS, ROOM);
    for (reflink, expected) in [(true, 1), (false, 0)] {
        let folder = tempfile::tempdir_in(mount.path()).expect("a folder can be made");
        let same = Op::Write(BLOCK..2 * BLOCK, 9);
        let monday = image(folder.path(), "monday.img", SIZE, &[Op::Write(0..8 * BLOCK, 9)]);
        let tuesday = folder.path().join("tuesday.img");
        let how = if reflink { "--reflink=always" } else { "--reflink=never" };
        tool::run("cp", [how.as_ref(), monday.as_os_str(), tuesday.as_os_str()]);
        // The same bytes again: only a comparison sees that nothing changed.
        apply(&tuesday, &[same]);
        let driver = open(folder.path());
        for query in [delta("default/monday", "default/tuesday"), blocks(delta("default/monday", "default/tuesday"))] {
            assert_eq!(ranges(&driver, query).await.expect("a delta").len(), expected, "reflink {reflink}");
        }
    }
}

#[tokio::test]
async fn what_is_preallocated_is_compared() {
    let mount = Mount::new(XFS, ROOM);
    let folder = tempfile::tempdir_in(mount.path()).expect("a folder can be made");
    let monday = image(folder.path(), "monday.img", SIZE, &[Op::Write(0..BLOCK, 9)]);
    let tuesday = folder.path().join("tuesday.img");
    tool::run("cp", ["--reflink=always".as_ref(), monday.as_os_str(), tuesday.as_os_str()]);
    let file = fs::File::options().write(true).open(&tuesday).expect("it is there");
    let flags = rustix::fs::FallocateFlags::KEEP_SIZE;
    rustix::fs::fallocate(&file, flags, 4 * BLOCK, 4 * BLOCK).expect("it can be preallocated");
    apply(&tuesday, &[Op::Write(5 * BLOCK..5 * BLOCK + CELL, 3)]);
    let said = ranges(&open(folder.path()), delta("default/monday", "default/tuesday")).await.expect("a delta");
    assert_eq!(said, [5 * BLOCK..5 * BLOCK + CELL]);
}

#[tokio::test]
async fn two_file_systems_share_nothing() {
    let mount = Mount::new(XFS, ROOM);
    let folder = folder();
    let ops = [Op::Write(0..BLOCK, 9)];
    image(folder.path(), "monday.img", SIZE, &ops);
    let elsewhere = image(mount.path(), "tuesday.img", SIZE, &[&ops[..], &[Op::Write(BLOCK..2 * BLOCK, 9)]].concat());
    crate::command::register(folder.path(), "tuesday", "default", &["raw", &elsewhere.display().to_string()]);
    let driver = cbt_file::Driver::open(&config(folder.path()), runtime::clock::system()).expect("it can be opened");
    let said = ranges(&driver, delta("default/monday", "default/tuesday")).await.expect("a delta");
    assert_eq!(said, [BLOCK..2 * BLOCK]);
}

#[tokio::test]
async fn what_lies_on_disk_as_something_else_is_compared() {
    let mount = Mount::new(&["mkfs.btrfs", "-q"], ROOM);
    let folder = tempfile::tempdir_in(mount.path()).expect("a folder can be made");
    let monday = image(folder.path(), "monday.img", SIZE, &[]);
    tool::run(
        "btrfs",
        ["property".as_ref(), "set".as_ref(), monday.as_os_str(), "compression".as_ref(), "zstd".as_ref()],
    );
    // Half of it cannot be compressed, so that something is shared as it is.
    let mut random = Random::new(6);
    let bytes: Vec<u8> = (0..64 * CELL).map(|_| random.next(256) as u8).collect();
    let file = fs::File::options().write(true).open(&monday).expect("it is there");
    file.write_all_at(&bytes, 0).expect("there is room");
    apply(&monday, &[Op::Write(16 * BLOCK..32 * BLOCK, 7)]);
    let tuesday = folder.path().join("tuesday.img");
    tool::run("cp", ["--reflink=always".as_ref(), monday.as_os_str(), tuesday.as_os_str()]);
    apply(&tuesday, &[Op::Write(20 * BLOCK..22 * BLOCK, 8), Op::Write(24 * BLOCK..25 * BLOCK, 7)]);
    let shown = tool::run("filefrag", ["-v".as_ref(), tuesday.as_os_str()]);
    assert!(shown.contains("encoded") && shown.contains("shared"), "{shown}");
    let said = ranges(&open(folder.path()), delta("default/monday", "default/tuesday")).await.expect("a delta");
    assert_eq!(said, [20 * BLOCK..22 * BLOCK]);
}
