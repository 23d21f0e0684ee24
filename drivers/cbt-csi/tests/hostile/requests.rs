//! What drivers are asked, and what their answers and refusals become.

use std::collections::BTreeMap;

use proto::cbt::{Shape, csi::plugin_capability::service};
use tonic::{Code, Status};

use super::*;
use driver::Asked;

fn starts(asked: &[Asked]) -> Vec<(i64, i32)> {
    asked.iter().map(|asked| (asked.start, asked.most)).collect()
}

#[tokio::test]
async fn everything_that_is_to_be_known_is_told() {
    let hostile = Hostile::new([blocks(&[0])]);
    let driver = adapter(&hostile);
    let secrets = BTreeMap::from([("key".to_owned(), "hush".to_owned())]);
    for query in [delta(), Query::allocated(snapshot("target"))] {
        let base = query.base.as_ref().map(|_| "base".to_owned());
        list(&driver, Query { secrets: secrets.clone(), ..query }).await.1.unwrap();
        let (target, secrets) = ("target".to_owned(), secrets.clone());
        let expected = Asked { base, target, start: 0, most: 1024, secrets, deadline: false };
        assert_eq!(hostile.asked(), [expected]);
    }
}

#[tokio::test]
async fn no_driver_is_asked_for_no_entries_or_for_too_many() {
    let hostile = Hostile::new([blocks(&[0])]);
    let driver = adapter(&hostile);
    for (per_message, limit, most) in [(0, 0, 1024), (1, 0, 1), (u32::MAX, 0, 16_384), (0, u64::MAX, 16_384), (9, 4, 4)]
    {
        list(&driver, Query { per_message, limit, ..delta() }).await.1.unwrap();
        assert_eq!(starts(&hostile.asked()), [(0, most)], "{per_message}, {limit}");
    }
}

#[tokio::test]
async fn a_start_is_where_a_block_begins_and_is_found_with_one_entry() {
    let hostile = Hostile::new([blocks(&[16, 17])]);
    let driver = adapter(&hostile);
    assert_eq!(list(&driver, Query { start: 65537, ..delta() }).await, (vec![65536..69632, 69632..73728], Ok(())));
    assert_eq!(starts(&hostile.asked()), [(0, 1), (65536, 1024)]);
    let query = Query { start: 16, shape: Shape::Blocks, ..delta() };
    assert_eq!(list(&driver, query).await, (vec![65536..69632, 69632..73728], Ok(())));
    assert_eq!(starts(&hostile.asked()), [(65536, 1024)]);
}

#[tokio::test]
async fn ranges_are_asked_for_from_where_they_are_always_cut() {
    let mib = 1 << 20;
    let hostile = Hostile::new([ranges(&[4 * mib..5 * mib, 5 * mib..9 * mib])]);
    let driver = adapter(&hostile);
    let whole = vec![4 * mib..8 * mib, 8 * mib..9 * mib];
    assert_eq!(list(&driver, delta()).await, (whole.clone(), Ok(())));
    assert_eq!(list(&driver, Query { start: 5 * mib + 7, ..delta() }).await, (whole, Ok(())));
    assert_eq!(list(&driver, Query { start: 8 * mib, ..delta() }).await.1, Err(beyond()), "it begins before its start");
    assert_eq!(starts(&hostile.asked()), [(0, 1024), (4 * mib as i64, 1024), (8 * mib as i64, 1024)]);
}

fn beyond() -> Error {
    Error::Broken("the driver sent entries from before the start that was asked for".to_owned())
}

#[tokio::test]
async fn a_start_beyond_the_end_is_not_asked_for() {
    let hostile = Hostile::new([blocks(&[0])]);
    let driver = adapter(&hostile);
    for (shape, start) in [
        (Shape::Ranges, CAPACITY + 1),
        (Shape::Ranges, u64::MAX),
        (Shape::Blocks, CAPACITY / 4096 + 1),
        (Shape::Blocks, u64::MAX),
    ] {
        let refused = refusal(&driver, Query { shape, start, ..delta() }).await;
        assert!(matches!(refused, Error::OutOfRange(_)), "{start}: {refused:?}");
    }
    assert_eq!(list(&driver, Query { start: CAPACITY, ..delta() }).await, (vec![], Ok(())));
    assert_eq!(starts(&hostile.asked()), [(0, 1)]);
}

