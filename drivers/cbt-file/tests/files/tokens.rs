//! Data tokens, from outside.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use cbt_file::{Config, Driver};
use futures::TryStreamExt;
use proto::cbt::{ChangedBlocks, Data, Error, Query, Read, Result};

use crate::{
    disk::Op,
    subject::{BLOCK, SIZE, allocated, apply, blocks, config, folder, image, open, snapshot},
};

/// What is in the image: two blocks, and something in the one that the volume ends in.
fn ops() -> [Op; 2] {
    [Op::Write(0..2 * BLOCK, 7), Op::Write(SIZE - 4096..SIZE, 8)]
}

async fn tokens(driver: &Driver, handle: &str) -> Vec<Bytes> {
    let query = Query { tokens: true, ..blocks(allocated(handle)) };
    let messages: Vec<_> = driver.blocks(query).await.expect("a list").try_collect().await.expect("a good one");
    messages.iter().flat_map(|message| message.iter().map(|block| Bytes::copy_from_slice(block.token))).collect()
}

async fn read(driver: &Driver, handle: &str, tokens: Vec<Bytes>) -> Result<Vec<Data>> {
    let read = Read { target: snapshot(handle), tokens, secrets: Default::default() };
    driver.read(read).await?.try_collect().await
}

#[tokio::test]
async fn data_ends_with_the_volume() {
    let folder = folder();
    image(folder.path(), "monday.img", SIZE, &ops());
    let driver = open(folder.path());
    let tokens = tokens(&driver, "default/monday").await;
    let data = read(&driver, "default/monday", tokens).await.expect("they are good");
    let told: Vec<_> = data.iter().map(|data| (data.offset, data.bytes.len() as u64, data.bytes.last())).collect();
    let last = SIZE / BLOCK * BLOCK;
    assert_eq!(told, [(0, BLOCK, Some(&7)), (BLOCK, BLOCK, Some(&7)), (last, SIZE - last, Some(&8))]);
}

#[tokio::test]
async fn they_survive_the_process_and_no_other_key_makes_them() {
    let (folder, other) = (folder(), folder());
    for folder in [&folder, &other] {
        image(folder.path(), "monday.img", SIZE, &ops());
    }
    let tokens = tokens(&open(folder.path()), "default/monday").await;
    assert_eq!(read(&open(folder.path()), "default/monday", tokens.clone()).await.expect("the key is kept").len(), 3);
    // The very same file, elsewhere.
    fs::hard_link(folder.path().join("monday.img"), other.path().join("tuesday.img")).expect("a link can be made");
    fs::rename(other.path().join("tuesday.img"), other.path().join("monday.img")).expect("a file can be renamed");
    let refused = read(&open(other.path()), "default/monday", tokens).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
}

#[tokio::test]
async fn the_key_is_nobody_elses() {
    let folder = folder();
    open(folder.path());
    let key = folder.path().join(".cbt-token-key");
    assert_eq!(fs::metadata(&key).expect("it was made").permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("it is ours");
    assert!(Driver::open(&config(folder.path()), runtime::clock::system()).is_err());
    fs::remove_file(&key).expect("it is ours");
    fs::write(&key, "short").expect("it can be written");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("it is ours");
    assert!(Driver::open(&config(folder.path()), runtime::clock::system()).is_err());
}

#[tokio::test]
async fn a_key_that_is_given_is_the_key() {
    let (one, two, keys) = (folder(), folder(), folder());
    let path = keys.path().join("key");
    fs::write(&path, [3; 32]).expect("it can be written");
    let open = |folder: &Path| {
        let config = Config { cbt_token_key_file: Some(path.clone()), ..config(folder) };
        Driver::open(&config, runtime::clock::system()).expect("it can be opened")
    };
    image(one.path(), "monday.img", SIZE, &ops());
    fs::hard_link(one.path().join("monday.img"), two.path().join("monday.img")).expect("a link can be made");
    let tokens = tokens(&open(one.path()), "default/monday").await;
    assert_eq!(read(&open(two.path()), "default/monday", tokens).await.expect("it is the same file").len(), 3);
    assert!(!one.path().join(".cbt-token-key").exists());
}

#[tokio::test]
async fn they_expire() {
    let folder = folder();
    image(folder.path(), "monday.img", SIZE, &ops());
    let now = Arc::new(AtomicU64::new(1_000_000));
    let clock = Arc::clone(&now);
    let config = Config { cbt_token_ttl: Duration::from_secs(60), ..config(folder.path()) };
    let clock = Arc::new(move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::Relaxed)));
    let driver = Driver::open(&config, clock).expect("it can be opened");
    let query = Query { tokens: true, per_message: 1, ..blocks(allocated("default/monday")) };
    let messages: Vec<_> = driver.blocks(query).await.expect("a list").try_collect().await.expect("a good one");
    assert!(messages.iter().all(|message| message.validity() == (1_000_000, 60)));
    let tokens = tokens(&driver, "default/monday").await;
    now.store(1_000_059, Ordering::Relaxed);
    assert!(read(&driver, "default/monday", tokens.clone()).await.is_ok());
    now.store(1_000_060, Ordering::Relaxed);
    let expired = read(&driver, "default/monday", tokens.clone()).await;
    assert!(matches!(expired, Err(Error::Expired(_))), "{expired:?}");
    // What was never good has not expired.
    let forged = tokens.iter().map(|token| Bytes::from([&token[..39], b"A"].concat())).collect();
    let refused = read(&driver, "default/monday", forged).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
}

#[tokio::test]
async fn they_are_for_the_file_that_was_listed() {
    let folder = folder();
    let path = image(folder.path(), "monday.img", SIZE, &ops());
    let driver = open(folder.path());
    let before = tokens(&driver, "default/monday").await;
    apply(&path, &[Op::Write(0..4096, 9)]);
    let written = read(&driver, "default/monday", before).await;
    assert!(matches!(written, Err(Error::Invalid(_))), "{written:?}");
    let before = tokens(&driver, "default/monday").await;
    let copy = image(folder.path(), "copy", SIZE, &ops());
    fs::rename(copy, path).expect("a file can be replaced");
    let replaced = read(&driver, "default/monday", before).await;
    assert!(matches!(replaced, Err(Error::Invalid(_))), "{replaced:?}");
}
