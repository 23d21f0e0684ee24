//! Streams that break anywhere.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{collections::VecDeque, convert::Infallible, sync::Mutex, time::Duration};

use futures::{TryStreamExt, stream};
use plugin::Refusal;
use proptest::prelude::*;
use proto::cbt::{Block, Builder, Kind};

use super::*;

fn message(offsets: &[u64]) -> Vec<u8> {
    let mut builder = Builder::new(Kind::Fixed, 1 << 40);
    offsets.iter().for_each(|offset| builder.push(Block { offset: *offset, size: 512, token: b"t" }));
    let encoded = builder.finish().encoded().to_vec();
    assert!(encoded.len() < 0x4000);
    let mut framed = vec![(encoded.len() & 0x7f) as u8 | 0x80, (encoded.len() >> 7) as u8];
    framed.extend(encoded);
    framed
}

#[tokio::test]
async fn messages_are_found_however_the_bytes_are_cut() {
    let sent = [message(&[0, 512]), message(&[1024]), message(&(4..200).map(|n| n * 512).collect::<Vec<_>>())].concat();
    for size in [1, 2, 3, 7, 100, sent.len()] {
        let pieces: Vec<Result<Bytes, Infallible>> =
            sent.chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let mut messages = Messages::new(stream::iter(pieces));
        let mut counts = Vec::new();
        while let Some(blocks) = messages.next().await.unwrap() {
            counts.push(blocks.iter().count());
        }
        assert_eq!(counts, [2, 1, 196], "pieces of {size}");
    }
}

#[tokio::test]
async fn an_answer_that_ends_early_is_no_end() {
    let sent = message(&[0, 512]);
    for end in 1..sent.len() {
        let piece: Result<Bytes, Infallible> = Ok(Bytes::copy_from_slice(&sent[..end]));
        let mut messages = Messages::new(stream::iter([piece]));
        assert!(messages.next().await.is_err(), "cut after {end}");
    }
}

#[test]
fn what_is_no_message_is_refused() {
    for bytes in [&[0xff; 6][..], &[0xff, 0xff, 0xff, 0x7f, 0]] {
        assert!(cut(&mut BytesMut::from(bytes)).is_err(), "{bytes:?}");
    }
    assert_eq!(cut(&mut BytesMut::from(&[0xff, 0x80][..])).unwrap(), None);
}

/// A delta whose answers break where they are told to.
struct Broken {
    /// The indices of its blocks.
    truth: Vec<u64>,
    per_message: usize,
    /// After how many bytes an answer breaks, and how; answers after these are whole.
    breaks: Mutex<VecDeque<(usize, How)>>,
}

#[derive(Debug, Clone, Copy)]
enum How {
    /// Nobody answers.
    Refused,
    /// The server answers with a code.
    Code(u16),
    /// The connection is reset.
    Reset,
    /// The answer ends as if it were whole, unless it ends between messages.
    Short,
}

impl Pages for &Broken {
    async fn page(&self, start: u64, limit: u64) -> Result<Messages> {
        let there: Vec<u64> = self.truth.iter().copied().filter(|block| *block >= start).take(limit as usize).collect();
        let framed: Vec<Vec<u8>> = there
            .chunks(self.per_message)
            .map(|blocks| message(&blocks.iter().map(|block| block * 512).collect::<Vec<_>>()))
            .collect();
        let Some((at, how)) = self.breaks.lock().unwrap().pop_front() else {
            return Ok(Messages::new(stream::iter([Ok::<_, Infallible>(Bytes::from(framed.concat()))])));
        };
        let (bytes, mut at) = (framed.concat(), at);
        at = at.min(bytes.len());
        let bounds = framed.iter().scan(0, |end, message| {
            *end += message.len();
            Some(*end)
        });
        if matches!(how, How::Short) && (at == 0 || bounds.into_iter().any(|bound| bound == at)) {
            // What ends between messages is told by the connection only.
            at = at.saturating_sub(1).max(usize::from(!bytes.is_empty()));
        }
        let piece = Ok(Bytes::copy_from_slice(&bytes[..at]));
        match how {
            How::Refused => Err(anyhow::anyhow!("connection refused")),
            How::Code(code) => Err(refusal(code)),
            How::Reset => Ok(Messages::new(stream::iter([piece, Err(anyhow::anyhow!("connection reset"))]))),
            How::Short => Ok(Messages::new(stream::iter([piece]))),
        }
    }
}

