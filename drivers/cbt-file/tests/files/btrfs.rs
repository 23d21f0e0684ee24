//! Images in subvolumes of btrfs.

use std::{fs, ops::Range, path::Path};

use crate::{
    command::register,
    disk::{CELL, Disk, Op, Random, merged},
    mount::Mount,
    subject::{Files, SIZE, apply, delta, folder, image, open, ranges},
    tool,
};

const BTRFS: &[&str] = &["mkfs.btrfs", "-q"];
const ROOM: u64 = 512;
/// Where the image is at first.
const IMAGE: &str = "disks/vol.img";

fn btrfs<const N: usize>(args: [&str; N], paths: &[&Path]) -> String {
    tool::run("btrfs", args.map(AsRef::as_ref).into_iter().chain(paths.iter().map(|path| path.as_os_str())))
}

/// A subvolume with an image, and two snapshots of it; `between` is done to the subvolume between them.
struct Snapshots {
    mount: Mount,
    base: Disk,
    target: Disk,
}

// === impl Snapshots ===

impl Snapshots {
    fn new(random: &mut Random, between: impl FnOnce(&Path)) -> Self {
        Self::with(random, |_| {}, between)
    }

    /// `before` is done to the subvolume before the first, `between` between the two.
    fn with(random: &mut Random, before: impl FnOnce(&Path), between: impl FnOnce(&Path)) -> Self {
        let mount = Mount::new(BTRFS, ROOM);
        let [live, monday, tuesday] = ["live", "monday", "tuesday"].map(|name| mount.path().join(name));
        btrfs(["-q", "subvolume", "create"], &[&live]);
        fs::create_dir(live.join("disks")).expect("a folder can be made");
        let ops = random.writes(SIZE, 20);
        let path = image(&live.join("disks"), "vol.img", SIZE, &ops);
        let mut base = Disk::new(SIZE);
        base.apply(&ops);
        before(&live);
        btrfs(["-q", "subvolume", "snapshot", "-r"], &[&live, &monday]);
        let ops = [random.writes(SIZE, 12), random.holes(SIZE, 4)].concat();
        apply(&path, &ops);
        let mut target = base.clone();
        target.apply(&ops);
        between(&live);
        btrfs(["-q", "subvolume", "snapshot", "-r"], &[&live, &tuesday]);
        Self { mount, base, target }
    }

    /// Registers both in `folder`, with the paths of their images in their subvolumes.
    fn register(&self, folder: &Path, paths: [&str; 2]) {
        for (name, path) in ["monday", "tuesday"].into_iter().zip(paths) {
            let file = format!("{}:{path}", self.mount.path().join(name).display());
            register(folder, name, "data", &["btrfs", &file]);
        }
    }

    /// What `btrfs receive --dump` says of what was sent of the file at `path`.
    fn sent(&self, path: &str) -> Vec<Range<u64>> {
        let [monday, tuesday] = ["monday", "tuesday"].map(|name| self.mount.path().join(name).display().to_string());
        let line = format!("btrfs send -q --no-data -p {monday} {tuesday} | btrfs receive --dump");
        let said = tool::run("sh", ["-c", &line]);
        let of_data = |line: &&str| ["update_extent", "clone"].iter().any(|kind| line.starts_with(kind));
        let changes = said.lines().filter(of_data).filter(|line| line.contains(path));
        let mut changes: Vec<_> = changes.map(change).collect();
        changes.sort_unstable_by_key(|change| change.start);
        merged(changes)
    }
}

