//! Images, whatever breaks on the way, and what they are put back on.

use std::fs;

use kit::{Output, PATIENCE, eventually};
use plugin_testing::Plugin;

use super::{
    plugin_of,
    server::{SIZE, Server, Trouble, content},
};

/// The blocks of most tests.
const BLOCKS: std::ops::Range<u64> = 3..60;

/// Puts `image` on zeros; what is there then must be the volume.
fn is_the_volume(server: &Server, plugin: &Plugin) {
    let blocks = server.now().blocks.clone();
    let capacity = server.now().capacity;
    let mut expected = vec![0; usize::try_from(capacity).unwrap()];
    fs::write(plugin.scratch.file("volume"), &expected).unwrap();
    for index in blocks {
        let (at, bytes) = (usize::try_from(index * SIZE).unwrap(), content(index, capacity));
        expected[at..at + bytes.len()].copy_from_slice(&bytes);
    }
    let applied = plugin.run("apply image volume");
    assert_eq!(applied.code, 0, "{applied:?}");
    assert!(fs::read(plugin.scratch.file("volume")).unwrap() == expected, "each block is there, and nothing else");
}

fn pulled(output: &Output) {
    assert_eq!(output.code, 0, "{output:?}");
    let bytes = (BLOCKS.end - BLOCKS.start) * SIZE - 100;
    assert_eq!(output.stdout, format!("image: {} blocks, {bytes} bytes of week\n", BLOCKS.end - BLOCKS.start));
}

#[test]
fn an_image_is_whole_whatever_broke() {
    let server = Server::start(BLOCKS);
    server.now().lists = [Trouble::Cut(300), Trouble::Hangup].into();
    server.now().data = [Trouble::Hangup, Trouble::Cut(100), Trouble::Code(503, "x"), Trouble::Later(429, 1)].into();
    let plugin = plugin_of(&server);
    pulled(&plugin.run("pull week image"));
    is_the_volume(&server, &plugin);
    let asked = server.seen("/data");
    pulled(&plugin.run("pull week image"));
    assert_eq!(server.seen("/data"), asked, "what is whole is not read again");
}

#[test]
fn tokens_that_expire_are_asked_for_again() {
    let server = Server::start(BLOCKS);
    server.now().expires_after = Some(20);
    let plugin = plugin_of(&server);
    pulled(&plugin.run("pull week image --parallel 1"));
    assert_eq!(server.seen(&format!("offset={}", 3 + 20)), 1, "from the block on whose token had expired");
    is_the_volume(&server, &plugin);

    let server = Server::start(BLOCKS);
    server.now().data = vec![Trouble::Code(410, "Expired"); 100].into();
    let never = plugin_of(&server).run("pull week image --parallel 1");
    assert_eq!((never.code, server.seen("/data")), (1, 4), "tokens that are never good are given up: {never:?}");
}

#[test]
fn data_of_another_length_is_refused() {
    for length in [0, 1, 511, 513, 4096] {
        let server = Server::start(BLOCKS);
        server.now().data = [Trouble::Length(length)].into();
        let plugin = plugin_of(&server);
        let output = plugin.run("pull week image --parallel 1");
        assert_eq!((output.code, server.seen("/data")), (1, 1), "{length}: {output:?}");
        assert!(output.stderr.contains("the driver sent"), "{length}: {output:?}");
        assert!(!plugin.scratch.file("image").exists(), "{length}");
    }
}

#[test]
fn a_driver_that_cannot_read_is_said() {
    let server = Server::start(BLOCKS);
    server.now().reads = false;
    let plugin = plugin_of(&server);
    let output = plugin.run("pull week image");
    assert_eq!(output.code, 1, "{output:?}");
    assert_eq!(output.stderr, "error: the driver of this volume lists blocks but cannot read their data\n");
    assert!(!plugin.scratch.file("image").exists());
}