#[tokio::test]
async fn large_messages_are_taken_and_cut() {
    let far = 1 << 24;
    let ranges: Vec<_> = (far..far + 1_000_000).map(|index| index * 4096..(index + 1) * 4096).collect();
    let large = message(Kind::Fixed, 1 << 40, &ranges);
    assert!(large.len() > 12_000_000, "{}", large.len());
    let hostile = Hostile::new([Act::Send(large.clone())]);
    let driver = adapter(&hostile);
    let mut stream = driver.blocks(delta()).await.unwrap();
    let mut listed = Vec::new();
    while let Some(blocks) = stream.next().await {
        let blocks = blocks.unwrap();
        assert!(blocks.encoded().len() < 2 << 20, "{}", blocks.encoded().len());
        listed.extend(entries(&blocks));
    }
    assert_eq!(listed, ranges);
    let too_large = Bytes::from([&large[..], &large[..]].concat());
    hostile.act([Act::Send(too_large)]);
    let refused = refusal(&driver, delta()).await;
    assert!(matches!(refused, Error::Broken(_)), "{refused:?}");
}

#[tokio::test]
async fn refusals_say_what_can_be_done() {
    let hostile = Hostile::new([]);
    let driver = adapter(&hostile);
    for (code, of_delta, of_allocated) in [
        (Code::NotFound, "not found", "not found"),
        (Code::InvalidArgument, "invalid", "invalid"),
        (Code::FailedPrecondition, "no delta", "not ready"),
        (Code::Unimplemented, "no delta", "unavailable"),
        (Code::Unavailable, "unavailable", "unavailable"),
        (Code::PermissionDenied, "forbidden", "forbidden"),
        (Code::Unauthenticated, "forbidden", "forbidden"),
        (Code::ResourceExhausted, "throttled", "throttled"),
        (Code::OutOfRange, "broken", "broken"),
    ] {
        hostile.act([Act::Fail(Status::new(code, "no"))]);
        for (query, expected) in [(delta(), of_delta), (Query::allocated(snapshot("target")), of_allocated)] {
            let kind = match refusal(&driver, query).await {
                Error::NotFound(_) => "not found",
                Error::Invalid(_) => "invalid",
                Error::NoDelta(_) => "no delta",
                Error::NotReady(_) => "not ready",
                Error::Unavailable(_) => "unavailable",
                Error::Forbidden(_) => "forbidden",
                Error::Throttled { .. } => "throttled",
                Error::Broken(_) => "broken",
                other => panic!("{code:?}: {other:?}"),
            };
            assert_eq!(kind, expected, "{code:?}");
        }
    }
}

#[tokio::test]
async fn handles_are_what_a_driver_knows() {
    let hostile = Hostile::new([blocks(&[0])]);
    let driver = adapter(&hostile);
    let named = Snapshot::Named { namespace: "ns".to_owned(), name: "name".to_owned() };
    for query in [Query::allocated(named.clone()), Query::delta(named, snapshot("s")), Query::allocated(snapshot(""))] {
        assert!(matches!(refusal(&driver, query).await, Error::Invalid(_)));
    }
    assert_eq!(hostile.asked(), []);
}

#[tokio::test]
async fn a_driver_without_the_service_is_none() {
    let hostile = Hostile::new([]);
    let driver = adapter(&hostile);
    driver.info().await.unwrap();
    *hostile.state.ready.lock().unwrap() = Some(false);
    assert!(driver.info().await.unwrap_err().to_string().contains("not ready"));
    *hostile.state.ready.lock().unwrap() = Some(true);
    driver.info().await.unwrap();
    *hostile.state.capabilities.lock().unwrap() = vec![service::Type::ControllerService];
    assert!(driver.info().await.unwrap_err().to_string().contains("SnapshotMetadata"));
    hostile.state.name.lock().unwrap().clear();
    assert!(driver.info().await.unwrap_err().to_string().contains("no name"));
}