fn refusal(code: u16) -> anyhow::Error {
    let (code, retry_after) = (http::StatusCode::from_u16(code).unwrap(), Some(Duration::from_secs(3)));
    Refusal { code, reason: String::new(), message: String::new(), causes: Vec::new(), retry_after }.into()
}

async fn listed(pages: &Broken, range: Range) -> Result<Vec<u64>> {
    let blocks = blocks(pages, range, Speaker::without_bar());
    let listed: Vec<Blocks> = blocks.try_collect().await?;
    Ok(listed.iter().flat_map(|blocks| blocks.iter().map(|block| block.offset / 512).collect::<Vec<_>>()).collect())
}

fn how() -> impl Strategy<Value = How> {
    let codes = prop::sample::select(vec![429_u16, 500, 502, 503, 504]);
    prop_oneof![Just(How::Refused), codes.prop_map(How::Code), Just(How::Reset), Just(How::Short)]
}

proptest! {
    #[test]
    fn wherever_it_breaks_each_block_is_listed_once(
        truth in prop::collection::btree_set(0_u64..3000, 0..120),
        // Each break is followed by whatever comes, so that there are never too many in vain.
        breaks in prop::collection::vec((0_usize..4000, how()), 0..5),
        (per_message, page, start) in (1_usize..20, 1_u64..130, 0_u64..3000),
        limit in prop_oneof![Just(u64::MAX), 0_u64..130],
    ) {
        let truth: Vec<u64> = truth.into_iter().collect();
        let expected: Vec<u64> =
            truth.iter().copied().filter(|block| *block >= start).take(usize::try_from(limit).unwrap()).collect();
        let broken = Broken { truth, per_message, breaks: Mutex::new(breaks.into()) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let listed = runtime.block_on(listed(&broken, Range { start, limit, page })).unwrap();
        prop_assert_eq!(listed, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_is_never_given_up() {
    let one = message(&[249 * 512]).len();
    let breaks = (0..200).map(|_| (one + 1, How::Reset)).collect();
    let broken = Broken { truth: (0..250).collect(), per_message: 1, breaks: Mutex::new(breaks) };
    let whole = Range { start: 0, limit: u64::MAX, page: 100 };
    assert!(listed(&broken, whole).await.unwrap().into_iter().eq(0..250));
    let breaks = (0..20).map(|_| (message(&[512]).len() - 1, How::Reset)).collect();
    let broken = Broken { truth: vec![1], per_message: 1, breaks: Mutex::new(breaks) };
    assert!(listed(&broken, whole).await.is_err(), "what does not go on is");
}

#[tokio::test(start_paused = true)]
async fn who_says_something_else_than_asked_is_not_believed() {
    struct Liar(&'static [u64]);
    impl Pages for Liar {
        async fn page(&self, _: u64, _: u64) -> Result<Messages> {
            Ok(Messages::new(stream::iter([Ok::<_, Infallible>(Bytes::from(message(self.0)))])))
        }
    }
    for offsets in [&[512_u64][..], &[2048, 1536], &[2048, 2048], &[1 << 41], &[1024, 1536, 2048, 2560]] {
        let blocks = blocks(Liar(offsets), Range { start: 2, limit: 3, page: 3 }, Speaker::without_bar());
        let listed: Result<Vec<Blocks>> = blocks.try_collect().await;
        let error = listed.unwrap_err();
        assert!(error.downcast_ref::<Error>().is_some(), "{offsets:?}: {error:#}");
    }
}
