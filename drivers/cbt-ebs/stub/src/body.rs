//! Bodies of answers: whole, or cut off.

use std::{convert::Infallible, io};

use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::BoxBody};
use hyper::body::Frame;

/// A body that may break.
pub(crate) type Body = BoxBody<Bytes, io::Error>;

/// All of it.
pub(crate) fn whole(bytes: Vec<u8>) -> Body {
    Full::new(Bytes::from(bytes)).map_err(|never: Infallible| match never {}).boxed()
}

/// Half of it, and then the connection ends.
pub(crate) fn cut(mut bytes: Vec<u8>) -> Body {
    bytes.truncate(bytes.len() / 2);
    let frames = [Ok(Frame::data(Bytes::from(bytes))), Err(io::Error::other("cut"))];
    StreamBody::new(stream::iter(frames)).boxed()
}