fn change(line: &str) -> Range<u64> {
    let number = |name: &str| -> u64 {
        let (_, rest) = line.split_once(&format!("{name}=")).expect("it has the number");
        rest.split_whitespace().next().and_then(|number| number.parse().ok()).expect("it is a number")
    };
    number("offset")..(number("offset") + number("len")).min(SIZE)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_passes() {
    let folder = folder();
    let snapshots = Snapshots::new(&mut Random::new(31), |_| {});
    snapshots.register(folder.path(), [IMAGE; 2]);
    let Snapshots { mount, base, target } = snapshots;
    let mut files = Files::new(folder, &base, target, CELL);
    files.keep.push(Box::new(mount));
    proto::cbt_suite!(in turn &files);
}

#[tokio::test]
async fn a_delta_is_what_btrfs_sends_also_of_a_file_that_was_renamed() {
    for (seed, path) in ["disks/vol.img", "disks/other.img", "moved/vol.img"].into_iter().enumerate() {
        let folder = folder();
        let snapshots = Snapshots::new(&mut Random::new(500 + seed as u64), |live| {
            if path.starts_with("moved") {
                fs::rename(live.join("disks"), live.join("moved")).expect("a folder can be renamed");
            }
            if path != "disks/vol.img" && path != "moved/vol.img" {
                fs::rename(live.join("disks/vol.img"), live.join(path)).expect("a file can be renamed");
            }
            fs::write(live.join("bystander"), [1; 100_000]).expect("a file can be written");
        });
        snapshots.register(folder.path(), [IMAGE, path]);
        let said = ranges(&open(folder.path()), delta("default/monday", "default/tuesday")).await.expect("a delta");
        assert_eq!(said, snapshots.sent(path), "{path}");
        let changed = snapshots.target.differs(&snapshots.base);
        let missed: Vec<_> = changed.iter().filter(|range| !covers(&said, range)).collect();
        assert_eq!(missed, Vec::<&Range<u64>>::new(), "{path}");
    }
}

fn covers(ranges: &[Range<u64>], range: &Range<u64>) -> bool {
    ranges.iter().any(|other| other.start <= range.start && range.end <= other.end)
}

#[tokio::test]
async fn what_is_sent_is_believed_and_a_file_that_was_replaced_is_compared() {
    for (replaced, expected) in [(false, true), (true, false)] {
        let folder = folder();
        let mut written = 0..0;
        let snapshots = Snapshots::new(&mut Random::new(41), |live| {
            let path = live.join("disks/vol.img");
            if replaced {
                let copy = live.join("copy");
                fs::copy(&path, &copy).and_then(|_| fs::rename(&copy, &path)).expect("a file can be replaced");
            }
            // The same bytes again: only a comparison sees that nothing changed.
            let bytes = fs::read(&path).expect("it can be read");
            let cells = bytes.chunks_exact(CELL as usize);
            let cell = cells.enumerate().find(|(_, cell)| cell[0] != 0).expect("something was written").0 as u64;
            written = cell * CELL..(cell + 1) * CELL;
            apply(&path, &[Op::Write(written.clone(), bytes[written.start as usize])]);
        });
        snapshots.register(folder.path(), [IMAGE; 2]);
        let said = ranges(&open(folder.path()), delta("default/monday", "default/tuesday")).await.expect("a delta");
        let changed = snapshots.target.differs(&snapshots.base);
        if replaced {
            assert_eq!(said, changed);
        }
        assert!(covers(&changed, &written) || covers(&said, &written) == expected, "replaced {replaced}");
        assert!(!covers(&changed, &written), "the test must not write what was written to since");
    }
}

#[tokio::test]
async fn subvolumes_that_cannot_be_sent_are_compared() {
    let folder = folder();
    let snapshots = Snapshots::new(&mut Random::new(42), |_| {});
    // btrfs sends only what nobody can write to.
    for name in ["monday", "tuesday"] {
        let args = ["property", "set", "-f"].map(AsRef::as_ref);
        let path = snapshots.mount.path().join(name);
        tool::run("btrfs", args.into_iter().chain([path.as_os_str(), "ro".as_ref(), "false".as_ref()]));
    }
    snapshots.register(folder.path(), [IMAGE; 2]);
    let said = ranges(&open(folder.path()), delta("default/monday", "default/tuesday")).await.expect("a delta");
    assert_eq!(said, snapshots.target.differs(&snapshots.base));
}

#[tokio::test]
async fn a_file_with_two_names_is_compared() {
    let link =
        |live: &Path| fs::hard_link(live.join(IMAGE), live.join("disks/second.img")).expect("a link can be made");
    let snapshots = Snapshots::with(&mut Random::new(43), link, |_| {});
    for path in [IMAGE, "disks/second.img"] {
        let folder = folder();
        snapshots.register(folder.path(), [path; 2]);
        let said = ranges(&open(folder.path()), delta("default/monday", "default/tuesday")).await.expect("a delta");
        assert_eq!(said, snapshots.target.differs(&snapshots.base), "{path}");
    }
}
