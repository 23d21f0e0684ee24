//! The folder of snapshots, with anything that a folder can have in it.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
};

use proto::cbt::Error;

use crate::{
    disk::{CELL, Op},
    subject::{SIZE, allocated, delta, folder, image, open, ranges},
    tool,
};

#[tokio::test]
async fn odd_names_are_no_snapshots_and_harm_nothing() {
    let folder = folder();
    let root = folder.path();
    image(root, "monday.img", SIZE, &[Op::Write(0..CELL, 1)]);
    fs::create_dir(root.join("shop")).expect("a folder can be made");
    image(&root.join("shop"), "2026-11-21.daily.img", SIZE, &[]);
    for odd in [
        "UPPER.img",
        ".hidden.img",
        ".img",
        "a..b.img",
        "-a.img",
        "two words.img",
        "line\nbreak.img",
        "ünï.img",
        "no-ending",
        "other.iso",
        "a.img.bak",
        "-.qcow2",
    ] {
        image(root, odd, 4096, &[]);
    }
    fs::write(root.join(OsStr::from_bytes(b"\xff\xfe.img")), "x").expect("such names are allowed");
    for odd in ["folder.img", "UPPER", "a.b", "-x", "default", "empty"] {
        fs::create_dir(root.join(odd)).expect("a folder can be made");
    }
    image(&root.join("default"), "hidden.img", 4096, &[]);
    image(&root.join("a.b"), "monday.img", 4096, &[]);
    tool::run("mkfifo", [root.join("pipe.img"), root.join("pipe.qcow2")]);
    symlink(root.join("loop.img"), root.join("loop.img")).expect("a link can be made");
    symlink("/no/such/file", root.join("dangling.img")).expect("a link can be made");
    let driver = open(root);
    let shown = driver.snapshots().expect("it can be listed");
    let readable: Vec<_> =
        shown.iter().filter(|shown| shown.size.is_some()).map(|shown| shown.handle.as_str()).collect();
    assert_eq!(readable, ["default/monday", "shop/2026-11-21.daily"]);
    let unreadable: Vec<_> =
        shown.iter().filter(|shown| shown.size.is_none()).map(|shown| shown.name.as_str()).collect();
    assert_eq!(unreadable, ["dangling", "folder", "loop", "pipe"]);
    for name in ["dangling", "folder", "loop", "pipe", "hidden", "UPPER", ".hidden", "a..b", "a.img"] {
        assert!(ranges(&driver, allocated(&format!("default/{name}"))).await.is_err(), "{name}");
    }
}

#[tokio::test]
async fn nothing_leads_out_of_the_folder() {
    let (outer, elsewhere) = (folder(), folder());
    let root = outer.path().join("snapshots");
    fs::create_dir(&root).expect("a folder can be made");
    let secret = image(elsewhere.path(), "secret.img", SIZE, &[Op::Write(0..CELL, 1)]);
    image(outer.path(), "beside.img", SIZE, &[]);
    symlink(&secret, root.join("absolute.img")).expect("a link can be made");
    symlink("../beside.img", root.join("relative.img")).expect("a link can be made");
    symlink(elsewhere.path(), root.join("linked")).expect("a link can be made");
    symlink("/proc/self/exe", root.join("magic.img")).expect("a link can be made");
    let driver = open(&root);
    for handle in ["default/absolute", "default/relative", "linked/secret", "default/magic"] {
        let refused = ranges(&driver, allocated(handle)).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{handle}: {refused:?}");
    }
    for handle in ["../beside", "default/../beside", "./beside", "default//etc/passwd", "default/", "", "..", "/"] {
        let refused = ranges(&driver, allocated(handle)).await;
        assert!(matches!(refused, Err(Error::NotFound(_))), "{handle}: {refused:?}");
    }
    // A link that stays inside is as good as a file.
    image(&root, "monday.img", SIZE, &[Op::Write(0..CELL, 1)]);
    symlink("monday.img", root.join("latest.img")).expect("a link can be made");
    assert_eq!(ranges(&driver, allocated("default/latest")).await.expect("it is inside"), [0..CELL]);
}

#[tokio::test]
async fn a_folder_is_a_volume() {
    let folder = folder();
    for namespace in ["shop", "bank"] {
        fs::create_dir(folder.path().join(namespace)).expect("a folder can be made");
        image(&folder.path().join(namespace), "monday.img", SIZE, &[]);
    }
    let refused = ranges(&open(folder.path()), delta("bank/monday", "shop/monday")).await;
    let Err(Error::NoDelta(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("bank/monday") && why.contains("shop/monday") && why.contains("one volume"), "{why}");
}

#[tokio::test]
async fn a_name_with_two_images_is_refused() {
    let folder = folder();
    image(folder.path(), "monday.img", SIZE, &[]);
    image(folder.path(), "monday.qcow2", SIZE, &[]);
    let refused = ranges(&open(folder.path()), allocated("default/monday")).await;
    assert!(matches!(&refused, Err(Error::Invalid(why)) if why.contains("monday.qcow2")), "{refused:?}");
}

#[tokio::test]
async fn a_manifest_that_cannot_be_read_is_said_and_is_no_empty_one() {
    let folder = folder();
    image(folder.path(), "monday.img", SIZE, &[]);
    for text in ["[[snapshot]]\n", "x", "[[snapshot]]\nname = 7\n", "\u{0}"] {
        fs::write(folder.path().join("snapshots.toml"), text).expect("a file can be written");
        let driver = open(folder.path());
        let refused = ranges(&driver, allocated("default/monday")).await;
        assert!(matches!(&refused, Err(Error::Unavailable(why)) if why.contains("snapshots.toml")), "{refused:?}");
        assert!(driver.snapshots().is_err());
    }
}

#[test]
fn a_folder_that_is_not_there_is_said_by_its_flag() {
    let config = crate::subject::config("/no/such/folder".as_ref());
    let Err(error) = cbt_file::Driver::open(&config, runtime::clock::system()) else { panic!("it is not there") };
    assert!(format!("{error:#}").contains("--cbt-dir /no/such/folder"), "{error:#}");
}