#[test]
fn what_is_killed_or_interrupted_is_gone_on_with() {
    let server = Server::start(BLOCKS);
    let plugin = plugin_of(&server);
    let image = plugin.scratch.file("image");
    let line = format!("pull week {} --parallel 1", image.display());
    // Where it is stopped, and how.
    for (stop, signal) in [(3, "KILL"), (4, "INT"), (20, "KILL"), (30, "INT"), (59, "INT")] {
        server.now().stops_at = Some(stop);
        server.now().seen.clear();
        let mut process = plugin.spawn(&line);
        eventually!(server.seen(&format!("token=0%2D{stop}")) == 1, "it is at block {stop}");
        process.signal(signal).unwrap();
        let code = process.wait(PATIENCE).unwrap().code();
        if signal == "INT" {
            assert_eq!(code, Some(130));
            assert!(process.output().contains("run the same command again"), "{}", process.output());
            let incomplete = plugin.run("apply image nothing");
            let begun = image.exists();
            assert!(incomplete.code == 1 && incomplete.stderr.contains("not complete") == begun, "{incomplete:?}");
            // What had come by then is not asked for again.
            server.now().seen.clear();
            let mut process = plugin.spawn(&line);
            eventually!(server.seen(&format!("token=0%2D{stop}")) == 1, "it is at block {stop} again");
            assert_eq!(server.seen("/data"), 1, "from block {stop} on");
            process.kill().unwrap();
        }
    }
    server.now().stops_at = None;
    pulled(&plugin.run("pull week image"));
    is_the_volume(&server, &plugin);
}

#[test]
fn a_delta_that_was_made_anew_is_another() {
    let server = Server::start(BLOCKS);
    let plugin = plugin_of(&server);
    pulled(&plugin.run("pull week image"));
    let before = fs::read(plugin.scratch.file("image")).unwrap();
    server.now().uid = "second";
    let refused = plugin.run("pull week image");
    assert_eq!(refused.stderr, "error: image is of another VolumeSnapshotDelta: choose another file\n");
    assert!(refused.code == 1 && fs::read(plugin.scratch.file("image")).unwrap() == before);
    fs::write(plugin.scratch.file("notes"), "not an image").unwrap();
    assert_eq!(plugin.run("pull week notes").code, 1);
    assert_eq!(fs::read(plugin.scratch.file("notes")).unwrap(), b"not an image", "other files are left alone");
}

#[test]
fn a_disk_that_is_full_leaves_what_can_be_gone_on_with() {
    let server = Server::start(0..4000);
    let plugin = plugin_of(&server);
    // No file may have more blocks of 512 bytes: who ignores the signal sees an error, as on a full disk.
    let output = plugin.shell("trap '' XFSZ; ulimit -f 2500; exec \"$0\" pull week image");
    assert_eq!(output.code, 4, "{output:?}");
    assert!(output.stderr.contains("the image is not complete: run the same command again"), "{output:?}");
    let asked = server.seen("/data");
    assert_eq!(plugin.run("pull week image").code, 0);
    assert!(server.seen("/data") - asked < 4000, "what had come is not read again");
    is_the_volume(&server, &plugin);
}

#[test]
fn a_server_that_goes_away_leaves_an_image_that_is_not_complete() {
    let server = Server::start(BLOCKS);
    let plugin = plugin_of(&server);
    server.now().lists = [Trouble::Cut(200)].into();
    // The first page breaks after some blocks, and no other comes.
    server.now().lists.extend(vec![Trouble::Code(503, "ServiceUnavailable"); 6]);
    let output = plugin.run("pull week image");
    assert_eq!(output.code, 4, "{output:?}");
    assert!(output.stderr.contains("not complete") && output.stderr.contains("on purpose: 503"), "{output:?}");
    assert_eq!(plugin.run("apply image volume --create").code, 1);
    pulled(&plugin.run("pull week image"));
}

#[test]
fn a_target_is_told_from_the_image() {
    let server = Server::start(BLOCKS);
    let plugin = plugin_of(&server);
    pulled(&plugin.run("pull week image"));
    is_the_volume(&server, &plugin);
    assert_eq!(plugin.run("apply image volume --verify").code, 0);
    let volume = plugin.scratch.file("volume");
    let mut bytes = fs::read(&volume).unwrap();
    bytes[5 * 512 + 7] ^= 1;
    fs::write(&volume, &bytes).unwrap();
    let differs = plugin.run("apply image volume --verify");
    assert_eq!(differs.code, 3, "{differs:?}");
    assert!(differs.stderr.starts_with("error: volume differs from the image at byte 2560"), "{differs:?}");
    let image = plugin.scratch.file("image");
    let mut bytes = fs::read(&image).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&image, bytes).unwrap();
    let damaged = plugin.run("apply image volume");
    assert!(damaged.code == 1 && damaged.stderr.contains("damaged"), "{damaged:?}");
}
