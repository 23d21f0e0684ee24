//! Ends that are none: whatever breaks is an error, and whoever goes away is missed by nobody.

use std::convert::Infallible;

use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::task::JoinSet;
use tonic::{Code, Status};

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_breaks_off_is_not_a_short_one() {
    let hostile = Hostile::new([]);
    let driver = adapter(&hostile);
    for code in [Code::DeadlineExceeded, Code::Cancelled, Code::Unavailable, Code::Internal, Code::Unknown] {
        hostile.act([blocks(&[0, 1]), Act::Fail(Status::new(code, "so it goes"))]);
        let (listed, end) = list(&driver, delta()).await;
        assert_eq!(listed, [0..4096, 4096..8192], "{code:?}");
        assert!(matches!(&end, Err(Error::Unavailable(what)) if what.contains("so it goes")), "{code:?}: {end:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_that_dies_breaks_its_list_and_may_come_back() {
    let mut hostile = Hostile::new([blocks(&[0, 1]), Act::Hang]);
    let driver = adapter(&hostile);
    let mut stream = driver.blocks(delta()).await.unwrap();
    assert_eq!(entries(&stream.next().await.unwrap().unwrap()).len(), 2);
    hostile.stop();
    let end = timeout(SOON, stream.next()).await.expect("the end comes soon");
    assert!(matches!(end, Some(Err(Error::Unavailable(_)))), "{end:?}");
    let refused = refusal(&driver, delta()).await;
    assert!(matches!(refused, Error::Unavailable(_)), "{refused:?}");
    hostile.act([blocks(&[7])]);
    hostile.start();
    kit::eventually!(list(&driver, delta()).await == (vec![28672..32768], Ok(())), "the driver is back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_is_waited_for() {
    let mut hostile = Hostile::absent([]);
    let driver = adapter(&hostile);
    let refused = driver.info().await.expect_err("nobody is there");
    assert!(matches!(refused, Error::Unavailable(_)), "{refused:?}");
    let waited = driver.wait();
    tokio::pin!(waited);
    assert!(timeout(std::time::Duration::from_millis(1), &mut waited).await.is_err(), "nobody is there");
    hostile.start();
    timeout(SOON, waited).await.expect("somebody is there");
    assert_eq!(driver.info().await.unwrap().driver, "hostile.csi.example.com");
}

/// A proxy, or a bug: the answer stops without saying that it is all. Its messages are whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_a_status_is_not_complete() {
    let hostile = Hostile::absent([]);
    let mut listener = driver::listen(&hostile.socket());
    let answer = message(Kind::Fixed, CAPACITY, &[0..4096]);
    let framed = [&[0][..], &(answer.len() as u32).to_be_bytes(), &answer].concat();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut connections = JoinSet::new();
        while let Some(Ok(connection)) = listener.next().await {
            let framed = framed.clone();
            let answer = service_fn(move |request: Request<Incoming>| {
                let framed = framed.clone();
                async move {
                    request.into_body().collect().await.unwrap();
                    let response = Response::builder().header("content-type", "application/grpc");
                    Ok::<_, Infallible>(response.body(Full::new(Bytes::from(framed))).unwrap())
                }
            });
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            connections.spawn(server.serve_connection(TokioIo::new(connection), answer));
        }
    });
    let (listed, end) = list(&adapter(&hostile), delta()).await;
    assert_eq!(listed, [0..4096]);
    assert!(matches!(end, Err(Error::Unavailable(_))), "{end:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_goes_away_frees_the_driver() {
    for acts in [vec![Act::Hang], vec![blocks(&[0]), Act::Hang], vec![Act::Flood]] {
        let hostile = Hostile::new(acts);
        let driver = adapter(&hostile);
        {
            let first = async { driver.blocks(delta()).await.unwrap().next().await };
            tokio::pin!(first);
            // Either the first message is there, or the driver has begun and says nothing.
            while hostile.sent() == 0 && hostile.running() == 0 {
                let _ = timeout(std::time::Duration::from_millis(10), &mut first).await;
            }
        }
        kit::eventually!(hostile.running() == 0, "the driver has stopped");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_read_is_not_produced() {
    let hostile = Hostile::new([Act::Flood]);
    let driver = adapter(&hostile);
    let mut stream = driver.blocks(delta()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    // Meanwhile the driver has all the time that it wants.
    for _ in 0..2000 {
        driver.info().await.unwrap();
    }
    // 4096 entries are some 60 KiB: a window of a mebibyte, and what the sockets hold.
    assert!(hostile.sent() < 200, "{} messages", hostile.sent());
    drop(stream);
    kit::eventually!(hostile.running() == 0, "the driver has stopped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_stops_the_driver() {
    let hostile = Hostile::new([Act::Flood]);
    let (listed, end) = list(&adapter(&hostile), Query { limit: 5000, ..delta() }).await;
    assert_eq!((listed.len(), end), (5000, Ok(())));
    kit::eventually!(hostile.running() == 0, "the driver has stopped");
}
