//! Large answers are compressed for those who take gzip. Watches never are: their events must not wait for more.
//!
//! Whether an answer is large shows when so much of it is there; until then it waits, which only those do who take gzip.

use std::io::Write;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use futures::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderValue, Response, header};

use crate::{extension::Uncompressed, request::RequestInfo};

/// An answer of more bytes than this is large.
const LARGE: usize = 128 * 1024;
/// So many bytes are compressed before others get their turn.
const PIECE: usize = 64 * 1024;

/// Whether the answer may be compressed. As in the kube-apiserver only the plain word counts, not one with a quality.
pub(super) fn accepted(info: &RequestInfo, headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    !info.long_running() && accepted.split(',').any(|encoding| encoding.trim() == "gzip")
}

/// The answer, compressed if it is large.
pub(super) async fn large(response: Response<Body>) -> Response<Body> {
    if response.extensions().get::<Uncompressed>().is_some() {
        return response;
    }
    if response.body().size_hint().upper().is_some_and(|bytes| bytes <= LARGE as u64) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let (mut rest, mut read, mut size) = (body.into_data_stream(), Vec::new(), 0);
    while size <= LARGE {
        match rest.next().await {
            Some(Ok(bytes)) => {
                size += bytes.len();
                read.push(Ok(bytes));
            }
            // It is cut short here, and must be for the client.
            Some(Err(error)) => {
                read.push(Err(error));
                return Response::from_parts(parts, Body::from_stream(stream::iter(read)));
            }
            None => {
                let whole: Vec<Bytes> = read.into_iter().filter_map(Result::ok).collect();
                return Response::from_parts(parts, whole.concat().into());
            }
        }
    }
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts.headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    Response::from_parts(parts, Body::from_stream(gzip(stream::iter(read).chain(rest))))
}

fn gzip<E>(body: impl Stream<Item = Result<Bytes, E>>) -> impl Stream<Item = Result<Bytes, E>> {
    const MEMORY: &str = "memory takes what is written to it";
    async_stream::try_stream! {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        for await bytes in body {
            for piece in bytes?.chunks(PIECE) {
                encoder.write_all(piece).expect(MEMORY);
                let compressed = std::mem::take(encoder.get_mut());
                if !compressed.is_empty() {
                    yield Bytes::from(compressed);
                }
            }
        }
        yield encoder.finish().expect(MEMORY).into();
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::{Error, Read};

    use flate2::read::GzDecoder;
    use http::Method;
    use http_body_util::BodyExt;

    use super::*;

    fn streamed(chunks: Vec<Result<Bytes, Error>>) -> Response<Body> {
        Response::new(Body::from_stream(stream::iter(chunks)))
    }

    fn encoding(response: &Response<Body>) -> Option<&HeaderValue> {
        response.headers().get(header::CONTENT_ENCODING)
    }

    #[test]
    fn gzip_is_taken_at_its_word() {
        let accepts = |uri: &str, encodings: &str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, encodings.parse().unwrap())]);
            accepted(&RequestInfo::new(&Method::GET, &uri.parse().unwrap(), &headers), &headers)
        };
        assert!(accepts("/apis/g/v1/a", "gzip") && accepts("/apis/g/v1/a", "deflate, gzip , br"));
        for refused in ["", "identity", "gzip;q=0", "gzip;q=0.5", "br", "*"] {
            assert!(!accepts("/apis/g/v1/a", refused), "{refused}");
        }
        assert!(!accepts("/apis/g/v1/a?watch=1", "gzip"));
    }

    #[tokio::test]
    async fn what_is_large_is_compressed() {
        let chunk = || Ok(Bytes::from(vec![b'x'; 100_000]));
        let whole = || Response::new(Body::from(vec![b'x'; 500_000]));
        for response in [streamed(vec![chunk(), chunk(), chunk(), chunk(), chunk()]), whole()] {
            let response = large(response).await;
            assert_eq!(encoding(&response).unwrap(), "gzip");
            assert_eq!(response.headers()[header::VARY], "Accept-Encoding");
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let mut text = Vec::new();
            GzDecoder::new(&body[..]).read_to_end(&mut text).unwrap();
            assert!(body.len() < 10_000 && text == vec![b'x'; 500_000]);
        }
    }

    #[tokio::test]
    async fn what_is_small_stays_as_it_is() {
        for response in [streamed(vec![Ok("a".into()), Ok("b".into())]), Response::new(Body::from("ab"))] {
            let response = large(response).await;
            assert!(encoding(&response).is_none() && response.headers().get(header::VARY).is_none());
            assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ab");
        }
    }

    #[tokio::test]
    async fn what_is_cut_short_stays_cut_short() {
        for size in [1, LARGE + 1] {
            let response = streamed(vec![Ok(vec![0; size].into()), Err(Error::other("cut"))]);
            assert!(large(response).await.into_body().collect().await.is_err(), "{size}");
        }
    }
}
