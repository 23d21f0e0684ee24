//! qcow2 images: dirty bitmaps, images over images, and images that are compared.

use std::{ops::Range, path::Path};

use crate::{
    command::register,
    disk::{CELL, Disk, Op, Random, merged, outward},
    subject::{Files, SIZE, allocated, delta, folder, image, open, ranges},
    tool,
};

/// What a qcow2 image allocates, in bytes.
const CLUSTER: u64 = 64 << 10;

/// How two images of a volume came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// Each for itself.
    Copied,
    /// The later one is laid over the earlier one.
    Over,
    /// The later one has a bitmap of what was written since.
    Bitmap,
}

/// Writes with qemu's own tool.
fn write(image: &Path, ops: &[Op]) {
    let mut args = vec!["-f".to_owned(), "qcow2".to_owned()];
    for op in ops {
        let command = match op {
            Op::Write(range, byte) => format!("write -P {byte} {} {}", range.start, range.end - range.start),
            Op::Punch(range) => format!("write -z {} {}", range.start, range.end - range.start),
        };
        args.extend(["-c".to_owned(), command]);
    }
    tool::run("qemu-io", args.iter().map(String::as_str).chain([image.to_str().expect("a plain path")]));
}

fn convert(raw: &Path, qcow2: &Path) {
    let args = ["convert", "-f", "raw", "-O", "qcow2"].map(AsRef::as_ref);
    tool::run("qemu-img", args.into_iter().chain([raw.as_os_str(), qcow2.as_os_str()]));
}

/// `monday` and `tuesday`, and `monday` of another volume.
fn pair(folder: &Path, random: &mut Random, how: How) -> (Disk, Disk) {
    let ops = random.writes(SIZE, 20);
    let mut base = Disk::new(SIZE);
    base.apply(&ops);
    let raw = image(folder, "raw", SIZE, &ops);
    let [monday, tuesday] = ["monday.qcow2", "tuesday.qcow2"].map(|name| folder.join(name));
    convert(&raw, &monday);
    match how {
        How::Copied => convert(&raw, &tuesday),
        How::Over => {
            let args = ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", "monday.qcow2"].map(AsRef::as_ref);
            tool::run("qemu-img", args.into_iter().chain([tuesday.as_os_str()]));
        }
        How::Bitmap => {
            convert(&raw, &tuesday);
            let args = ["bitmap".as_ref(), "--add".as_ref(), tuesday.as_os_str(), "monday".as_ref()];
            tool::run("qemu-img", args);
        }
    }
    let ops = [random.writes(SIZE, 12), random.holes(SIZE, 4)].concat();
    write(&tuesday, &ops);
    let mut target = base.clone();
    target.apply(&ops);
    if how == How::Bitmap {
        let path = tuesday.display().to_string();
        register(folder, "tuesday", "default", &["qcow2", &path, "--bitmap", "monday"]);
    }
    (base, target)
}

