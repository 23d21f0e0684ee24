//! The driver against moto, whose server somebody else wrote.
//!
//! moto knows no paging, and its check of signatures takes no query, so that it is off; both are the stub's to judge.

use std::{net::TcpStream, process::Command};

use bytes::Bytes;
use ebs_stub::Key;
use futures::TryStreamExt;
use kit::{Process, Python, Scratch};
use proto::cbt::{Blocks, ChangedBlocks, Data, Query, Read, Shape, Snapshot};
use runtime::Context;

use crate::support::{REGION, config, key, sdk};

/// A running moto with two snapshots of one volume, of twenty blocks of 512 bytes; blocks 3 and 17 differ.
pub(crate) struct Moto {
    pub(crate) url: String,
    pub(crate) base: Snapshot,
    pub(crate) target: Snapshot,
    pub(crate) process: Process,
    _scratch: Scratch,
}

// === impl Moto ===

impl Moto {
    pub(crate) fn start() -> Self {
        let (scratch, python) = (Scratch::new("moto").unwrap(), Python::find().unwrap());
        let [port] = kit::free_ports().unwrap();
        let args = ["-H", "127.0.0.1", "-p", &port.to_string()].map(str::to_owned);
        let mut process = Process::spawn("moto", &python.bin("moto_server"), &args, &scratch.file("log")).unwrap();
        kit::eventually!(
            process.ensure_running().is_ok() && TcpStream::connect(("127.0.0.1", port)).is_ok(),
            "moto listens"
        );
        let (url, Key { id, secret, .. }) = (format!("http://127.0.0.1:{port}"), key());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ebs/seed.py");
        let made = Command::new(python.python()).args([script, &url, REGION, &id, &secret]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
        let snapshot = |name: &str| Snapshot::Handle(made[name].as_str().unwrap().to_owned());
        Self { url, base: snapshot("base"), target: snapshot("target"), process, _scratch: scratch }
    }
}

#[tokio::test]
async fn what_moto_stores_is_listed_and_read() {
    let moto = Moto::start();
    let driver = cbt_ebs::Driver::new(&sdk(&moto.url).await, &config(), &Context::new());
    let list = async |query: Query| -> Vec<(u64, u64, Bytes)> {
        let query = Query { shape: Shape::Blocks, tokens: true, ..query };
        let messages: Vec<Blocks> = driver.blocks(query).await.unwrap().try_collect().await.unwrap();
        let entry = |block: proto::cbt::Block<'_>| (block.offset, block.size, Bytes::copy_from_slice(block.token));
        messages.iter().flat_map(|blocks| blocks.iter().map(entry).collect::<Vec<_>>()).collect()
    };
    let places =
        |blocks: &[(u64, u64, Bytes)]| blocks.iter().map(|(offset, size, _)| offset / size).collect::<Vec<_>>();
    let allocated = list(Query::allocated(moto.target.clone())).await;
    assert_eq!(places(&allocated), (0..20).collect::<Vec<_>>());
    let changed = list(Query::delta(moto.base.clone(), moto.target.clone())).await;
    assert_eq!(places(&changed), [3, 17]);

    let tokens = changed.into_iter().chain(allocated.into_iter().take(1)).map(|(.., token)| token).collect();
    let read = Read { target: moto.target.clone(), tokens, secrets: Default::default() };
    let data: Vec<Data> = driver.read(read).await.unwrap().try_collect().await.unwrap();
    let seen: Vec<_> = data.iter().map(|data| (data.offset, data.bytes.len(), data.bytes[511])).collect();
    assert_eq!(seen, [(3 * 512, 512, 2), (17 * 512, 512, 2), (0, 512, 1)]);
}
