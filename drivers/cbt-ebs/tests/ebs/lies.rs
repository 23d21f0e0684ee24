//! A service that breaks its own contract: an error after the last good entry, never a list that looks whole.

use ebs_stub::Trouble;
use futures::StreamExt;
use proto::cbt::Error;

use crate::support::{BLOCKS, Bench, delta, indices, map};

#[tokio::test]
async fn pages_that_cannot_be_right_end_the_stream_with_an_error() {
    for trouble in [Trouble::Disorder, Trouble::Beyond, Trouble::Loop, Trouble::Resized] {
        let bench = Bench::new(map(0..BLOCKS, 1), map(0..BLOCKS, 2)).await;
        bench.stub.set(|settings| settings.page = 100);
        let planned = trouble.clone();
        bench.stub.plan(move |call| (call.number == 3).then(|| planned.clone()));
        let messages: Vec<_> = bench.stream(delta()).await.collect().await;
        let listed: Vec<u32> = messages.iter().flatten().flat_map(indices).collect();
        assert_eq!(listed, (0..300).collect::<Vec<_>>(), "{trouble:?}");
        assert!(matches!(messages.last(), Some(Err(Error::Broken(_)))), "{trouble:?}: {:?}", messages.last());
    }
}

#[tokio::test]
async fn a_first_page_that_cannot_be_right_is_a_refusal() {
    let bench = Bench::new(map(0..BLOCKS, 1), map(0..BLOCKS, 2)).await;
    bench.stub.plan(|_| Some(Trouble::Beyond));
    assert!(matches!(bench.list(delta()).await, Err(Error::Broken(_))));
}