fn subject(how: How) -> Files {
    let folder = folder();
    let (base, target) = pair(folder.path(), &mut Random::new(11), how);
    std::fs::create_dir(folder.path().join("shop")).expect("a folder can be made");
    std::fs::copy(folder.path().join("monday.qcow2"), folder.path().join("shop/monday.qcow2")).expect("a copy");
    // A hole within a cluster leaves the cluster.
    let written = map(&folder.path().join("tuesday.qcow2")).filter(|part| !part.zero);
    let written = merged(written.map(|part| part.range));
    // So does a write of what was there before, where writes are what is known.
    let changed = if how == How::Copied { target.differs(&base) } else { touched(folder.path(), how) };
    let mut files = Files::new(folder, &base, target, CLUSTER);
    files.truth.allocated = written;
    files.truth.changed = changed;
    files.truth.foreign = Some(crate::subject::snapshot("shop/monday"));
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_passes_on_images_that_are_compared() {
    let files = subject(How::Copied);
    proto::cbt_suite!(in turn &files);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_passes_on_an_image_over_another() {
    let files = subject(How::Over);
    proto::cbt_suite!(in turn &files);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_passes_on_an_image_with_a_bitmap() {
    let files = subject(How::Bitmap);
    proto::cbt_suite!(in turn &files);
}

#[tokio::test]
async fn a_delta_is_what_changed() {
    for seed in 0..4 {
        for how in [How::Copied, How::Over, How::Bitmap] {
            let folder = folder();
            let (base, target) = pair(folder.path(), &mut Random::new(300 + seed), how);
            let changed = target.differs(&base);
            let driver = open(folder.path());
            let said = ranges(&driver, delta("default/monday", "default/tuesday")).await.expect("there is a delta");
            if how == How::Copied {
                // Compared, and so exact.
                assert_eq!(said, changed, "seed {seed}");
            }
            assert_eq!(missing(&changed, &said), [], "seed {seed} {how:?}");
            assert_eq!(missing(&said, &touched(folder.path(), how)), [], "seed {seed} {how:?}");
        }
    }
}

/// What may be said to have changed: all that was written to since.
fn touched(folder: &Path, how: How) -> Vec<Range<u64>> {
    let image = folder.join("tuesday.qcow2");
    match how {
        How::Copied => vec![0..SIZE],
        How::Over => merged(map(&image).filter(|part| part.depth == 0).map(|part| part.range)),
        How::Bitmap => dirty(&image, "monday"),
    }
}

/// Those of `ranges` that are not covered by `others`.
fn missing(ranges: &[Range<u64>], others: &[Range<u64>]) -> Vec<Range<u64>> {
    let covered = |range: &Range<u64>| others.iter().any(|other| other.start <= range.start && range.end <= other.end);
    ranges.iter().filter(|range| !covered(range)).cloned().collect()
}

/// A part of an image, as `qemu-img map` says.
struct Part {
    range: Range<u64>,
    depth: u64,
    zero: bool,
}

fn map(image: &Path) -> impl Iterator<Item = Part> + use<> {
    let args = ["map".as_ref(), "--output=json".as_ref(), image.as_os_str()];
    let said: serde_json::Value = serde_json::from_str(&tool::run("qemu-img", args)).expect("it is JSON");
    let parts = said.as_array().cloned().unwrap_or_default();
    parts.into_iter().map(|part| {
        let number = |name: &str| part[name].as_u64().unwrap_or_else(|| panic!("{name} in {part}"));
        let start = number("start");
        Part { range: start..start + number("length"), depth: number("depth"), zero: part["zero"] == true }
    })
}

/// What a bitmap says, by `nbdinfo`.
fn dirty(image: &Path, bitmap: &str) -> Vec<Range<u64>> {
    let context = format!("--map=qemu:dirty-bitmap:{bitmap}");
    let image = image.display().to_string();
    let server = ["[", "qemu-nbd", "-r", "-f", "qcow2", "-B", bitmap, &image, "]"];
    let said = tool::run("nbdinfo", [context.as_str(), "--json", "--"].into_iter().chain(server));
    let said: serde_json::Value = serde_json::from_str(&said).expect("it is JSON");
    let parts = said.as_array().expect("it is a list");
    merged(parts.iter().filter(|part| part["type"] == 1).map(|part| {
        let start = part["offset"].as_u64().expect("an offset");
        start..start + part["length"].as_u64().expect("a length")
    }))
}

#[tokio::test]
async fn allocated_is_what_qemu_says() {
    for how in [How::Copied, How::Over] {
        let folder = folder();
        pair(folder.path(), &mut Random::new(12), how);
        let said = ranges(&open(folder.path()), allocated("default/tuesday")).await.expect("it can be listed");
        let parts = map(&folder.path().join("tuesday.qcow2")).filter(|part| !part.zero);
        assert_eq!(said, merged(parts.map(|part| part.range)), "{how:?}");
    }
}

#[tokio::test]
async fn a_bitmap_and_a_layer_are_believed() {
    for (how, expected) in [(How::Copied, 0), (How::Over, 1), (How::Bitmap, 1)] {
        let folder = folder();
        let (base, target) = pair(folder.path(), &mut Random::new(13), how);
        let driver = open(folder.path());
        let query = delta("default/monday", "default/tuesday");
        let before = ranges(&driver, query.clone()).await.expect("a delta");
        // The same bytes again, where nothing was written to: only a comparison sees that nothing changed.
        let untouched = base.allocated().into_iter().find(|range| {
            let near = outward(std::slice::from_ref(range), CLUSTER, SIZE);
            range.start.is_multiple_of(CELL)
                && !before.iter().any(|said| near.iter().any(|near| said.start < near.end && near.start < said.end))
        });
        let untouched = untouched.expect("something was not written to again");
        let cell = untouched.start..untouched.start + CELL;
        write(&folder.path().join("tuesday.qcow2"), &[Op::Write(cell.clone(), target.bytes[cell.start as usize])]);
        let after = ranges(&driver, query).await.expect("a delta");
        assert_eq!(
            after.iter().filter(|range| range.start <= cell.start && cell.end <= range.end).count(),
            expected,
            "{how:?}"
        );
    }
}

#[tokio::test]
async fn a_chain_is_followed_to_a_raw_image() {
    let (folder, mut random) = (folder(), Random::new(14));
    let mut disks = vec![Disk::new(SIZE)];
    let ops = random.writes(SIZE, 10);
    disks[0].apply(&ops);
    image(folder.path(), "day-0.img", SIZE, &ops);
    for day in 1..5usize {
        let (below, format) =
            if day == 1 { ("day-0.img".to_owned(), "raw") } else { (format!("day-{}.qcow2", day - 1), "qcow2") };
        // Named as people do: by itself, or by its whole path.
        let below = if day % 2 == 0 { folder.path().join(below).display().to_string() } else { below };
        let path = folder.path().join(format!("day-{day}.qcow2"));
        let args = ["create", "-q", "-f", "qcow2", "-F", format, "-b", &below].map(AsRef::as_ref);
        tool::run("qemu-img", args.into_iter().chain([path.as_os_str()]));
        let ops = random.writes(SIZE, 3);
        write(&path, &ops);
        let mut disk = disks[day - 1].clone();
        disk.apply(&ops);
        disks.push(disk);
    }
    let driver = open(folder.path());
    for (base, target) in [(0, 1), (0, 4), (1, 3), (3, 4), (4, 2)] {
        let query = delta(&format!("default/day-{base}"), &format!("default/day-{target}"));
        let said = ranges(&driver, query).await.expect("there is a delta");
        let changed = disks[target].differs(&disks[base]);
        assert_eq!(missing(&changed, &said), [], "{base} {target}");
        if base > target {
            // No layer says what changes backwards.
            assert_eq!(said, changed);
        } else {
            assert_eq!(missing(&said, &outward(&changed, CLUSTER, SIZE)), [], "{base} {target}");
        }
    }
}

#[tokio::test]
async fn a_bitmap_that_is_not_there_is_no_reason_to_say_less() {
    let folder = folder();
    let (base, target) = pair(folder.path(), &mut Random::new(15), How::Copied);
    let path = folder.path().join("tuesday.qcow2").display().to_string();
    register(folder.path(), "tuesday", "default", &["qcow2", &path, "--bitmap", "monday"]);
    let said = ranges(&open(folder.path()), delta("default/monday", "default/tuesday")).await.expect("a delta");
    assert_eq!(said, target.differs(&base));
}

#[tokio::test]
async fn an_image_that_is_being_written_to_is_not_ready() {
    let folder = folder();
    let path = folder.path().join("monday.qcow2");
    tool::run(
        "qemu-img",
        ["create".as_ref(), "-q".as_ref(), "-f".as_ref(), "qcow2".as_ref(), path.as_os_str(), "1M".as_ref()],
    );
    let log = folder.path().join("log");
    let socket = folder.path().join("sock").display().to_string();
    let args = ["-f", "qcow2", "-t", "-k", &socket, path.to_str().expect("a plain path")].map(str::to_owned);
    let mut writer = kit::Process::spawn("qemu-nbd", Path::new("qemu-nbd"), &args, &log).expect("it starts");
    kit::eventually!(Path::new(&socket).exists(), "it serves");
    writer.ensure_running().expect("it runs");
    let refused = ranges(&open(folder.path()), allocated("default/monday")).await;
    assert!(matches!(refused, Err(proto::cbt::Error::NotReady(_))), "{refused:?}");
}

#[tokio::test]
async fn a_raw_image_and_a_qcow2_image_are_compared() {
    let (folder, mut random) = (folder(), Random::new(16));
    let (mut base, ops) = (Disk::new(SIZE), random.writes(SIZE, 10));
    base.apply(&ops);
    image(folder.path(), "monday.img", SIZE, &ops);
    let (mut target, more) = (base.clone(), random.writes(SIZE, 5));
    target.apply(&more);
    let raw = image(folder.path(), "raw", SIZE, &[ops, more].concat());
    convert(&raw, &folder.path().join("tuesday.qcow2"));
    let said = ranges(&open(folder.path()), delta("default/monday", "default/tuesday")).await.expect("a delta");
    assert_eq!(said, target.differs(&base));
    assert_ne!(said, []);
}
