//! Drivers that are slow, dead, or not there.

use std::{future::pending, sync::Arc, time::Duration};

use cbt::{Drivers, Relay};
use futures::{StreamExt, future::join_all, stream};
use proto::cbt::{ChangedBlocks, Error, Kind, Read, suite::Synthetic};

use super::{
    DRIVER, Names, PATIENCE, allocated, collected, relay,
    scripted::{Scripted, message},
    snapshot,
    sockets::Host,
};

#[tokio::test(start_paused = true)]
async fn a_driver_that_falls_silent_is_given_up() {
    let driver = Scripted(|_| {
        let good = message(Kind::Fixed, &[(0, 4096)]);
        Ok(stream::iter([Ok(good)]).chain(stream::pending()).boxed())
    });
    let (came, end) = collected(&relay(Arc::new(driver)), allocated()).await;
    assert_eq!(came.len(), 1);
    assert!(matches!(&end, Err(Error::Unavailable(why)) if why.contains(DRIVER)), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_is_slow_but_goes_on_is_waited_for() {
    let slow = PATIENCE - Duration::from_secs(1);
    let driver = Scripted(move |_| {
        Ok(stream::iter(0..9)
            .then(move |index| async move {
                tokio::time::sleep(slow).await;
                Ok(message(Kind::Fixed, &[(index * 4096, 4096)]))
            })
            .boxed())
    });
    let (came, end) = collected(&relay(Arc::new(driver)), allocated()).await;
    assert_eq!((came.len(), end), (9, Ok(())));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_slow_is_no_fault_of_the_driver() {
    let driver = Synthetic::full(10_000, 4096);
    let mut messages = relay(Arc::new(driver)).blocks(allocated()).await.expect("it begins");
    let mut entries = 0;
    while let Some(message) = messages.next().await {
        entries += message.expect("it goes on").len();
        tokio::time::sleep(PATIENCE * 2).await;
    }
    assert_eq!(entries, 10_000);
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_never_begins_is_given_up() {
    struct Never;
    #[async_trait::async_trait]
    impl ChangedBlocks for Never {
        async fn info(&self) -> proto::cbt::Result<proto::cbt::Info> {
            pending().await
        }
        async fn blocks(
            &self,
            _: proto::cbt::Query,
        ) -> proto::cbt::Result<stream::BoxStream<'static, proto::cbt::Result<proto::cbt::Blocks>>> {
            pending().await
        }
        async fn read(
            &self,
            _: Read,
        ) -> proto::cbt::Result<stream::BoxStream<'static, proto::cbt::Result<proto::cbt::Data>>> {
            pending().await
        }
    }
    let relay = relay(Arc::new(Never));
    let (_, end) = collected(&relay, allocated()).await;
    assert!(matches!(end, Err(Error::Unavailable(_))), "{end:?}");
    let read = Read { target: snapshot("target"), tokens: vec![], secrets: Default::default() };
    let refused = relay.read(read).await.err();
    assert!(matches!(refused, Some(Error::Unavailable(_))), "{refused:?}");
}

#[tokio::test]
async fn what_a_driver_refuses_is_refused_as_it_is() {
    let errors = [
        Error::NotFound("x".to_owned()),
        Error::NotReady("x".to_owned()),
        Error::NoDelta("x".to_owned()),
        Error::OutOfRange("x".to_owned()),
        Error::Expired("x".to_owned()),
        Error::Throttled { message: "x".to_owned(), retry_after: 3 },
        Error::Internal("x".to_owned()),
    ];
    for error in errors {
        let (at_once, later) = (error.clone(), error.clone());
        let (_, end) = collected(&relay(Arc::new(Scripted(move |_| Err(at_once.clone())))), allocated()).await;
        assert_eq!(end, Err(error.clone()));
        let driver = Scripted(move |_| {
            let good = message(Kind::Fixed, &[(0, 4096)]);
            Ok(stream::iter([Ok(good), Err(later.clone())]).boxed())
        });
        let (came, end) = collected(&relay(Arc::new(driver)), allocated()).await;
        assert_eq!((came.len(), end), (1, Err(error)));
    }
}

#[tokio::test]
async fn a_driver_that_nobody_named_is_asked_for_by_its_flag() {
    let relay = Relay::new(Arc::new(Names), Drivers::default(), PATIENCE, &Default::default());
    let (_, end) = collected(&relay, allocated()).await;
    assert!(matches!(&end, Err(Error::Unavailable(why)) if why.contains("--cbt-driver synthetic.example.com=URL")));
}

#[tokio::test]
async fn a_driver_that_is_not_there_is_unavailable_and_named() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let relay = relay(Arc::new(super::sockets::connect(&folder.path().join("nobody.sock"))));
    let (_, end) = collected(&relay, allocated()).await;
    assert!(matches!(&end, Err(Error::Unavailable(why)) if why.contains(DRIVER)), "{end:?}");
}

/// A list is whole or ends with an error, wherever the driver dies.
#[test]
fn a_driver_that_dies_ends_the_stream_with_an_error() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let socket = folder.path().join("driver.sock");
    let client = tokio::runtime::Runtime::new().expect("a runtime");
    for dies_after in [0, 1, 7] {
        // It goes on for ever, and says so after its message of that number.
        let (reached, mut at) = tokio::sync::mpsc::unbounded_channel();
        let driver = Scripted(move |_| {
            let reached = reached.clone();
            let block = move |index: u64| {
                let reached = reached.clone();
                async move {
                    if index == dies_after {
                        reached.send(()).expect("somebody waits");
                        pending::<()>().await;
                    }
                    Ok(message(Kind::Fixed, &[(index * 4096, 4096)]))
                }
            };
            Ok(stream::iter(0..).then(block).boxed())
        });
        let host = Host::serve(&socket, Arc::new(driver));
        let (came, end) = client.block_on(async {
            let relay = relay(Arc::new(super::sockets::connect(&socket)));
            let tasks = runtime::Context::new().tasks;
            let list = tasks.spawn("list", async move { collected(&relay, allocated()).await });
            at.recv().await.expect("it gets that far");
            tokio::task::spawn_blocking(|| host.kill()).await.expect("it is killed");
            list.await.expect("it ends")
        });
        assert_eq!(came.len() as u64, dies_after);
        assert!(end.is_err(), "a short list that looks whole, after {dies_after}");
    }
}

/// Each stream is its own: a client that hangs holds up nobody.
#[tokio::test]
async fn many_clients_at_once_all_get_everything() {
    let relay = Arc::new(relay(Arc::new(Synthetic::sparse(5000, 4096))));
    let mut hanging = Vec::new();
    for _ in 0..8 {
        hanging.push(relay.blocks(allocated()).await.expect("it begins"));
    }
    let lists = join_all((0..32).map(|_| collected(&*relay, allocated()))).await;
    for (came, end) in lists {
        assert_eq!((came.iter().map(|message| message.len()).sum::<usize>(), end), (5000, Ok(())));
    }
}
