//! The stub's truth: boto3 drives it, follows its pages, and then sends what it never would.

use std::process::Command;

use ebs_stub::Key;
use serde_json::{Value, json};

use crate::support::{BASE, Bench, FOREIGN, REGION, TARGET, UNKNOWN, key, map};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto3_takes_the_stub_for_the_service() {
    let mut target = map((0..250).chain(1000..1010), 1);
    target.remove(&7);
    target.extend(map([0, 249, 1005, 2000], 2));
    let bench = Bench::new(map((0..250).chain(1000..1010), 1), target).await;
    let seen = drive(&bench).await;

    let expected: Vec<u32> = (0..250).filter(|index| *index != 7).chain(1000..1010).chain([2000]).collect();
    assert_eq!((&seen["allocated"], &seen["allocated_pages"]), (&json!(expected), &json!(3)));
    // Block 7 is gone, block 2000 is new.
    let expected =
        json!([[0, true, true], [7, true, false], [249, true, true], [1005, true, true], [2000, false, true]]);
    assert_eq!((&seen["changed"], &seen["changed_pages"]), (&expected, &json!(3)));
    assert_eq!((&seen["seek"], &seen["both"]), (&json!([1001, 1002]), &json!([101])));

    let validation = |reason: &str| json!([400, "ValidationException", reason]);
    let refusals = json!({
        "unknown": [404, "ResourceNotFoundException", "SNAPSHOT_NOT_FOUND"],
        "unrelated": validation("UNRELATED_SNAPSHOTS"),
        "one snapshot": validation("INVALID_PARAMETER_VALUE"),
        "page token": validation("INVALID_PAGE_TOKEN"),
        "page token of another list": validation("INVALID_PAGE_TOKEN"),
        "block token": validation("INVALID_BLOCK_TOKEN"),
        "block token of another block": validation("INVALID_BLOCK_TOKEN"),
        "block token of another snapshot": validation("INVALID_BLOCK_TOKEN"),
        "secret": [403, "InvalidSignatureException", null],
        "few": validation("INVALID_PARAMETER_VALUE"),
        "many": validation("INVALID_PARAMETER_VALUE"),
        "negative": validation("INVALID_PARAMETER_VALUE"),
        "no id": validation("INVALID_PARAMETER_VALUE"),
    });
    assert_eq!(seen["refusals"], refusals);

    let invalid = json!([400, "ValidationException"]);
    let unknown = json!([404, "UnknownOperationException"]);
    let raw = json!({
        "good": [200, null],
        "unsigned": [403, "MissingAuthenticationTokenException"],
        "of another service": [403, "IncompleteSignatureException"],
        "unknown parameter": invalid,
        "parameter twice": invalid,
        "odd number": invalid,
        "unknown header": invalid,
        "body": invalid,
        "method": unknown,
        "path": unknown,
        "trailing slash": invalid,
        "block without token": invalid,
    });
    assert_eq!(seen["raw"], raw);
    let fouls = bench.stub.refused().len();
    assert_eq!(fouls, 13, "{:?}", bench.stub.refused());
    bench.stub.forget();
}

async fn drive(bench: &Bench) -> Value {
    let Key { id, secret, .. } = key();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ebs/drive.py");
    let mut python = Command::new(kit::Python::find().unwrap().python());
    python.args([script, &bench.stub.url(), REGION, &id, &secret, BASE, TARGET, FOREIGN, UNKNOWN]);
    let output = tokio::task::spawn_blocking(move || python.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
