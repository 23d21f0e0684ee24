//! Answers of more than a packet are compressed for those who take gzip.

use std::io::Write;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, header};
use http_body::Body;
use http_body_util::Full;

use super::text;
use crate::reply::Answer;

/// An answer of fewer bytes goes as it is.
const LARGE: u64 = 1024;

/// The answer, compressed if it is large and the client takes that.
pub(super) fn large(headers: &HeaderMap, answer: Answer) -> Answer {
    if answer.body().size_hint().exact().is_none_or(|bytes| bytes < LARGE) || !accepted(headers) {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let body = gzip(body);
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts.headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    Answer::from_parts(parts, Full::new(body))
}

fn accepted(headers: &HeaderMap) -> bool {
    let accepted = text(headers.get(header::ACCEPT_ENCODING)).unwrap_or_default();
    accepted.split(',').any(|encoding| {
        let (name, quality) = encoding.split_once(';').unwrap_or((encoding, ""));
        let quality = quality.trim().strip_prefix("q=").and_then(|quality| quality.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && quality.is_none_or(|quality| quality > 0.0)
    })
}

fn gzip(body: Full<Bytes>) -> Bytes {
    const MEMORY: &str = "memory takes what is written to it";
    let bytes = body.into_inner().unwrap_or_default();
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    encoder.write_all(&bytes).expect(MEMORY);
    encoder.finish().expect(MEMORY).into()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn gzip_is_for_those_who_take_it() {
        let accepts =
            |value: &str| accepted(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, value.parse().unwrap())]));
        assert!(accepts("gzip") && accepts("deflate, GZIP;q=0.5"));
        assert!(!accepts("gzip;q=0") && !accepts("br") && !accepts(""));
    }

    #[test]
    fn what_is_large_is_compressed_and_what_is_small_is_not() {
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, "gzip".parse().unwrap())]);
        let answer = |length: usize| Answer::new(Full::new(Bytes::from(vec![b'x'; length])));
        assert!(large(&headers, answer(1023)).headers().is_empty());
        let compressed = large(&headers, answer(5000));
        assert_eq!(compressed.headers()[header::CONTENT_ENCODING], "gzip");
        let mut text = Vec::new();
        GzDecoder::new(&compressed.into_body().into_inner().unwrap()[..]).read_to_end(&mut text).unwrap();
        assert_eq!(text, vec![b'x'; 5000]);
    }
}
