//! Raw and sparse images: compared.

use std::fs::{self, File};

use futures::{StreamExt, TryStreamExt};
use proto::cbt::{ChangedBlocks, Error, Query};

use crate::{
    command::register,
    disk::{CELL, Disk, Op, Random, outward},
    mount::Mount,
    subject::{BLOCK, Files, SIZE, allocated, apply, blocks, delta, folder, image, open, ranges},
};

/// Two images of a volume, and one of another.
async fn raw() -> Files {
    let (folder, mut random) = (folder(), Random::new(1));
    let mut ops = random.writes(SIZE, 20);
    let mut base = Disk::new(SIZE);
    base.apply(&ops);
    image(folder.path(), "monday.img", SIZE, &ops);
    let more = [random.writes(SIZE, 12), random.holes(SIZE, 4)].concat();
    ops.extend(more);
    let mut target = Disk::new(SIZE);
    target.apply(&ops);
    image(folder.path(), "tuesday.img", SIZE, &ops);
    fs::create_dir(folder.path().join("shop")).expect("a folder can be made");
    image(&folder.path().join("shop"), "monday.img", SIZE, &ops);
    let mut files = Files::new(folder, &base, target, CELL);
    files.truth.foreign = Some(crate::subject::snapshot("shop/monday"));
    files
}

proto::cbt_suite!(raw());

#[tokio::test]
async fn random_writes_and_holes_are_found_whatever_they_are() {
    for seed in 0..24 {
        let (folder, mut random) = (folder(), Random::new(100 + seed));
        let count = [0, 1, 8, 60][random.next(4) as usize];
        // Also volumes that grew, shrank, or end within a cell.
        let sizes = [0, 1].map(|_| (random.next(40 << 20) + 512) / 512 * 512);
        let [before, after] = if random.next(2) == 0 { [sizes[0]; 2] } else { sizes };
        let mut base = Disk::new(before);
        let ops = if before < CELL { vec![] } else { random.writes(before, count) };
        base.apply(&ops);
        let first = image(folder.path(), "monday.img", before, &ops);
        let second = folder.path().join("tuesday.img");
        crate::tool::run("cp", ["--sparse=always".as_ref(), first.as_os_str(), second.as_os_str()]);
        File::options().write(true).open(&second).and_then(|file| file.set_len(after)).expect("it can be so large");
        let mut target = Disk::new(after);
        let kept = base.bytes.len().min(target.bytes.len());
        target.bytes[..kept].copy_from_slice(&base.bytes[..kept]);
        if after >= CELL {
            let ops = [random.writes(after, count), random.holes(after, count / 4)].concat();
            target.apply(&ops);
            apply(&second, &ops);
        }
        let driver = open(folder.path());
        let expected = target.differs(&base);
        let (query, size) = (delta("default/monday", "default/tuesday"), target.size());
        assert_eq!(ranges(&driver, query.clone()).await.expect("it can be compared"), expected, "seed {seed}");
        let whole = ranges(&driver, blocks(query)).await.expect("it can be compared");
        let expected = outward(&expected, BLOCK, size.next_multiple_of(BLOCK));
        assert_eq!(whole, expected, "seed {seed} in blocks");
    }
}

#[tokio::test]
async fn allocated_is_what_the_file_system_says() {
    let (folder, mut random) = (folder(), Random::new(7));
    let path = image(folder.path(), "monday.img", SIZE, &random.writes(SIZE, 40));
    let driver = open(folder.path());
    let said = ranges(&driver, allocated("default/monday")).await.expect("it can be listed");
    assert_eq!(said, crate::reflink::mapped(&path, SIZE));
}

#[tokio::test]
async fn a_volume_without_a_difference_has_a_capacity() {
    let folder = folder();
    for name in ["monday.img", "tuesday.img"] {
        image(folder.path(), name, SIZE, &[]);
    }
    let messages = open(folder.path()).blocks(delta("default/monday", "default/tuesday")).await.expect("a list");
    let messages: Vec<_> = messages.try_collect().await.expect("a good one");
    assert_eq!(messages.iter().map(|message| (message.len(), message.capacity())).collect::<Vec<_>>(), [(0, SIZE)]);
}

#[tokio::test]
async fn an_image_that_changes_while_it_is_compared_is_an_error_after_the_last_good_entry() {
    type Change = fn(&File);
    let cut: Change = |file| file.set_len(4096).expect("it can be cut");
    let written: Change = |file| {
        use std::os::unix::fs::FileExt as _;
        file.write_all_at(b"other", 40 << 20).expect("it can be written to");
    };
    for (change, name) in [(cut, "tuesday.img"), (written, "tuesday.img"), (cut, "monday.img")] {
        let (folder, size) = (folder(), 100 << 20);
        image(folder.path(), "monday.img", size, &[]);
        // One range in each of the parts that are looked at at once.
        let parts: Vec<_> = (0..3).map(|part| Op::Write(part << 25..(part << 25) + CELL, 7)).collect();
        image(folder.path(), "tuesday.img", size, &parts);
        let query = Query { per_message: 1, ..delta("default/monday", "default/tuesday") };
        let mut messages = open(folder.path()).blocks(query).await.expect("a list");
        let first = messages.next().await.expect("a message").expect("a good one");
        assert_eq!(first.end(), CELL);
        let path = folder.path().join(name);
        change(&File::options().write(true).open(path).expect("it is there"));
        let rest: Vec<_> = messages.collect().await;
        assert!(matches!(rest.as_slice(), [Err(Error::Broken(_))]), "{rest:?}");
    }
}

#[tokio::test]
async fn what_was_listed_before_stays_readable_while_the_name_is_gone() {
    let (folder, mut random) = (folder(), Random::new(3));
    let ops = random.writes(SIZE, 30);
    let path = image(folder.path(), "monday.img", SIZE, &ops);
    let query = Query { per_message: 1, ..allocated("default/monday") };
    let driver = open(folder.path());
    let whole = ranges(&driver, query.clone()).await.expect("it can be listed");
    let messages = driver.blocks(query).await.expect("a list");
    fs::remove_file(path).expect("it can be removed");
    let listed: Vec<_> = messages.try_collect().await.expect("the open file is still the same");
    let listed = listed.iter().flat_map(|message| message.iter().map(|block| block.offset..block.offset + block.size));
    assert_eq!(crate::disk::merged(listed.collect::<Vec<_>>()), whole);
}

#[tokio::test]
async fn block_devices_are_images_too() {
    let (folder, elsewhere, mut random) = (folder(), folder(), Random::new(9));
    let ops = random.writes(SIZE, 10);
    let mut base = Disk::new(SIZE);
    base.apply(&ops);
    image(folder.path(), "monday.img", SIZE, &ops);
    let more = [ops, random.writes(SIZE, 5)].concat();
    let mut target = Disk::new(SIZE);
    target.apply(&more);
    let device = Mount::device(&image(elsewhere.path(), "image", SIZE, &more));
    register(folder.path(), "tuesday", "default", &["raw", &device.path().display().to_string()]);
    let driver = open(folder.path());
    let said = ranges(&driver, delta("default/monday", "default/tuesday")).await.expect("it can be compared");
    assert_eq!(said, target.differs(&base));
    // A device does not say where it has holes.
    assert_eq!(ranges(&driver, allocated("default/tuesday")).await.expect("it can be listed"), [0..SIZE]);
}
