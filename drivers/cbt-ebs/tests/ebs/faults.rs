//! Refusals of the service, as what they are passed on.

use std::time::Duration;

use ebs_stub::{Key, Snapshot as Stored, Trouble, Written};
use proto::cbt::{ChangedBlocks, Error, Query, Snapshot};

use crate::support::{BASE, Bench, FOREIGN, TARGET, UNKNOWN, allocated, config, delta, handle, key, map};

async fn bench() -> Bench {
    Bench::new(map(0..8, 1), map(0..8, 2)).await
}

#[tokio::test]
async fn snapshots_that_cannot_be_listed_say_why() {
    let bench = bench().await;
    let pending = "snap-0000000000000bee5";
    bench.stub.add(Stored { completed: false, ..Stored::new(pending, "vol-1", 1, Written::First(1, 1)) });
    let target = |id: &str| Query { target: handle(id), ..allocated() };
    let base = |id: &str| Query { base: Some(handle(id)), ..delta() };
    assert!(matches!(bench.list(target(UNKNOWN)).await, Err(Error::NotFound(text)) if text.contains(UNKNOWN)));
    assert!(matches!(bench.list(base(UNKNOWN)).await, Err(Error::NotFound(_))));
    assert!(matches!(bench.list(target(pending)).await, Err(Error::NotReady(_))));
    assert!(matches!(bench.list(base(pending)).await, Err(Error::NotReady(_))));
    assert!(matches!(bench.list(base(FOREIGN)).await, Err(Error::NoDelta(_))));
}

/// What is no id never leaves the process.
#[tokio::test]
async fn what_is_no_id_is_not_asked_about() {
    let bench = bench().await;
    let named = Snapshot::Named { namespace: "default".to_owned(), name: "snap-1".to_owned() };
    for odd in [handle("vol-0123"), handle("snap-"), handle("snap-1/../../x"), handle("snap-1?x=y"), named] {
        for query in [Query { target: odd.clone(), ..allocated() }, Query { base: Some(odd.clone()), ..delta() }] {
            assert!(matches!(bench.list(query).await, Err(Error::Invalid(_))), "{odd:?}");
        }
    }
    assert_eq!(bench.stub.calls().len(), 0);
}

#[tokio::test]
async fn what_will_not_get_better_is_not_tried_again() {
    for (trouble, number) in [(Trouble::Denied, 0), (Trouble::QuotaExceeded, 1), (Trouble::Failure(418), 2)] {
        let bench = bench().await;
        bench.stub.plan(move |_| Some(trouble.clone()));
        let error = bench.list(delta()).await.unwrap_err();
        let fits = [
            matches!(error, Error::Forbidden(_)),
            matches!(error, Error::Throttled { .. }),
            matches!(error, Error::Unavailable(_)),
        ];
        assert!(fits[number], "{error:?}");
        assert_eq!(bench.stub.calls().len(), 1);
    }
}

#[tokio::test]
async fn strangers_and_wrong_secrets_are_forbidden() {
    let bench = bench().await;
    let secrets = |id: &str, secret: &str| {
        let pairs = [("aws_access_key_id", id), ("aws_secret_access_key", secret)];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    };
    for secrets in [secrets("AKIDSTRANGER", "hush-hush"), secrets(&key().id, "hush-hush")] {
        let error = bench.list(Query { secrets, ..delta() }).await.unwrap_err();
        assert!(matches!(&error, Error::Forbidden(text) if !text.contains("hush")), "{error:?}");
    }
}

/// The secret of the snapshot class counts instead of the process's own credentials.
#[tokio::test]
async fn secrets_of_a_query_sign_its_calls() {
    let bench = bench().await;
    let own = Key { id: "AKIDTENANT".to_owned(), secret: "tenant".to_owned(), session: Some("visit".to_owned()) };
    let pairs = [
        ("aws_access_key_id", &own.id),
        ("AWS_SECRET_ACCESS_KEY", &own.secret),
        ("aws_session_token", &"visit".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value.clone()));
    let query = Query { secrets: pairs.into(), ..delta() };
    assert!(matches!(bench.list(query.clone()).await, Err(Error::Forbidden(_))));
    bench.stub.allow(own);
    assert_eq!(bench.list(query).await, Ok((0..8).collect()));
}

#[tokio::test]
async fn a_service_that_is_not_there_is_unavailable() {
    let [port] = kit::free_ports().unwrap();
    let sdk = crate::support::sdk(&format!("http://127.0.0.1:{port}")).await;
    let config = cbt_ebs::Config { ebs_retry_timeout: Duration::from_millis(300), ..config() };
    let driver = cbt_ebs::Driver::new(&sdk, &config, &runtime::Context::new());
    let refused = driver.blocks(Query::delta(handle(BASE), handle(TARGET))).await.err();
    assert!(matches!(refused, Some(Error::Unavailable(_))), "{refused:?}");
}

#[tokio::test]
async fn a_snapshot_that_is_compared_with_itself_must_be_there() {
    let bench = bench().await;
    let same = |id: &str| Query { base: Some(handle(id)), target: handle(id), ..delta() };
    assert_eq!(bench.list(same(TARGET)).await, Ok(vec![]));
    assert!(matches!(bench.list(same(UNKNOWN)).await, Err(Error::NotFound(_))));
}
