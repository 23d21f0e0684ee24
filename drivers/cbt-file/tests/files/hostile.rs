//! Images that somebody made to do harm, or that something broke.

use std::{fs, path::Path};

use proto::cbt::Error;

use crate::{
    disk::{CELL, Op, Random},
    subject::{SIZE, allocated, delta, folder, image, open, ranges},
    tool,
};

fn create(path: &Path, args: &[&str]) {
    let before = ["create", "-q", "-f", "qcow2"].iter().map(AsRef::as_ref);
    tool::run("qemu-img", before.chain([path.as_os_str()]).chain(args.iter().map(AsRef::as_ref)));
}

#[tokio::test]
async fn a_qcow2_image_cut_short_is_an_error_or_reads_as_what_is_left() {
    let folder = folder();
    let raw = image(folder.path(), "raw", SIZE, &Random::new(51).writes(SIZE, 10));
    let whole = folder.path().join("whole");
    let args = ["convert", "-f", "raw", "-O", "qcow2"].map(AsRef::as_ref);
    tool::run("qemu-img", args.into_iter().chain([raw.as_os_str(), whole.as_os_str()]));
    let bytes = fs::read(&whole).expect("it is there");
    image(folder.path(), "monday.img", SIZE, &[]);
    let driver = open(folder.path());
    let header: Vec<_> = [0, 3, 4, 71, 103].to_vec();
    let tables = [0x1_0000, 0x2_0000, 0x3_0000, 0x4_0000, bytes.len() / 2, bytes.len() - 1];
    for length in header.into_iter().chain(tables) {
        fs::write(folder.path().join("tuesday.qcow2"), &bytes[..length]).expect("it can be written");
        let listed = ranges(&driver, allocated("default/tuesday")).await;
        let compared = ranges(&driver, delta("default/monday", "default/tuesday")).await;
        if length < 104 {
            assert!(matches!(listed, Err(Error::Broken(_))), "{length}: {listed:?}");
            assert!(matches!(compared, Err(Error::Broken(_))), "{length}: {compared:?}");
        }
    }
}

#[tokio::test]
async fn garbage_in_a_qcow2_image_never_hangs_or_ends_the_driver() {
    let (folder, mut random) = (folder(), Random::new(52));
    let good = folder.path().join("good");
    create(&good, &["4M"]);
    tool::run(
        "qemu-io",
        ["-f".as_ref(), "qcow2".as_ref(), "-c".as_ref(), "write -P 3 0 1M".as_ref(), good.as_os_str()],
    );
    let good = fs::read(good).expect("it is there");
    let driver = open(folder.path());
    for _ in 0..40 {
        let mut bytes = good.clone();
        for _ in 0..1 + random.next(30) {
            // Most of it in the header and the tables.
            let below = if random.next(2) == 0 { 200 } else { 6 << 16 };
            let place = random.next(below) as usize;
            bytes[place] = random.next(256) as u8;
        }
        fs::write(folder.path().join("monday.qcow2"), bytes).expect("it can be written");
        let _ = ranges(&driver, allocated("default/monday")).await;
    }
    fs::write(folder.path().join("monday.qcow2"), good).expect("it can be written");
    assert_eq!(ranges(&driver, allocated("default/monday")).await.expect("it is whole again"), [0..1 << 20]);
}

#[tokio::test]
async fn an_image_reads_nothing_that_is_not_beside_it() {
    let (folder, elsewhere) = (folder(), folder());
    let secret = image(elsewhere.path(), "secret.img", SIZE, &[Op::Write(0..CELL, 1)]);
    let inner = folder.path().join("shop");
    fs::create_dir(&inner).expect("a folder can be made");
    image(&inner, "other.img", SIZE, &[Op::Write(0..CELL, 1)]);
    image(folder.path(), "beside.img", SIZE, &[Op::Write(0..CELL, 1)]);
    let secret = secret.display().to_string();
    let json = format!(r#"json:{{"driver":"raw","file":{{"driver":"file","filename":"{secret}"}}}}"#);
    let driver = open(folder.path());
    for (backing, format) in [
        (secret.as_str(), Some("raw")),
        ("/etc/passwd", Some("raw")),
        ("shop/other.img", Some("raw")),
        ("../beside.img", Some("raw")),
        ("./../beside.img", Some("raw")),
        (&json, Some("raw")),
        ("nbd:unix:/tmp/socket", Some("raw")),
        ("beside.img", Some("vmdk")),
        ("beside.img", None),
        ("missing.img", Some("raw")),
        ("monday.qcow2", Some("qcow2")),
    ] {
        let path = folder.path().join("monday.qcow2");
        let _ = fs::remove_file(&path);
        create(&path, &["32M"]);
        // As somebody would who made the image by hand: qemu-img itself looks at what it names.
        let mut args = vec!["rebase", "-q", "-u", "-f", "qcow2", "-b", backing];
        args.extend(format.iter().flat_map(|format| ["-F", format]));
        if format.is_none() {
            name_without_format(&path, backing);
        } else {
            tool::run("qemu-img", args.into_iter().map(AsRef::as_ref).chain([path.as_os_str()]));
        }
        let refused = ranges(&driver, allocated("default/monday")).await;
        let fitting = matches!(refused, Err(Error::Invalid(_) | Error::Broken(_) | Error::NotFound(_)));
        assert!(fitting, "{backing} {format:?}: {refused:?}");
    }
}

/// Writes a backing file into the header, at the end of the first cluster.
fn name_without_format(image: &Path, backing: &str) {
    let mut bytes = fs::read(image).expect("it is there");
    let at = 0x8000;
    bytes[8..16].copy_from_slice(&(at as u64).to_be_bytes());
    bytes[16..20].copy_from_slice(&(backing.len() as u32).to_be_bytes());
    bytes[at..at + backing.len()].copy_from_slice(backing.as_bytes());
    fs::write(image, bytes).expect("it can be written");
}

#[tokio::test]
async fn data_in_another_file_is_refused() {
    let folder = folder();
    let data = folder.path().join("data").display().to_string();
    create(&folder.path().join("monday.qcow2"), &["-o", &format!("data_file={data}"), "4M"]);
    let refused = ranges(&open(folder.path()), allocated("default/monday")).await;
    assert!(matches!(refused, Err(Error::Broken(_))), "{refused:?}");
}
