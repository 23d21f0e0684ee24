//! Peers that are not ours, or broken: what a client makes of whatever they send.

use std::convert::Infallible;

use bytes::{BufMut, Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderValue, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody, combinators::BoxBody};
use proto::cbt::{Block, Blocks, Builder, ChangedBlocks, Error, Kind, Query, Result, Snapshot, client::Client};
use tower::util::service_fn;

/// A piece of an answer.
enum Piece {
    /// A message, in one frame.
    Message(Bytes),
    /// Bytes as they are.
    Raw(Bytes),
    /// How it ends: the code, and what is said.
    Trailers(u16, &'static str),
}

type Body = BoxBody<Bytes, Infallible>;

fn answer(pieces: Vec<Piece>) -> Response<Body> {
    let frames = pieces.into_iter().map(|piece| {
        Ok(match piece {
            Piece::Raw(bytes) => Frame::data(bytes),
            Piece::Message(message) => {
                let mut framed = BytesMut::new();
                framed.put_u8(0);
                framed.put_u32(message.len() as u32);
                framed.put(message);
                Frame::data(framed.freeze())
            }
            Piece::Trailers(code, message) => {
                let mut trailers = HeaderMap::new();
                trailers.insert("grpc-status", HeaderValue::from(code));
                trailers.insert("grpc-message", HeaderValue::from_static(message));
                Frame::trailers(trailers)
            }
        })
    });
    let body = BodyExt::boxed(StreamBody::new(stream::iter(frames)));
    let response = Response::builder().header("content-type", "application/grpc");
    response.body(body).expect("it is a response")
}

/// What comes of an answer, and how that ended.
async fn listed(pieces: fn() -> Vec<Piece>) -> (Vec<Blocks>, Option<Error>) {
    let service =
        service_fn(move |_: http::Request<tonic::body::Body>| async move { Ok::<_, Infallible>(answer(pieces())) });
    let query = Query::allocated(Snapshot::Handle("x".to_owned()));
    let messages = match Client::new(service).blocks(query).await {
        Ok(messages) => messages,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let items: Vec<Result<Blocks>> = messages.collect().await;
    assert!(items.iter().rev().skip(1).all(Result::is_ok), "an error is the last item: {items:?}");
    let error = items.last().and_then(|last| last.clone().err());
    (items.into_iter().filter_map(Result::ok).collect(), error)
}

fn good(offset: u64) -> Piece {
    let mut builder = Builder::new(Kind::Fixed, 1 << 30);
    builder.push(Block { offset, size: 4096, token: &[] });
    Piece::Message(builder.finish().encoded().clone())
}

#[tokio::test]
async fn a_list_that_ends_well_is_whole() {
    let (blocks, error) = listed(|| vec![good(0), good(4096), Piece::Trailers(0, "")]).await;
    assert_eq!((blocks.len(), error), (2, None));
    let (blocks, error) = listed(|| vec![Piece::Trailers(0, "")]).await;
    assert_eq!((blocks.len(), error), (0, None));
}

#[tokio::test]
async fn a_list_without_an_end_is_not_whole() {
    let (blocks, error) = listed(|| vec![good(0)]).await;
    assert_eq!(blocks.len(), 1);
    assert!(matches!(error, Some(Error::Unavailable(_))), "{error:?}");
    let (blocks, error) = listed(|| vec![good(0), Piece::Raw(Bytes::from_static(b"\0\0\0\0\x09xx"))]).await;
    assert_eq!(blocks.len(), 1);
    assert!(error.is_some());
}

#[tokio::test]
async fn a_message_that_cannot_be_read_ends_the_list() {
    for garbage in [
        || vec![good(0), Piece::Message(Bytes::from_static(b"\x1a\x7f")), good(4096), Piece::Trailers(0, "")],
        || vec![good(0), Piece::Message(Bytes::from_static(b"\xff\xff\xff\xff")), Piece::Trailers(0, "")],
        // A size that is negative.
        || {
            let entry = b"\x08\x01\x1a\x0b\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
            vec![good(0), Piece::Message(Bytes::from_static(entry)), Piece::Trailers(0, "")]
        },
    ] {
        let (blocks, error) = listed(garbage).await;
        assert_eq!(blocks.len(), 1);
        assert!(matches!(error, Some(Error::Broken(_))), "{error:?}");
    }
}

/// The library says so with the code of a start beyond the end.
#[tokio::test]
async fn a_message_that_is_too_large_is_no_start_beyond_the_end() {
    let (blocks, error) = listed(|| vec![good(0), Piece::Raw(Bytes::from_static(b"\0\x7f\0\0\0")), good(4096)]).await;
    assert_eq!(blocks.len(), 1);
    assert!(matches!(error, Some(Error::Broken(_))), "{error:?}");
}

#[tokio::test]
async fn a_driver_that_ran_out_of_time_has_not_finished() {
    let (blocks, error) = listed(|| vec![good(0), Piece::Trailers(4, "deadline")]).await;
    assert_eq!((blocks.len(), error), (1, Some(Error::Unavailable("deadline".to_owned()))));
}

#[tokio::test]
async fn a_peer_that_knows_codes_only_is_understood() {
    let (blocks, error) = listed(|| vec![Piece::Trailers(9, "no tracking")]).await;
    assert_eq!((blocks.len(), error), (0, Some(Error::NoDelta("no tracking".to_owned()))));
    let (blocks, error) = listed(|| vec![good(0), Piece::Trailers(15, "bad disk")]).await;
    assert_eq!((blocks.len(), error), (1, Some(Error::Broken("bad disk".to_owned()))));
}

#[tokio::test]
async fn data_ends_with_an_error_like_a_list() {
    let service = service_fn(|_: http::Request<tonic::body::Body>| async {
        let piece = Piece::Message(Bytes::from_static(b"\x08\x07\x12\x02ab"));
        Ok::<_, Infallible>(answer(vec![piece, Piece::Trailers(9, "")]))
    });
    let read = proto::cbt::Read {
        target: Snapshot::Handle("x".to_owned()),
        tokens: vec![Bytes::from_static(b"t")],
        secrets: Default::default(),
    };
    let mut pieces = Client::new(service).read(read).await.expect("it begins");
    let first = pieces.try_next().await.expect("a piece").expect("a first one");
    assert_eq!((first.offset, &first.bytes[..]), (7, &b"ab"[..]));
    assert!(pieces.try_next().await.is_err());
    assert!(pieces.next().await.is_none());
}
